"""Which rules a project uses, with its thresholds: read, checked, and written."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import msgspec
from django.db import transaction

from curation.digest.rules import NAMES, RULES, Rule
from curation.models import Project, QuarantineRule

Kind = TypeVar("Kind", bound=Rule)


class UnfitThresholds(ValueError):
    """Thresholds that their rule cannot take; the message says which and why."""


@dataclass(frozen=True)
class RuleBook:
    """The rules of a project, and which of them are in use."""

    rules: Mapping[str, Rule]
    """Every rule with its thresholds, by name."""
    enabled: frozenset[str]

    def enabled_rule(self, kind: type[Kind]) -> Kind | None:
        """The rule of this kind; None when the project does not use it."""
        rule = self.rules[kind.name]
        return rule if kind.name in self.enabled and isinstance(rule, kind) else None


DEFAULT_BOOK = RuleBook(
    {rule.name: rule() for rule in RULES}, frozenset(rule.name for rule in RULES)
)


def make_rule(*, name: str, thresholds: Mapping[str, object]) -> Rule:
    """A rule from stored or typed thresholds; raises :class:`UnfitThresholds`."""
    try:
        return msgspec.convert(dict(thresholds), NAMES[name])
    except (msgspec.ValidationError, KeyError) as error:
        raise UnfitThresholds(f"{name}: {error}") from None


def rule_books(*, project_ids: Collection[int]) -> dict[int, RuleBook]:
    """The book of each project, in one query; what no row says is as by default."""
    books = dict.fromkeys(project_ids, DEFAULT_BOOK)
    for row in QuarantineRule.objects.filter(project_id__in=project_ids).order_by("id"):
        if row.rule not in NAMES:
            continue
        book = books[row.project_id]
        rule = make_rule(name=row.rule, thresholds=row.thresholds)
        enabled = book.enabled | {row.rule} if row.is_enabled else book.enabled - {row.rule}
        books[row.project_id] = RuleBook({**book.rules, row.rule: rule}, enabled)
    return books


def save_rules(*, project: Project, book: RuleBook, actor: str, now: datetime) -> None:
    """Use ``book`` from now on. Events that are held back or counted already stay so."""
    with transaction.atomic():
        for name, rule in sorted(book.rules.items()):
            QuarantineRule.objects.update_or_create(
                project=project,
                rule=name,
                defaults={
                    "is_enabled": name in book.enabled,
                    "thresholds": msgspec.to_builtins(rule),
                    "changed_by": actor,
                    "changed_at": now,
                },
            )
