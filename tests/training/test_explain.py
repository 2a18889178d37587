"""Why a version answered as it did is told to those who have answered, and to nobody before."""

import pytest
from django.test import Client
from django.urls import reverse

from curation.models import Project, ReviewItem
from feedbackhub.core.keys import Scope
from feedbackhub.core.models import User
from tests import factories
from tests.curation.reviewing import answer, open_item, pass_on
from tests.factories import api_client, make_key, make_member, make_prediction

pytestmark = pytest.mark.django_db
TEXT = "great food but rude staff"


@pytest.fixture
def project() -> Project:
    return factories.make_project()


@pytest.fixture
def user(project: Project) -> User:
    return make_member(project)


@pytest.fixture
def item(project: Project) -> ReviewItem:
    factories.make_version(project)
    return open_item(project, text=TEXT, predicted="negative")


def words_of(client: Client, item: ReviewItem) -> tuple[int, dict[str, object]]:
    response = client.get(
        reverse("explain", kwargs={"project": item.project.slug, "item": item.pk})
    )
    return response.status_code, response.json()


def test_the_words_come_after_the_answer_and_not_before(
    client: Client, project: Project, user: User, item: ReviewItem
) -> None:
    client.force_login(user)
    status, said = words_of(client, item)
    assert (status, said["detail"]) == (403, "Answer first; then you see what moved the model.")
    assert TEXT not in str(said)
    answer(project, user, item)
    status, said = words_of(client, item)
    assert (status, said["label"], said["model_version"]) == (200, "negative", "v1")
    weights = {each["word"]: each["weight"] for each in said["words"]}  # type: ignore[attr-defined]
    assert weights["rude"] > 0 > weights["great"]


def test_a_skip_and_a_colleagues_answer_reveal_nothing(
    client: Client, project: Project, user: User, item: ReviewItem
) -> None:
    pass_on(project, user, item)
    answer(project, make_member(project), item)
    client.force_login(user)
    assert words_of(client, item)[0] == 403


def test_a_stranger_and_someone_signed_out_learn_nothing(client: Client, item: ReviewItem) -> None:
    assert words_of(client, item)[0] == 401
    client.force_login(make_member(factories.make_project()))
    assert words_of(client, item)[0] == 404


def test_the_live_version_explains_what_another_system_answered(
    client: Client, project: Project, user: User
) -> None:
    factories.make_version(project, status="superseded", flipped=True)
    factories.make_version(project)
    served = make_prediction(project, text=TEXT, label="positive", model_version="v1")
    elsewhere = make_prediction(
        project, text=TEXT, label="positive", model_version="v1", is_external=True
    )
    client.force_login(user)
    said = []
    for prediction in (served, elsewhere):
        item = open_item(project, prediction_id=prediction.pk)
        answer(project, user, item)
        said.append(words_of(client, item)[1]["model_version"])
    assert said == ["v1", "v2"]


def test_without_a_model_or_a_text_there_is_nothing_to_explain(
    client: Client, project: Project, user: User
) -> None:
    item = open_item(project, text=TEXT)
    answer(project, user, item)
    client.force_login(user)
    assert words_of(client, item) == (404, words_of(client, item)[1])
    factories.make_version(project)
    assert words_of(client, item)[0] == 200
    item.sample.text = None
    item.sample.save()
    assert words_of(client, item)[0] == 404


def test_a_key_asks_for_an_annotator_under_the_same_rule(
    project: Project, user: User, item: ReviewItem
) -> None:
    address = f"/api/v1/projects/{project.slug}/review/{item.pk}/words"
    client = api_client(make_key(project, Scope.REVIEW))
    assert client.get(address).status_code == 400
    assert client.get(address, {"annotator": user.username}).status_code == 403
    answer(project, user, item)
    assert client.get(address, {"annotator": user.username}).json()["label"] == "negative"
    assert api_client(make_key(project, Scope.PREDICT)).get(address).status_code == 403
