"""What each bulk action does to a batch of samples, and how it takes it back.

Callers give the transaction and hold the samples' locks. A kind is asked twice what it leaves out:
when the samples are collected, and again before it touches them, since time passes in between.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from curation import labels
from curation.digest.voices import reweigh
from curation.explorer.bulk_retractions import RetractAnnotator, RetractSource
from curation.explorer.bulk_rows import Done, Facts, Kind, Row, settle
from curation.labels import Belief
from curation.models import BulkAction, BulkKind, Label, ReviewItem, TrainingExclusion
from curation.models.review import Queue
from curation.models.sample import Split
from curation.review.consensus import UNBLIND_QUALITY
from curation.review.items import Pick, close_untouched, open_items

# A lead who asks for a text wants it answered before what the hub found by itself.
PRIORITY = 1.0
ERASED = "Its text was erased."
JUDGED_ON = (
    "It is in the {} split, whose truth only blind answers may change; send it to a queue instead."
)
# Queues that anyone may send texts to: what stands in the others was drawn, not chosen.
OPEN_QUEUES = (Queue.LABEL_ERROR, Queue.DISPUTED, Queue.UNCERTAIN, Queue.SLICE, Queue.SPAM)


class SetLabel:
    """A lead's word, below that of blind annotators and above all others."""

    def leaves_out(self, action: BulkAction, facts: Sequence[Facts]) -> dict[int, str]:
        """What candidates are judged on, what annotators answered, and what has the label."""
        return {each.sample_id: why for each in facts if (why := self._why_not(action, each))}

    def _why_not(self, action: BulkAction, facts: Facts) -> str:
        if facts.is_erased:
            return ERASED
        if not facts.split:
            return "It is in no split, so nothing learns from it."
        if facts.split != Split.TRAIN:
            return JUDGED_ON.format(facts.split)
        if facts.is_annotated:
            return "Annotators have answered it; their word stands."
        if facts.label == action.target and facts.quality >= UNBLIND_QUALITY:
            return "It has this label already, with a quality as high."
        return ""

    def apply(self, action: BulkAction, ids: Sequence[int], now: datetime) -> dict[int, Done]:
        """Write the label."""
        reason = f"{action.requested_by} said so in bulk, having seen it: {action.reason}"
        beliefs = [
            Belief(
                sample_id=pk,
                value=action.target,
                origin=Label.Origin.ANNOTATION,
                quality=UNBLIND_QUALITY,
                reasons=[reason],
            )
            for pk in ids
        ]
        labels.believe(beliefs=beliefs, now=now)
        return {pk: Done(label_id=label) for pk, label in _current_labels(ids).items()}

    def undo(self, action: BulkAction, rows: Sequence[Row], now: datetime) -> dict[int, str]:
        """End the label where it is still current; what was believed before comes back."""
        current = _current_labels([row.sample_id for row in rows])
        ours = [row for row in rows if current.get(row.sample_id) == row.label_id]
        # First of all they are taken back, so that none of them is found to stand.
        settle(action=action, states={row.sample_id: "undone" for row in ours})
        labels.retract(label_ids=[row.label_id for row in ours if row.label_id], now=now)
        reweigh(sample_ids=[row.sample_id for row in ours], now=now)
        return {
            row.sample_id: "Its label has changed since."
            for row in rows
            if current.get(row.sample_id) != row.label_id
        }


class SendToQueue:
    """Annotators are asked, blind as ever."""

    def leaves_out(self, action: BulkAction, facts: Sequence[Facts]) -> dict[int, str]:
        """What waits there already, or in the audit."""
        return {each.sample_id: why for each in facts if (why := self._why_not(action, each))}

    def _why_not(self, action: BulkAction, facts: Facts) -> str:
        if facts.is_erased:
            return ERASED
        if action.target in facts.queues:
            return "It waits there already."
        if Queue.AUDIT in facts.queues:
            return "It waits in the audit, where it is asked about first."
        return ""

    def apply(self, action: BulkAction, ids: Sequence[int], now: datetime) -> dict[int, Done]:
        """Open an item for each."""
        why = {"sentence": f"{action.requested_by} sent it here: {action.reason}"}
        picks = [Pick(sample_id=pk, queue=action.target, priority=PRIORITY, why=why) for pk in ids]
        open_items(project=action.project, picks=picks, now=now)
        return {pk: Done(change={"item": item}) for pk, item in self._open(action, ids).items()}

    def undo(self, action: BulkAction, rows: Sequence[Row], now: datetime) -> dict[int, str]:
        """Close what nobody has looked at."""
        before = self._open(action, [row.sample_id for row in rows])
        ours = [pk for row in rows if before.get(pk := row.sample_id) == row.change["item"]]
        close_untouched(
            sample_ids=ours,
            queue=action.target,
            reason="Taken back by who sent it here.",
            now=now,
        )
        held = dict.fromkeys(self._open(action, ours), "Someone holds it or has answered it.")
        gone = [row.sample_id for row in rows if row.sample_id not in ours]
        return held | dict.fromkeys(gone, "It was answered or closed since.")

    def _open(self, action: BulkAction, ids: Sequence[int]) -> dict[int, int]:
        items = ReviewItem.objects.filter(
            sample_id__in=ids, queue=action.target, status=ReviewItem.Status.OPEN
        )
        return dict(items.values_list("sample_id", "pk"))


class Exclude:
    """Nothing learns from the samples any more; who is judged on them stays so."""

    def leaves_out(self, action: BulkAction, facts: Sequence[Facts]) -> dict[int, str]:
        """What nothing would learn from anyway."""
        return {each.sample_id: why for each in facts if (why := self._why_not(each))}

    def _why_not(self, facts: Facts) -> str:
        if facts.is_excluded:
            return "It is excluded already."
        if facts.split != Split.TRAIN:
            where = f"the {facts.split} split" if facts.split else "no split"
            return f"It is in {where}; nothing learns from it anyway."
        return ""

    def apply(self, action: BulkAction, ids: Sequence[int], now: datetime) -> dict[int, Done]:
        """Write the exclusions."""
        TrainingExclusion.objects.bulk_create(
            [
                TrainingExclusion(
                    sample_id=pk,
                    reason=action.reason,
                    excluded_by=action.requested_by,
                    action=action,
                    at=now,
                )
                for pk in ids
            ],
            ignore_conflicts=True,
        )
        return {pk: Done() for pk in ids}

    def undo(self, action: BulkAction, rows: Sequence[Row], now: datetime) -> dict[int, str]:
        """Delete those that are still this action's."""
        ids = [row.sample_id for row in rows]
        ours = TrainingExclusion.objects.filter(sample_id__in=ids, action=action)
        mine = set(ours.values_list("sample_id", flat=True))
        ours.delete()
        return {pk: "It was included, or excluded anew, since." for pk in ids if pk not in mine}


class Include:
    """Models may learn from the samples again."""

    def leaves_out(self, action: BulkAction, facts: Sequence[Facts]) -> dict[int, str]:
        """What is not excluded."""
        return {each.sample_id: "It is not excluded." for each in facts if not each.is_excluded}

    def apply(self, action: BulkAction, ids: Sequence[int], now: datetime) -> dict[int, Done]:
        """Delete the exclusions, and remember them."""
        held = TrainingExclusion.objects.filter(sample_id__in=ids)
        done = {
            each.sample_id: Done(
                change={
                    "reason": each.reason,
                    "by": each.excluded_by,
                    "action": each.action_id,
                    "at": each.at.isoformat(),
                }
            )
            for each in held
        }
        held.delete()
        return done

    def undo(self, action: BulkAction, rows: Sequence[Row], now: datetime) -> dict[int, str]:
        """Exclude them again, as they were."""
        ids = [row.sample_id for row in rows]
        excluded = set(
            TrainingExclusion.objects.filter(sample_id__in=ids).values_list("sample_id", flat=True)
        )
        TrainingExclusion.objects.bulk_create(
            TrainingExclusion(
                sample_id=row.sample_id,
                reason=row.change["reason"],
                excluded_by=row.change["by"],
                action_id=row.change["action"],
                at=datetime.fromisoformat(row.change["at"]),
            )
            for row in rows
            if row.sample_id not in excluded
        )
        return dict.fromkeys(excluded, "It was excluded anew since.")


KINDS: Mapping[str, Kind] = {
    BulkKind.LABEL: SetLabel(),
    BulkKind.QUEUE: SendToQueue(),
    BulkKind.EXCLUDE: Exclude(),
    BulkKind.INCLUDE: Include(),
    BulkKind.RETRACT_SOURCE: RetractSource(),
    BulkKind.RETRACT_ANNOTATOR: RetractAnnotator(),
}


def _current_labels(ids: Sequence[int]) -> dict[int, int]:
    held = Label.objects.filter(sample_id__in=ids, is_current=True)
    return dict(held.values_list("sample_id", "pk"))
