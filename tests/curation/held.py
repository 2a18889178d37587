"""Scenes for the tests of quarantine: subjects that flip, burst or copy among honest ones."""

from datetime import timedelta

from curation.digest.services import drain
from curation.models import Feedback, FeedbackOutcome, Project
from tests.curation.events import subject, thumb
from tests.factories import NOW, make_prediction

LATER = NOW + timedelta(hours=1)
CAMPAIGN = "Everyone says this place is the worst in town!"


def state(feedback: Feedback) -> str:
    return FeedbackOutcome.objects.get(pk=feedback.pk).state


def states(events: list[Feedback]) -> set[str]:
    found = FeedbackOutcome.objects.filter(pk__in=[each.pk for each in events])
    return set(found.values_list("state", flat=True))


def flip(project: Project, *, n: int = 50, who: str = "flipper") -> list[Feedback]:
    """One subject contradicts every answer, of both kinds, at a human pace."""
    return [
        thumb(
            make_prediction(project, text=f"{who} text {i}", label=("negative", "positive")[i % 2]),
            "down",
            subject=subject(who),
            at=NOW + timedelta(seconds=7 * i),
        )
        for i in range(n)
    ]


def burst(project: Project, *, n: int = 60, who: str = "robot") -> list[Feedback]:
    """One subject presses a thumb every half second."""
    return [
        thumb(
            make_prediction(project, text=f"{who} text {i}"),
            "up",
            subject=subject(who),
            at=NOW + timedelta(milliseconds=500 * i),
        )
        for i in range(n)
    ]


def crowd(project: Project, *, n: int = 30, address: str = "botnet") -> list[Feedback]:
    """One address presses many thumbs in a minute, each under another name."""
    return [
        thumb(
            make_prediction(project, text=f"{address} text {i}"),
            "up",
            subject=subject(f"{address}{i}"),
            address_hash=subject(address),
            at=NOW + timedelta(seconds=i),
        )
        for i in range(n)
    ]


def campaign(project: Project, *, n: int = 10, comment: str = CAMPAIGN) -> list[Feedback]:
    """Many subjects send the same comment, each in its own writing."""
    return [
        thumb(
            make_prediction(project, text=f"campaign text {i}"),
            "down",
            subject=subject(f"c{i}"),
            comment=f"  {comment.upper() if i % 2 else comment} ",
            at=NOW + timedelta(minutes=i),
        )
        for i in range(n)
    ]


def honest(project: Project, *, subjects: int = 20, each: int = 5) -> list[Feedback]:
    """Many subjects mostly agree; the first one contradicts all it sees."""
    return [
        thumb(
            make_prediction(project, text=f"honest {s} text {i}"),
            "down" if s == 0 or (s + i) % 7 == 0 else "up",
            subject=subject(f"h{s}"),
            at=NOW + timedelta(seconds=11 * s + 3 * i),
        )
        for s in range(subjects)
        for i in range(each)
    ]


def digest_all() -> int:
    """Digest everything and let the rules look; how many events."""
    return drain(now=LATER, seconds=60).events
