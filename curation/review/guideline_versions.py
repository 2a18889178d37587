"""The versions of a project's guidelines: publishing a new one, and what changed between two."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher

from django.db import IntegrityError, transaction

from curation.models import Guideline, Project
from curation.review.guidelines import render_guideline
from feedbackhub.core.models import User
from feedbackhub.core.roles import Can

MOST_CHARACTERS = 50_000
KEPT_AROUND = 1


class GuidelineRefused(Exception):
    """A version cannot be published; the message tells its author what to do."""


@dataclass(frozen=True)
class Line:
    """One line of a comparison."""

    kind: str
    """``same``, ``new``, ``gone``, or ``apart`` for lines left out."""
    text: str


@dataclass(frozen=True)
class Version:
    """One version as its page shows it."""

    guideline: Guideline
    html: str
    changes: list[Line]
    """Against the version before; empty for the first."""


def newest_guideline(*, project: Project) -> Guideline | None:
    """The version in force; None before the first."""
    return project.guidelines.order_by("-number").first()


def publish_guideline(
    *, project: Project, text: str, follows: int, user: User, now: datetime
) -> Guideline:
    """Make ``text`` the version after ``follows`` (0 before the first); answers then follow it.

    Raises :class:`GuidelineRefused` when nothing changed or another version came in between, and
    ``PermissionDenied`` without :attr:`Can.CURATE`.
    """
    project.require(user, Can.CURATE)
    written = "\n".join(line.rstrip() for line in text.strip().splitlines())
    newest = newest_guideline(project=project)
    if (newest.number if newest else 0) != follows:
        raise GuidelineRefused(
            "Someone published another version meanwhile. Your text is still here: compare it "
            "with the new version below, then publish again."
        )
    if not written or (newest and newest.text == written):
        raise GuidelineRefused("Nothing has changed: there is no new version to publish.")
    try:
        with transaction.atomic():
            return Guideline.objects.create(
                project=project, number=follows + 1, text=written, created_by=user, created_at=now
            )
    except IntegrityError as raced:
        raise GuidelineRefused("Someone published at the same moment; look again.") from raced


def versions(*, project: Project) -> list[Version]:
    """Every version, the newest first, each with what it changed."""
    found = list(project.guidelines.order_by("-number").select_related("created_by"))
    before = [*(each.text for each in found[1:]), ""]
    return [
        Version(
            guideline=each,
            html=render_guideline(text=each.text),
            changes=changed_lines(earlier, each.text) if number < len(found) - 1 else [],
        )
        for number, (each, earlier) in enumerate(zip(found, before, strict=True))
    ]


def changed_lines(before: str, after: str) -> list[Line]:
    """What changed from one text to another, with a line around each change.

    >>> [(line.kind, line.text) for line in changed_lines("a\\nb", "a\\nc")]
    [('same', 'a'), ('gone', 'b'), ('new', 'c')]
    """
    old, new = before.splitlines(), after.splitlines()
    matcher = SequenceMatcher(a=old, b=new, autojunk=False)
    lines: list[Line] = []
    for group in matcher.get_grouped_opcodes(KEPT_AROUND):
        if lines:
            lines.append(Line("apart", "…"))
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                lines += _as("same", old[i1:i2])
            else:
                lines += [*_as("gone", old[i1:i2]), *_as("new", new[j1:j2])]
    return lines


def _as(kind: str, texts: Sequence[str]) -> list[Line]:
    return [Line(kind, text) for text in texts]
