"""What is stored of annotators' records, as the consensus reads it."""

from collections.abc import Collection

from curation.models import AnnotatorQuality
from curation.review.agreement.skill import Skill


def skills(*, project_id: int, user_ids: Collection[int]) -> dict[int, Skill]:
    """The record of each of these annotators; an empty one, read as the prior, for the unknown."""
    rows = AnnotatorQuality.objects.filter(project_id=project_id, user_id__in=user_ids)
    known = dict(rows.values_list("user_id", "confusion"))
    return {user_id: Skill(known.get(user_id, {})) for user_id in user_ids}
