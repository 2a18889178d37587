"""Home says how the loop is doing, cheaply, to the people it concerns."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from curation.models import Feedback, Landed, Membership, Project, ReviewItem
from curation.models.review import Queue
from feedbackhub.core.clock import utcnow
from feedbackhub.core.ids import uuid7
from feedbackhub.core.models import User
from feedbackhub.core.roles import Role
from tests.factories import (
    make_member,
    make_project,
    make_rollout,
    make_sample,
    make_user,
    make_version,
)
from training.models import ModelVersion

pytestmark = pytest.mark.django_db


def press(project: Project, rating: str) -> None:
    now = utcnow()
    Feedback.objects.create(
        id=uuid7(now),
        project_id=project.pk,
        source_id=1,
        event_id=str(uuid7(now)),
        rating=rating,
        received_at=now,
    )


def wait_for_review(project: Project, queue: str) -> None:
    ReviewItem.objects.create(
        project=project, sample=make_sample(project), queue=queue, created_at=utcnow()
    )


def page_of(client: Client, user: User) -> str:
    client.force_login(user)
    return client.get("/").content.decode()


def test_strangers_are_sent_to_sign_in(client: Client) -> None:
    response = client.get("/")
    assert response.status_code == 302
    assert response["Location"] == "/admin/login/?next=/"


def test_the_loop_is_a_sentence_before_it_is_numbers(client: Client) -> None:
    project = make_project()
    champion = make_version(project)
    make_rollout(make_version(project, status=ModelVersion.Status.BLESSED), champion)
    for rating in ("up", "up", "down"):
        press(project, rating)
    wait_for_review(project, Queue.DISPUTED)
    page = page_of(client, make_member(project, Role.LEAD))
    said = "v1 serves. 3 thumbs today, 1 of them down; 1 sample waits for review."
    assert f"{said} v2 is being tried against it." in page
    assert "33 % down (self-selected)" in page
    assert "1 disputed" in page


def test_a_project_without_feedback_shows_how_to_start(client: Client) -> None:
    project = make_project()
    page = page_of(client, make_member(project))
    assert "Nothing serves yet." in page
    assert f"http://testserver/api/v1/projects/{project.slug}/predictions" in page


def test_an_annotator_is_led_to_the_queue_and_not_to_the_rollout(client: Client) -> None:
    project = make_project()
    champion = make_version(project)
    make_rollout(make_version(project, status=ModelVersion.Status.BLESSED), champion)
    wait_for_review(project, Queue.UNCERTAIN)
    page = page_of(client, make_member(project, Role.ANNOTATOR))
    assert "Review 1 sample" in page
    assert "See how v2 does" not in page


def test_undigested_events_make_the_page_say_that_it_lags(client: Client) -> None:
    project = make_project()
    old = utcnow() - timedelta(minutes=10)
    Landed.objects.create(
        id=uuid7(old), project_id=project.pk, kind=Landed.Kind.FEEDBACK, received_at=old
    )
    page = page_of(client, make_member(project))
    assert "10\xa0minutes old" in page
    assert "Check that the workers run." in page


def test_nobody_sees_a_project_that_is_not_theirs(client: Client) -> None:
    make_project(slug="secret-project")
    page = page_of(client, make_user())
    assert "Secret-Project" not in page
    assert "You are not a member of any project" in page


def test_another_project_costs_a_fixed_number_of_queries(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    user = make_member(make_project())
    client.force_login(user)
    client.get("/")  # Makes the missing policies.
    with django_assert_num_queries(16):
        client.get("/")
    Membership.objects.create(project=make_project(), user=user, role=Role.ANNOTATOR)
    client.get("/")
    with django_assert_num_queries(22):
        client.get("/")
