"""The pages of the explorer: who may open them, what they show, and what looking costs."""

import pytest
from django.test import Client

from curation.models import Exposure, Project, SavedView
from curation.models.review import Queue
from feedbackhub.core.roles import Role
from tests.curation.events import digest_all, sample_of, subject, thumb
from tests.curation.reviewing import answer, claimed, open_item
from tests.factories import (
    NOW,
    make_member,
    make_prediction,
    make_project,
    make_sample,
    make_user,
    make_version,
)
from training import snapshots

pytestmark = pytest.mark.django_db


def address(project: Project, rest: str = "") -> str:
    return f"/samples/{project.slug}/{rest}"


def test_only_those_who_curate_may_look(client: Client) -> None:
    project = make_project()
    sample = make_sample(project)
    for rest in ("", f"{sample.pk}/"):
        client.logout()
        assert client.get(address(project, rest)).status_code == 302
        client.force_login(make_user())
        assert client.get(address(project, rest)).status_code == 404
        for role in (Role.ANNOTATOR, Role.SENIOR):
            client.force_login(make_member(project, role))
            assert client.get(address(project, rest)).status_code == 403
        client.force_login(make_member(project, Role.LEAD))
        assert client.get(address(project, rest)).status_code == 200
        assert client.post(address(project, rest)).status_code == 405


def test_a_sample_of_another_project_is_not_found(client: Client) -> None:
    project, other = make_project(), make_project()
    sample = make_sample(other)
    client.force_login(make_member(project, Role.LEAD))
    assert client.get(address(project, f"{sample.pk}/")).status_code == 404
    assert client.get(address(project, f"{2**63}/")).status_code == 404


@pytest.mark.parametrize("rest", ["", "{sample}/"])
def test_who_has_looked_is_not_asked_blind(client: Client, rest: str) -> None:
    project = make_project()
    item = open_item(project, queue=Queue.UNCERTAIN)
    lead = make_member(project, Role.LEAD)
    client.force_login(lead)
    client.get(address(project, rest.format(sample=item.sample_id)))
    assert Exposure.objects.filter(user=lead, sample=item.sample_id).exists()
    assert claimed(project, lead) == []
    assert claimed(project, make_member(project)) == [item.pk]


def test_the_list_says_how_many_and_keeps_its_filters(client: Client) -> None:
    project = make_project()
    for number in range(52):
        make_sample(project, text=f"soup {number}")
    client.force_login(make_member(project, Role.LEAD))
    page = client.get(address(project), {"q": "soup"}).content.decode()
    assert "52 samples fit the filters." in page
    assert "q=soup&amp;after=" in page
    wrong = client.get(address(project), {"label": "gone"})
    assert wrong.status_code == 422
    assert "Select a valid choice" in wrong.content.decode()


def test_the_list_asks_a_fixed_number_of_times(
    client: Client, django_assert_max_num_queries: object
) -> None:
    project = make_project()
    for _ in range(30):
        make_sample(project)
    client.force_login(make_member(project, Role.LEAD))
    with django_assert_max_num_queries(16):  # type: ignore[operator] # a fixture that is a function
        client.get(address(project), {"label": "none", "thumbs": "no"})


def test_a_view_is_kept_by_name_changed_and_forgotten(client: Client) -> None:
    project = make_project()
    views = address(project, "views/")
    client.force_login(make_member(project))
    assert client.post(f"{views}?label=negative", {"name": "Bad"}).status_code == 403
    client.force_login(make_member(project, Role.LEAD))
    for query, name in (("label=gone", "Gone"), ("", "All"), ("label=negative", " ")):
        client.post(f"{views}?{query}", {"name": name})
    assert not SavedView.objects.exists()
    client.post(f"{views}?label=positive&x=1", {"name": "Bad"})
    kept = client.post(f"{views}?label=negative&sort=quality", {"name": "Bad"}, follow=True)
    view = SavedView.objects.get()
    assert (view.name, view.query) == ("Bad", "label=negative&sort=quality")
    assert 'href="?label=negative&amp;sort=quality" aria-current="true"' in kept.content.decode()
    client.post(f"{views}?label=negative", {"name": "Bad", "forget": "1"})
    assert not SavedView.objects.exists()


def test_an_empty_project_says_what_to_do(client: Client) -> None:
    project = make_project()
    client.force_login(make_member(project, Role.LEAD))
    assert "There are no samples yet" in client.get(address(project)).content.decode()
    assert "No sample fits" in client.get(address(project), {"q": "x"}).content.decode()


def test_a_sample_tells_its_whole_life(client: Client) -> None:
    project = make_project()
    served = make_prediction(project, text="the soup was cold", label="positive")
    for name in ("ann", "bob"):
        thumb(served, "down", subject=subject(name), corrected="negative")
    thumb(served, "up", subject=subject("ann"))
    digest_all()
    sample = sample_of(served)
    annotator = make_member(project)
    answer(project, annotator, sample.review_items.get(), "negative", note="Clearly cold.")
    version = make_version(project)
    version.run.snapshot = snapshots.freeze(project=project, min_quality=0.6, now=NOW)
    version.run.save()
    client.force_login(make_member(project, Role.LEAD))
    page = " ".join(client.get(address(project, f"{sample.pk}/")).content.decode().split())
    for said in (
        "the soup was cold",
        "Believed to be negative by annotators",
        f"It taught {version.name}.",
        "Clearly cold.",
        annotator.username,
        "blind, disputed queue, guidelines v1",
        "superseded",
        "Classified 1 time: v1 said positive.",
        "<strong>train</strong>: models may learn from it.",
        "alone in it",
    ):
        assert said in page, said


def test_an_erased_sample_is_shown_as_such(client: Client) -> None:
    project = make_project()
    sample = make_sample(project)
    type(sample).objects.filter(pk=sample.pk).update(text=None)
    client.force_login(make_member(project, Role.LEAD))
    assert "Its text was erased" in client.get(address(project, f"{sample.pk}/")).content.decode()
    assert "(erased)" in client.get(address(project)).content.decode()
