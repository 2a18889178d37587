"""Simulated annotators: they claim and answer like people, and leave something for the visitor."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import NAMESPACE_OID, uuid5

from curation.models import Project
from curation.models.review import SkipReason
from curation.review.engine import Reserved
from curation.review.services import claim, queue_depths, skip, submit
from feedbackhub.core.models import User
from feedbackhub.demo import facts
from feedbackhub.demo.corpus import normalised
from feedbackhub.demo.eras import Label, opposite

MOST_AT_ONCE = 10


@dataclass(frozen=True)
class Team:
    """The simulated annotators of a project; they know the truth, and slip now and then."""

    project: Project
    members: Sequence[User]
    truth: Mapping[str, Label]
    seed: int

    def work(self, *, tick: int, now: datetime) -> int:
        """Answer what lies above the mark in each queue, within a tick's ration; how many."""
        rng = random.Random(f"team:{self.seed}:{tick}")  # noqa: S311 a demo is no secret
        depths = {depth.queue: depth.free for depth in queue_depths(project=self.project)}
        answered = 0
        for queue, ration in facts.PLOT.answers.items():
            left = min(ration, depths.get(queue, 0) - facts.PLOT.open_items)
            while left > 0 and (done := self._answer(queue, left, rng, now)):
                left -= done
                answered += done
        return answered

    def _answer(self, queue: str, n: int, rng: random.Random, now: datetime) -> int:
        """Claim up to ``n`` items for one member and answer them; how many there were."""
        member = rng.choice(self.members)
        limit = min(n, MOST_AT_ONCE)
        held = claim(project=self.project, user=member, queue=queue, limit=limit, now=now)
        for item in held.items:
            now += timedelta(seconds=rng.uniform(2, 12))
            self._judge(item, member, rng, now)
        return len(held.items)

    def _judge(self, item: Reserved, member: User, rng: random.Random, now: datetime) -> None:
        """One answer; a text whose truth is unknown is passed on."""
        key = uuid5(NAMESPACE_OID, f"{self.project.pk}:{item.id}:{member.pk}:{now.isoformat()}")
        truth = self.truth.get(normalised(item.text or ""))
        if truth is None:
            skip(
                project=self.project,
                user=member,
                item_id=item.id,
                reason=SkipReason.OTHER,
                submission_key=key,
                now=now,
            )
            return
        slips = rng.random() < facts.PLOT.answer_error_share
        submit(
            project=self.project,
            user=member,
            item_id=item.id,
            value=opposite(truth) if slips else truth,
            submission_key=key,
            seconds_spent=round(rng.uniform(2, 12), 1),
            now=now,
        )


def team(*, project: Project, truth: Mapping[str, Label], seed: int) -> Team:
    """The simulated annotators of a project."""
    names = [person.username for person in facts.SIMULATED]
    members = list(User.objects.filter(username__in=names).order_by("username"))
    return Team(project=project, members=members, truth=truth, seed=seed)
