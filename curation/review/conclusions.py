"""What an answer, a skip or an undo leads to: a label, another annotator, a senior, or an end."""

from collections.abc import Sequence
from datetime import datetime

from curation import labels
from curation.digest.voices import reweigh
from curation.labels import Belief
from curation.models import Label, Prediction, Project, Sample
from curation.models.review import Queue
from curation.review import deciding
from curation.review.consensus import UNBLIND_QUALITY
from curation.review.gold import retire_unfounded
from curation.review.items import Pick, close_untouched, open_items
from curation.review.overlap import Decision, Standing, decide

SPAM_QUALITY = 0.0
SPAM_PRIORITY = 1.0
SPAM_WHY = "Two annotators called it spam: is it?"
NOT_SPAM_WHY = "One of them took it back."


def conclude(*, standing: Standing, now: datetime) -> Decision:
    """Decide where the item goes and believe what follows; its caller puts it there."""
    decision = decide(standing)
    if decision.agreed is not None:
        belief = Belief(
            sample_id=standing.sample_id,
            value=decision.agreed.value,
            origin=Label.Origin.ANNOTATION,
            quality=decision.agreed.quality,
            reasons=decision.agreed.reasons,
            annotation_ids=decision.grounds,
        )
        labels.believe(beliefs=[belief], now=now)
    elif decision.is_spam:
        _believe_nothing(standing, decision.grounds, now)
    return decision


def settle(*, project: Project, item_id: int, now: datetime) -> Decision:
    """Conclude an item, put it where that sends it, and ask a senior about spam."""
    standing = deciding.standing(item_id=item_id)
    decision = conclude(standing=standing, now=now)
    deciding.put(of=standing, decision=decision, now=now)
    if decision.asks_about_spam:
        pick = Pick(
            sample_id=standing.sample_id,
            queue=Queue.SPAM,
            priority=SPAM_PRIORITY,
            why={"sentence": SPAM_WHY},
            for_senior=True,
        )
        open_items(project=project, picks=[pick], now=now)
    return decision


def withdraw(*, project: Project, item_id: int, sample_id: int, now: datetime) -> Decision:
    """An answer or a skip was taken back: what rested on it goes, what stands is weighed anew."""
    labels.withdraw(sample_ids=[sample_id], origin=Label.Origin.ANNOTATION, now=now)
    reweigh(sample_ids=[sample_id], now=now)
    deciding.reopen_adopted(sample_id=sample_id)
    retire_unfounded(sample_ids=[sample_id], now=now)
    decision = settle(project=project, item_id=item_id, now=now)
    for sibling in deciding.done_siblings(item_id=item_id, sample_id=sample_id):
        settle(project=project, item_id=sibling, now=now)
    if not decision.asks_about_spam:
        close_untouched(
            sample_ids=[sample_id],
            queue=Queue.SPAM,
            reason=NOT_SPAM_WHY,
            but_item=item_id,
            now=now,
        )
    return decision


def believe_unblind(*, standing: Standing, value: str, annotation_id: int, now: datetime) -> None:
    """A second thought after the reveal is worth something, but never against a blind answer."""
    if standing.is_annotated or standing.queue == Queue.GOLD:
        return
    belief = Belief(
        sample_id=standing.sample_id,
        value=value,
        origin=Label.Origin.ANNOTATION,
        quality=UNBLIND_QUALITY,
        reasons=["An annotator said so after the prediction was shown."],
        annotation_ids=[annotation_id],
    )
    labels.believe(beliefs=[belief], now=now)


def _believe_nothing(standing: Standing, grounds: Sequence[int], now: datetime) -> None:
    """Nothing said about spam counts: a worthless label of the highest origin stands before it."""
    value = _said_about(standing.sample_id)
    if value is None:
        return
    belief = Belief(
        sample_id=standing.sample_id,
        value=value,
        origin=Label.Origin.ANNOTATION,
        quality=SPAM_QUALITY,
        reasons=["A senior annotator called the text spam."],
        annotation_ids=grounds,
    )
    labels.believe(beliefs=[belief], now=now)


def _said_about(sample_id: int) -> str | None:
    """The label a sample has, or else the one it was served with."""
    label = Label.objects.filter(sample=sample_id, is_current=True).first()
    if label is not None:
        return label.value
    served = Sample.objects.filter(pk=sample_id).values_list("prediction_id", flat=True).first()
    found = Prediction.objects.filter(pk=served).first() if served else None
    return found.label if found else None
