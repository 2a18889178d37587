"""The training filter: what each threshold lets through, and setting one."""

import pytest
from django.test import Client
from django.urls import reverse

from curation import queries
from curation.models import CurationPolicy, Project
from curation.models.sample import Split
from curation.training_filter.preview import (
    NotAThreshold,
    changes,
    preview,
    set_threshold,
    threshold_of,
)
from feedbackhub.core.models import User
from feedbackhub.core.roles import Role
from feedbackhub.core.transitions import StaleTransition
from tests.factories import NOW, make_member, make_project
from tests.training.scenes import label_texts

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    """Six trainable labels of different qualities, and one of the test split."""
    project = make_project()
    label_texts(project, [("a", "positive"), ("b", "negative")], quality=0.9)
    label_texts(project, [("c", "positive")], origin="annotation", quality=0.95)
    label_texts(project, [("d", "positive"), ("e", "negative")], origin="feedback", quality=0.7)
    label_texts(project, [("f", "negative")], origin="feedback", quality=0.5)
    label_texts(project, [("g", "negative")], split=Split.TEST, quality=0.9)
    return project


def url(project: Project) -> str:
    return reverse("quality-filter", kwargs={"project": project.slug})


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_preview_counts_what_training_would_read(project: Project) -> None:
    shown = preview(project=project)
    assert shown.total == 6
    for threshold in (0.0, 0.5, 0.51, 0.6, 0.7, 0.71, 0.9, 0.95, 0.96, 1.0):
        kept = shown.at(threshold)
        trained_on = queries.training_labels(project=project, min_quality=threshold)
        assert kept.n == len(trained_on), threshold
        assert kept.by_value == tuple(
            sum(label.value == value for label in trained_on) for value in shown.values
        )
        assert kept.by_origin == tuple(
            sum(label.origin == origin for label in trained_on) for origin in shown.origins
        )


def test_a_threshold_is_set_with_a_reason_and_written_down(project: Project) -> None:
    set_threshold(
        project=project, threshold=0.8, expected=0.6, actor="lea", reason="Noisy thumbs.", now=NOW
    )
    assert threshold_of(project=project) == 0.8
    (change,) = changes(project=project)
    assert (change.from_status, change.to_status) == ("0.60", "0.80")
    assert (change.actor, change.reason) == ("lea", "Noisy thumbs.")


def test_a_threshold_that_moved_meanwhile_is_not_set(project: Project) -> None:
    CurationPolicy.objects.filter(project=project).update(min_label_quality=0.7)
    with pytest.raises(StaleTransition, match=r"0\.70 by now"):
        set_threshold(
            project=project, threshold=0.8, expected=0.6, actor="lea", reason="So.", now=NOW
        )
    assert threshold_of(project=project) == 0.7
    assert changes(project=project) == []


@pytest.mark.parametrize(("threshold", "reason"), [(1.2, "So."), (-0.1, "So."), (0.8, "  ")])
def test_nonsense_is_refused(project: Project, threshold: float, reason: str) -> None:
    with pytest.raises(NotAThreshold):
        set_threshold(
            project=project, threshold=threshold, expected=0.6, actor="lea", reason=reason, now=NOW
        )


def test_the_page_previews_and_sets(project: Project) -> None:
    client = signed_in(make_member(project, Role.LEAD))
    page = client.get(url(project), {"threshold": "0.8"}).content.decode()
    assert "5 of 6 labels are good enough" in page
    assert "at 0.80 it would be 3, 2 fewer" in page
    assert threshold_of(project=project) == 0.6

    given = {"threshold": "0.80", "expected": "0.6", "reason": "Noisy thumbs."}
    assert client.post(url(project), given, follow=True).status_code == 200
    assert threshold_of(project=project) == 0.8
    assert client.post(url(project), given).status_code == 409
    assert client.post(url(project), {**given, "threshold": "much"}).status_code == 400
    assert client.post(url(project), {**given, "expected": "0.8", "reason": ""}).status_code == 400


def test_the_chart_has_a_curve_an_origin_and_both_thresholds(project: Project) -> None:
    client = signed_in(make_member(project, Role.LEAD))
    live = reverse("quality-filter-live", kwargs={"project": project.slug, "percent": 80})
    figure = client.get(live).json()["figures"]["kept"]
    assert [curve["name"] for curve in figure["data"]] == ["imports", "thumbs", "annotators"]
    assert [line["x0"] for line in figure["layout"]["shapes"]] == [0.6, 0.8]


@pytest.mark.parametrize("role", [Role.ANNOTATOR, Role.SENIOR])
def test_annotators_see_and_set_nothing(project: Project, role: Role) -> None:
    client = signed_in(make_member(project, role))
    assert client.get(url(project)).status_code == 403
    assert client.post(url(project), {"threshold": "0.8"}).status_code == 403
    stranger = signed_in(make_member(make_project()))
    assert stranger.get(url(project)).status_code == 404


def test_an_empty_project_says_what_will_be_here() -> None:
    project = make_project()
    page = signed_in(make_member(project, Role.LEAD)).get(url(project)).content.decode()
    assert "Nothing to filter yet" in page
