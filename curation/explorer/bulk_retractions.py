"""The bulk actions that take people's words back: a source's thumbs, an annotator's answers."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from curation import labels
from curation.digest.quarantine import Caught, quarantine, reject_feedback, release_feedback
from curation.explorer.bulk_rows import SQL, Done, Facts, Row
from curation.models import BulkAction
from curation.review.corrections import settle_items_of, take_back
from feedbackhub.core.sql import execute, fetch
from feedbackhub.core.transitions import StaleTransition

RULE = "bulk"


@dataclass(frozen=True)
class _Thumb:
    sample_id: int
    feedback_id: str


class RetractSource:
    """A source's thumbs count no more, as if a person had rejected each."""

    def leaves_out(self, action: BulkAction, facts: Sequence[Facts]) -> dict[int, str]:
        """What no counted thumb of the source speaks of."""
        spoken = self._thumbs(action, [each.sample_id for each in facts])
        return {
            each.sample_id: "No counted thumb of this source speaks of it."
            for each in facts
            if each.sample_id not in spoken
        }

    def apply(self, action: BulkAction, ids: Sequence[int], now: datetime) -> dict[int, Done]:
        """Hold the thumbs back and reject them; labels and disputes follow who still speaks."""
        thumbs = self._thumbs(action, ids)
        held = [
            Caught(feedback, RULE, action.reason) for each in thumbs.values() for feedback in each
        ]
        quarantine(project=action.project, caught=held, now=now, actor=action.requested_by)
        done: dict[int, Done] = {}
        for pk, feedback in thumbs.items():
            try:
                reject_feedback(
                    project=action.project,
                    feedback_ids=feedback,
                    actor=action.requested_by,
                    reason=action.reason,
                    now=now,
                )
            except StaleTransition:
                continue
            done[pk] = Done(change={"feedback": feedback})
        return done

    def undo(self, action: BulkAction, rows: Sequence[Row], now: datetime) -> dict[int, str]:
        """Release them, as a person does in the quarantine."""
        stuck: dict[int, str] = {}
        for row in rows:
            try:
                release_feedback(
                    project=action.project,
                    feedback_ids=row.change["feedback"],
                    actor=action.requested_by,
                    reason=f"Bulk action {action.pk} was taken back.",
                    now=now,
                )
            except StaleTransition:
                stuck[row.sample_id] = "Someone has decided about its thumbs since."
        return stuck

    def _thumbs(self, action: BulkAction, ids: Sequence[int]) -> dict[int, list[str]]:
        params = {"samples": list(ids), "source": int(action.target)}
        found: dict[int, list[str]] = defaultdict(list)
        for row in fetch(SQL["thumbs_of_source"], params, into=_Thumb):
            found[row.sample_id].append(row.feedback_id)
        return found


@dataclass(frozen=True)
class _Standing:
    sample_id: int
    annotation_id: int
    item_id: int


class RetractAnnotator:
    """An annotator's answers are taken back, as if they had undone each; others are asked anew."""

    def leaves_out(self, action: BulkAction, facts: Sequence[Facts]) -> dict[int, str]:
        """What they have not answered."""
        answered = self._answers(action, [each.sample_id for each in facts])
        return {
            each.sample_id: "No answer of theirs stands on it."
            for each in facts
            if each.sample_id not in answered
        }

    def apply(self, action: BulkAction, ids: Sequence[int], now: datetime) -> dict[int, Done]:
        """Undo the answers; labels that rested on them end, and their items are open again."""
        done: dict[int, Done] = {}
        for pk, answers in self._answers(action, ids).items():
            taken = take_back(
                project=action.project,
                user_id=int(action.target),
                annotation_ids=[each.annotation_id for each in answers],
                now=now,
            )
            done[pk] = Done(change={"annotations": taken})
        return done

    def undo(self, action: BulkAction, rows: Sequence[Row], now: datetime) -> dict[int, str]:
        """Give each answer its place back where it is free."""
        stuck: dict[int, str] = {}
        for row in rows:
            if not _restored(row.change["annotations"]):
                stuck[row.sample_id] = "Someone has answered in their place since."
        labels.revive(
            sample_ids=[row.sample_id for row in rows if row.sample_id not in stuck], now=now
        )
        restored = [
            annotation
            for row in rows
            if row.sample_id not in stuck
            for annotation in row.change["annotations"]
        ]
        settle_items_of(project=action.project, annotation_ids=restored, now=now)
        return stuck

    def _answers(self, action: BulkAction, ids: Sequence[int]) -> dict[int, list[_Standing]]:
        params = {"samples": list(ids), "user": int(action.target)}
        found: dict[int, list[_Standing]] = defaultdict(list)
        for row in fetch(SQL["answers_of"], params, into=_Standing):
            found[row.sample_id].append(row)
        return found


class _PlaceTaken(Exception):
    """An answer cannot be given its place back."""


def _restored(annotation_ids: Sequence[int]) -> bool:
    """Give all these answers their places back, or none."""
    try:
        with transaction.atomic():
            for annotation in annotation_ids:
                if not execute(SQL["restore_answer"], {"annotation": annotation}):
                    raise _PlaceTaken
    except _PlaceTaken:
        return False
    return True
