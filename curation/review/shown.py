"""What a person who has answered an item may be told about it."""

from dataclasses import dataclass

from curation.models import Annotation, Prediction, Project, ReviewItem
from feedbackhub.core.models import User


class NotAnswered(Exception):
    """The person has not answered this item: nothing about it may be shown yet."""


@dataclass(frozen=True)
class Shown:
    """A text a person has answered, and how it was answered when it was served."""

    text: str
    label: str
    """What a version of ours answered; empty when none did."""
    model_version: str
    """Which one; empty when none did, or when it serves elsewhere."""


def shown_item(*, project: Project, item_id: int, user: User) -> Shown | None:
    """The item's text and its prediction, for someone whose answer has been taken.

    An answer that was undone counts: what it revealed was seen. A skip does not, for it reveals
    nothing. None when the project has no such item, or its text was erased. Raises
    :class:`NotAnswered`.
    """
    given = Annotation.objects.filter(item_id=item_id, user=user, kind=Annotation.Kind.LABEL)
    if not given.filter(item__project=project).exists():
        raise NotAnswered("Answer first; then you see what moved the model.")
    item = ReviewItem.objects.select_related("sample").filter(project=project, pk=item_id).first()
    if item is None or item.sample.text is None:
        return None
    named = item.prediction_id or item.sample.prediction_id
    served = Prediction.objects.filter(project_id=project.pk, pk=named).first() if named else None
    if served is None or served.is_external:
        return Shown(item.sample.text, "", "")
    return Shown(item.sample.text, served.label, served.model_version)
