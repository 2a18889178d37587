"""What the intake pages say: sentences, tones and form fields, finished for the templates."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django import forms

from curation.digest.rule_book import RuleBook, make_rule
from curation.digest.rules import NAMES
from curation.intake.pulse import Flow

# The digest looks every few seconds: so late, something is wrong.
LATE = timedelta(minutes=1)
INTAKE_REASONS = {
    "unknown_prediction": "Unknown prediction",
    "foreign_prediction": "Prediction of another project",
    "contradicts_itself": "Contradicts itself",
    "clock_ahead": "Comes from more than a day ahead",
}


def reason_title(code: str) -> str:
    """What holds an event back, in words."""
    rule = NAMES.get(code)
    return rule.title if rule else INTAKE_REASONS.get(code, code.replace("_", " ").capitalize())


def in_words(age: timedelta) -> str:
    """A stretch of time as people say it: "2 s", "12 min", "3 h", "5 days"."""
    seconds = int(age.total_seconds())
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def headline(hour: Flow, *, lag: timedelta, latest: datetime | None, now: datetime) -> str:
    """The page's answer: how much came in, how much of it is doubtful, how late the digest is."""
    behind = "keeps up" if lag < timedelta(seconds=1) else f"is {in_words(lag)} behind"
    if latest is None:
        return "No event has come in yet."
    if not hour.events:
        ago = in_words(max(timedelta(0), now - latest))
        return f"No events in the last hour; the last came {ago} ago. The digest {behind}."
    events = "1 event" if hour.events == 1 else f"{hour.events:,} events"
    held = share(hour.quarantined, hour.events)
    refused = f", {share(hour.rejected, hour.events)} rejected" if hour.rejected else ""
    return f"{events} in the last hour, {held} quarantined{refused}; the digest {behind}."


def share(part: int, whole: int) -> str:
    """A share as people read it; a little is never none."""
    if not part:
        return "none"
    percent = 100 * part / whole
    return f"{percent:.0f} %" if percent >= 1 else "under 1 %"


@dataclass(frozen=True)
class RuleFields:
    """One rule on the form."""

    name: str
    title: str
    about: str
    switch: forms.BoundField
    thresholds: list[forms.BoundField]


class RulesForm(forms.Form):
    """Every rule with its switch and its thresholds; the rules themselves judge the values."""

    def __init__(self, *args: Any, book: RuleBook, **kwargs: Any) -> None:
        """Fields as ``book`` has them."""
        super().__init__(*args, **kwargs)
        for name, rule in book.rules.items():
            self.fields[name] = forms.BooleanField(
                label="In use", required=False, initial=name in book.enabled
            )
            for field in msgspec.structs.fields(rule):
                is_share = field.default is not msgspec.NODEFAULT and isinstance(
                    field.default, float
                )
                kind = forms.FloatField if is_share else forms.IntegerField
                self.fields[f"{name}-{field.name}"] = kind(
                    label=_title(field),
                    initial=getattr(rule, field.name),
                    help_text=_limits(field.type),
                    widget=forms.NumberInput(attrs={"step": "any" if is_share else 1}),
                )

    def rules(self) -> list[RuleFields]:
        """Its fields by rule."""
        return [
            RuleFields(
                name=name,
                title=rule.title,
                about=rule.about,
                switch=self[name],
                thresholds=[self[f"{name}-{field}"] for field in rule.__struct_fields__],
            )
            for name, rule in NAMES.items()
        ]

    def clean(self) -> dict[str, Any]:
        """Each rule takes its thresholds, or says what is wrong with them."""
        given: dict[str, Any] = super().clean() or {}
        for name, rule in NAMES.items():
            for field in msgspec.structs.fields(rule):
                key = f"{name}-{field.name}"
                if key not in given:
                    continue
                try:
                    msgspec.convert(given[key], field.type)
                except msgspec.ValidationError as error:
                    self.add_error(key, f"{error}.")
        return given

    def book(self) -> RuleBook:
        """What the form says; only of a valid form."""
        given: Mapping[str, Any] = self.cleaned_data
        rules = {
            name: make_rule(
                name=name,
                thresholds={field: given[f"{name}-{field}"] for field in rule.__struct_fields__},
            )
            for name, rule in NAMES.items()
        }
        return RuleBook(rules, frozenset(name for name in NAMES if given[name]))


def _title(field: msgspec.structs.FieldInfo) -> str:
    titles = [each.title for each in _metas(field.type) if each.title]
    return titles[0] if titles else field.name.replace("_", " ").capitalize()


def _limits(kind: Any) -> str:
    for meta in _metas(kind):
        if meta.le is not None:
            low = f"More than {meta.gt:,}" if meta.gt is not None else f"At least {meta.ge:,}"
            return f"{low}, at most {meta.le:,}."
    return ""


def _metas(kind: Any) -> tuple[msgspec.Meta, ...]:
    return getattr(kind, "__metadata__", ())
