"""The page that plays the frontend: through the real services, without JavaScript too."""

import re

import pytest
from django.test import Client

from curation.models import Feedback, Prediction, Project
from feedbackhub import try_it
from feedbackhub.core.roles import Role
from rollout.serving import plan
from tests.factories import make_member, make_project, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_plans() -> None:
    plan.forget()


@pytest.fixture
def demo() -> Project:
    project = make_project(slug="reviews")
    Project.objects.filter(pk=project.pk).update(is_demo=True)
    make_version(project)
    return project


def ask(client: Client, text: str = "great food") -> str:
    return client.post("/try/reviews/", {"text": text}).content.decode()


def hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(token|press)" value="([^"]+)"', page))


def test_an_answer_is_a_recorded_prediction(client: Client, demo: Project) -> None:
    page = ask(client)
    prediction = Prediction.objects.get(project_id=demo.pk)
    assert "<strong>positive</strong>" in page
    assert (prediction.text, prediction.label) == ("great food", "positive")
    assert prediction.subject_hash is not None


def test_a_thumb_lands_once_however_often_it_is_sent(client: Client, demo: Project) -> None:
    form = hidden(ask(client))
    for _ in range(2):
        page = client.post("/try/reviews/rate/", {**form, "rating": "up"}).content.decode()
        assert "Saved." in page
    feedback = Feedback.objects.get(project_id=demo.pk)
    prediction = Prediction.objects.get(project_id=demo.pk)
    assert feedback.prediction_id == prediction.pk
    assert feedback.rating == "up"
    assert bytes(feedback.subject_hash or b"") == bytes(prediction.subject_hash or b"")


def test_a_correction_follows_a_thumb_down(client: Client, demo: Project) -> None:
    form = hidden(ask(client))
    asked = client.post("/try/reviews/rate/", {**form, "rating": "down"}).content.decode()
    assert "What should it be?" in asked
    again = {**hidden(asked), "rating": "down", "label": "negative"}
    assert "You said it is negative." in client.post("/try/reviews/rate/", again).content.decode()
    assert list(Feedback.objects.order_by("id").values_list("corrected_label", flat=True)) == [
        "",
        "negative",
    ]


def test_nobody_rates_an_answer_they_were_not_shown(client: Client, demo: Project) -> None:
    form = hidden(ask(client))
    forged = {**form, "token": form["token"][:-2] + "xx", "rating": "up"}
    response = client.post("/try/reviews/rate/", forged)
    assert response.status_code == 400
    assert not Feedback.objects.exists()


def test_typed_text_comes_back_as_text(client: Client, demo: Project) -> None:
    page = ask(client, "<script>alert(1)</script> great food")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_nothing_typed_is_said_and_not_recorded(client: Client, demo: Project) -> None:
    response = client.post("/try/reviews/", {"text": "  "})
    assert response.status_code == 400
    assert "Type something first" in response.content.decode()
    assert not Prediction.objects.exists()


def test_without_a_champion_the_page_says_so(client: Client) -> None:
    project = make_project(slug="reviews")
    Project.objects.filter(pk=project.pk).update(is_demo=True)
    assert "No model serves here yet" in client.get("/try/reviews/").content.decode()
    assert client.post("/try/reviews/", {"text": "great food"}).status_code == 503


def test_only_members_try_what_is_no_demo(client: Client) -> None:
    project = make_project(slug="reviews")
    assert client.get("/try/reviews/").status_code == 404
    client.force_login(make_member(project, Role.ANNOTATOR))
    assert client.get("/try/reviews/").status_code == 200


def test_many_questions_at_once_are_slowed_down(
    client: Client, demo: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(try_it, "PER_SECOND", 0)
    response = client.post("/try/reviews/", {"text": "great food"})
    assert response.status_code == 429
    assert "Try again in" in response.content.decode()
    assert "great food" in response.content.decode()
