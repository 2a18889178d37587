"""Which samples someone wants to see: the form, its value, and its address.

A filter lives in the query string, so that a view can be kept, sent and saved as a link.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django import forms
from django.utils.http import urlencode

from curation.models import Label, Project, ReviewItem, Sample
from curation.models.disagreement import DisagreementKind
from curation.models.review import Queue
from curation.models.sample import Split

NONE = "none"
BIGGEST = 2**63 - 1
Choices = list[tuple[str, str]]
SORTS = {
    "newest": "Newest first",
    "quality": "Lowest label quality first",
    "margin": "Least sure first",
    "strength": "Strongest disagreement first",
}


@dataclass(frozen=True, kw_only=True)
class SampleFilter:
    """What a sample must be like to be shown; the empty value of each field asks for nothing."""

    q: str = ""
    """Words of the text; see :mod:`curation.explorer.words`."""
    label: str = ""
    """The current label, or ``none``."""
    label_origin: str = ""
    quality_from: float | None = None
    quality_to: float | None = None
    split: str = ""
    """A split, or ``none``: of samples that belong to none."""
    queue: str = ""
    status: str = ""
    """Of a review item, in ``queue`` if that is named."""
    disagreement: str = ""
    """A kind of open disagreement."""
    thumbs: str = ""
    """``yes`` or ``no``: whether a counted thumb speaks of it."""
    training: str = ""
    """``excluded``: by a lead, from training."""
    origin: str = ""
    source: int | None = None
    """A source that sent the text or a thumb on it."""
    language: str = ""
    length_from: int | None = None
    length_to: int | None = None
    version: str = ""
    """Scored by this model version."""
    margin_from: float | None = None
    margin_to: float | None = None
    since: date | None = None
    until: date | None = None
    """Both days count, in UTC."""
    cluster: int | None = None
    sample: int | None = None
    sort: str = "newest"

    @property
    def asks(self) -> dict[str, Any]:
        """What it asks for, by field, without the order."""
        return {
            name: value
            for name, value in asdict(self).items()
            if name != "sort" and value not in ("", None)
        }

    def query_string(self, **more: str) -> str:
        """It as an address; ``more`` goes in beside it, and in its place."""
        return urlencode({**self.as_json(), **more})

    def as_json(self) -> dict[str, Any]:
        """It as text, by field, to be kept in a row and read by :func:`filter_from`.

        The order belongs to it: in that of margins only samples with a margin are shown.
        """
        asked = {name: _written(value) for name, value in self.asks.items()}
        return asked if self.sort == "newest" else {**asked, "sort": self.sort}


def _written(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _number(label: str, *, most: int = BIGGEST) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, min_value=0, max_value=most)


def _share(label: str) -> forms.FloatField:
    widget = forms.NumberInput(attrs={"step": "0.01"})
    return forms.FloatField(label=label, required=False, min_value=0, max_value=1, widget=widget)


def _choice(label: str, choices: Choices, *, any_word: str = "Any") -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, choices=[("", any_word), *choices])


def _day(label: str) -> forms.DateField:
    return forms.DateField(
        label=label, required=False, widget=forms.DateInput(attrs={"type": "date"})
    )


class FilterForm(forms.Form):
    """The filters of one project as people set them."""

    q = forms.CharField(
        label="Words in the text",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
        help_text="Whole words. gre* finds beginnings, “two words” a phrase, -word leaves out.",
    )

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        """Choices as ``project`` has them."""
        super().__init__(*args, **kwargs)
        labels = [(name, name) for name in project.label_names()]
        sources = [(str(pk), name) for pk, name in project.sources.values_list("pk", "name")]
        given: dict[str, forms.Field] = {
            "label": _choice("Label", [*labels, (NONE, "No label yet")]),
            "label_origin": _choice("Label rests on", _titled(Label.Origin)),
            "split": _choice("Split", [*_titled(Split), (NONE, "In no split")]),
            "queue": _choice("Review queue", list(Queue.choices)),
            "status": _choice("Review", _titled(ReviewItem.Status)),
            "disagreement": _choice("Disagreement", list(DisagreementKind.choices)),
            "thumbs": _choice("Thumbs", [("yes", "Has thumbs"), ("no", "Has none")]),
            "training": _choice("Training", [("excluded", "Excluded by a lead")]),
            "quality_from": _share("Label quality from"),
            "quality_to": _share("Label quality to"),
            "origin": _choice("Came as", _titled(Sample.Origin)),
            "source": _choice("Sent by", sources),
            "language": forms.SlugField(
                label="Language", required=False, max_length=8, help_text="ISO 639, such as en."
            ),
            "version": forms.CharField(label="Scored by", required=False, max_length=60),
            "margin_from": _share("Margin from"),
            "margin_to": _share("Margin to"),
            "length_from": _number("Characters from", most=10**6),
            "length_to": _number("Characters to", most=10**6),
            "since": _day("Since"),
            "until": _day("Until"),
            "cluster": _number("Cluster"),
            "sample": _number("Sample"),
            "sort": _choice("Order", list(SORTS.items())[1:], any_word=SORTS["newest"]),
        }
        self.fields.update(given)

    def wanted(self) -> SampleFilter:
        """What the form asks for; a field that does not fit asks for nothing."""
        given = {
            name: value for name, value in self.cleaned_data.items() if value not in ("", None)
        }
        if "source" in given:
            given["source"] = int(given["source"])
        return SampleFilter(**given)


def _titled(choices: Any) -> Choices:
    return [(value, str(label).capitalize()) for value, label in choices.choices]


class UnknownFilter(Exception):
    """A kept filter asks for something the project does not have (any more)."""


def filter_from(*, project: Project, given: Mapping[str, Any]) -> SampleFilter:
    """The filter that :meth:`SampleFilter.as_json` wrote down.

    Raises :class:`UnknownFilter` rather than leave a part out: it would match more than was meant.
    """
    form = FilterForm(data=given, project=project)
    if not form.is_valid():
        raise UnknownFilter(f"These filters do not fit any more: {', '.join(form.errors)}.")
    return form.wanted()
