"""The explorer finds what fits, page by page, and looks only so far for it."""

from datetime import date
from typing import Any

import pytest

from curation.explorer import search
from curation.explorer.filters import FilterForm, SampleFilter, UnknownFilter, filter_from
from curation.explorer.rows import sample_rows
from curation.explorer.search import Search
from curation.labels import Belief, believe
from curation.models import (
    Disagreement,
    Label,
    Project,
    Ranking,
    Sample,
    SampleScore,
    TrainingExclusion,
)
from curation.models.review import Queue
from curation.models.sample import Split
from tests.curation.events import disagree
from tests.curation.reviewing import open_item
from tests.factories import NOW, make_project, make_sample, make_source

pytestmark = pytest.mark.django_db


def label(sample: Sample, value: str = "positive", *, quality: float = 0.9) -> None:
    believe(
        beliefs=[Belief(sample.pk, value, Label.Origin.IMPORT, quality, ["An import said so."])],
        now=NOW,
    )


def score(sample: Sample, margin: float, *, version: str = "v1") -> None:
    Ranking.objects.get_or_create(project=sample.project, defaults={"version": "v1"})
    SampleScore.objects.create(
        project=sample.project,
        sample=sample,
        model_version=version,
        predicted_label="positive",
        confidence=0.5 + margin / 2,
        margin=margin,
        entropy=0.1,
        scored_at=NOW,
    )


def test_the_scores_of_the_version_that_ranks_are_shown_and_others_on_request() -> None:
    project = make_project()
    first, second = make_sample(project), make_sample(project)
    for sample, margin in ((first, 0.1), (second, 0.2)):
        score(sample, margin)
        score(sample, 0.9 - margin, version="v2")
    assert found(project, sort="margin") == [first.pk, second.pk]
    assert found(project, margin_to=0.15) == [first.pk]
    assert found(project, version="v2", margin_to=0.75) == [second.pk]
    Ranking.objects.filter(project=project).update(version="v2")
    assert found(project, sort="margin") == [second.pk, first.pk]
    assert [row.margin for row in sample_rows(ids=[first.pk, second.pk])] == [0.8, 0.7]


def found(project: Project, **asks: Any) -> list[int]:
    return Search(project=project, given=SampleFilter(**asks)).page().ids


@pytest.fixture(params=["small", "large", "large, of common words"])
def project(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project read whole, and one that is read along indexes."""
    if request.param != "small":
        monkeypatch.setattr(search, "SMALL", 0)
    if request.param == "large, of common words":
        monkeypatch.setattr(search, "RARE", -1)
        monkeypatch.setattr(search, "RARE_PHRASE", -1)
    return make_project()


def test_each_filter_keeps_what_fits_and_nothing_else(project: Project) -> None:
    source = make_source(project)
    wanted = disagree(project, "the soup was cold", source_id=source.pk)
    Sample.objects.filter(pk=wanted.pk).update(language="en", length=17)
    label(wanted, "negative", quality=0.61)
    score(wanted, 0.2)
    Disagreement.objects.update_or_create(
        sample=wanted,
        defaults={
            "project": project,
            "kinds": ["user_model"],
            "strength": 0.5,
            "opened_at": NOW,
            "updated_at": NOW,
            "resolved_at": None,
        },
    )
    TrainingExclusion.objects.create(sample=wanted, reason="Odd.", excluded_by="lead", at=NOW)
    other = make_sample(project, text="warm bread", split=None)
    label(other, "positive", quality=0.95)
    score(other, 0.9, version="v2")
    Sample.objects.filter(pk=other.pk).update(
        language="de", length=10, created_at="2026-01-01T00:00Z"
    )
    stranger = make_sample(make_project(), text="the soup was cold")
    label(stranger, "negative", quality=0.61)
    score(stranger, 0.2)
    assert wanted.cluster_id is not None
    for asks in [
        {"q": "soup"},
        {"q": '"was cold"'},
        {"q": "sou* -bread"},
        {"label": "negative"},
        {"label_origin": "import", "quality_to": 0.8},
        {"quality_from": 0.6, "quality_to": 0.61},
        {"split": "train"},
        {"queue": "disputed"},
        {"status": "open"},
        {"disagreement": "user_model"},
        {"thumbs": "yes"},
        {"training": "excluded"},
        {"origin": "feedback"},
        {"source": source.pk},
        {"language": "en"},
        {"length_from": 12},
        {"version": "v1"},
        {"margin_to": 0.5},
        {"since": date(2026, 11, 23), "until": date(2026, 11, 23)},
        {"cluster": wanted.cluster_id},
        {"sample": wanted.pk},
        {"sort": "quality", "label": "negative"},
        {"sort": "margin", "language": "en"},
        {"sort": "strength"},
        {"q": "cold", "label": "negative", "sort": "quality", "thumbs": "yes"},
    ]:
        assert found(project, **asks) == [wanted.pk], asks
    assert found(project, split="none") == found(project, thumbs="no") == [other.pk]
    assert found(project, q="stranger") == []


def test_a_sample_without_a_label_is_found_as_such(project: Project) -> None:
    bare = make_sample(project)
    label(make_sample(project))
    assert found(project, label="none") == [bare.pk]


@pytest.mark.parametrize("sort", ["newest", "quality", "margin"])
def test_pages_show_every_sample_once_and_in_order(project: Project, sort: str) -> None:
    samples = [make_sample(project) for _ in range(7)]
    for place, sample in enumerate(samples):
        # Ties must not lose or repeat a row.
        label(sample, quality=[0.5, 0.7, 0.7][place % 3])
        score(sample, [0.1, 0.1, 0.3][place % 3])
    looked = Search(project=project, given=SampleFilter(sort=sort))
    pages, after = [], ""
    while True:
        page = looked.page(after=after, limit=2)
        pages += page.ids
        if not page.next:
            break
        after = page.next
    key = {
        "newest": lambda s: -s.pk,
        "quality": lambda s: (s.labels.get().quality, s.pk),
        "margin": lambda s: (s.scores.get().margin, s.pk),
    }[sort]
    assert pages == [s.pk for s in sorted(samples, key=key)]


def test_a_broken_place_in_the_address_is_the_first_page(project: Project) -> None:
    sample = make_sample(project)
    looked = Search(project=project, given=SampleFilter())
    for after in ("x", "_", "1_", "9" * 30 + "x_1", "nan_1"):
        assert looked.page(after=after).ids == [sample.pk]


def test_a_page_looks_only_so_far_and_goes_on_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in {"SMALL": 0, "WALK": 3, "SCAN": 3, "TEXTS": 3}.items():
        monkeypatch.setattr(search, name, size)
    project = make_project()
    wanted = make_sample(project, text="soup", split=Split.TEST)
    for _ in range(4):
        make_sample(project)
    for asks in ({"split": "test"}, {"length_to": 9, "split": "test"}):
        Sample.objects.filter(pk=wanted.pk).update(length=4)
        looked = Search(project=project, given=SampleFilter(**asks))
        first = looked.page()
        assert (first.ids, first.looked_at) == ([], 3)
        second = looked.page(after=first.next)
        assert (second.ids, second.next, second.looked_at) == ([wanted.pk], "", None)
        assert str(looked.count()) == "0+"


def test_a_count_stops_at_its_bound(monkeypatch: pytest.MonkeyPatch, project: Project) -> None:
    for _ in range(3):
        make_sample(project)
    looked = Search(project=project, given=SampleFilter())
    assert str(looked.count()) == "3"
    monkeypatch.setattr(search, "COUNTED_TO", 2)
    assert str(looked.count()) == "2+"


def test_a_filter_survives_its_address_and_its_row() -> None:
    project = make_project()
    given = SampleFilter(
        q="cold soup", label="negative", quality_to=0.5, since=date(2026, 1, 2), sort="quality"
    )
    assert filter_from(project=project, given=given.as_json()) == given
    form = FilterForm({"label": "negative", "cluster": ""}, project=project)
    assert form.is_valid()
    assert form.wanted() == SampleFilter(label="negative")


def test_a_kept_filter_that_fits_no_more_is_refused_not_widened() -> None:
    with pytest.raises(UnknownFilter, match="label"):
        filter_from(project=make_project(), given={"label": "gone"})


def test_queue_and_status_are_of_one_item(project: Project) -> None:
    item = open_item(project, queue=Queue.UNCERTAIN)
    assert found(project, queue="uncertain", status="open") == [item.sample_id]
    assert found(project, queue="disputed", status="open") == []
