"""Guidelines: versions that are published, never edited, and followed."""

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client

from curation.models import Annotation, Guideline, Project
from curation.review.guideline_versions import (
    GuidelineRefused,
    changed_lines,
    publish_guideline,
    versions,
)
from feedbackhub.core.roles import Role
from tests.curation.reviewing import answer, open_item
from tests.factories import NOW, make_member, make_project

pytestmark = pytest.mark.django_db
ADDRESS = "/review/reviews/guidelines/"


@pytest.fixture
def project() -> Project:
    return make_project(slug="reviews")


def publish(project: Project, text: str, *, follows: int, role: Role = Role.LEAD) -> Guideline:
    user = make_member(project, role)
    return publish_guideline(project=project, text=text, follows=follows, user=user, now=NOW)


def test_a_new_version_follows_the_old_one_which_stays(project: Project) -> None:
    made = publish(project, "Judge the last word.", follows=1)
    assert (made.number, made.text) == (2, "Judge the last word.")
    assert [each.guideline.number for each in versions(project=project)] == [2, 1]


def test_answers_name_the_version_they_were_given_under(project: Project) -> None:
    annotator = make_member(project)
    answer(project, annotator, open_item(project))
    publish(project, "Judge the last word.", follows=1)
    answer(project, annotator, open_item(project))
    given = Annotation.objects.order_by("id").values_list("guideline__number", flat=True)
    assert list(given) == [1, 2]


def test_a_version_that_came_in_between_is_not_buried(project: Project) -> None:
    publish(project, "Theirs.", follows=1)
    with pytest.raises(GuidelineRefused, match="another version meanwhile"):
        publish(project, "Mine.", follows=1)


@pytest.mark.parametrize("text", ["Judge the whole.", "  Judge the whole.  \n", "", " \n"])
def test_the_same_or_nothing_is_no_new_version(project: Project, text: str) -> None:
    with pytest.raises(GuidelineRefused, match="Nothing has changed"):
        publish(project, text, follows=1)


@pytest.mark.parametrize("role", [Role.ANNOTATOR, Role.SENIOR])
def test_those_who_follow_guidelines_do_not_write_them(
    client: Client, project: Project, role: Role
) -> None:
    with pytest.raises(PermissionDenied):
        publish(project, "Anything goes.", follows=1, role=role)
    client.force_login(make_member(project, role))
    page = client.get(ADDRESS)
    assert page.status_code == 200
    assert "Publish version" not in page.content.decode()
    sent = client.post(ADDRESS, {"text": "x", "follows": 1, "action": "publish"})
    assert sent.status_code == 403


def test_a_preview_publishes_nothing_and_bites_nobody(client: Client, project: Project) -> None:
    client.force_login(make_member(project, Role.LEAD))
    body = {"text": "**New** <script>alert(1)</script>", "follows": 1, "action": "preview"}
    page = client.post(ADDRESS, body).content.decode()
    assert "<strong>New</strong> &lt;script&gt;" in page
    assert "How version 2 will read" in page
    assert project.guidelines.count() == 1


def test_a_stale_form_keeps_its_text_and_may_be_sent_again(
    client: Client, project: Project
) -> None:
    publish(project, "Theirs.", follows=1)
    client.force_login(make_member(project, Role.LEAD))
    body = {"text": "Mine.", "follows": 1, "action": "publish"}
    refused = client.post(ADDRESS, body)
    assert refused.status_code == 409
    assert 'name="follows" value="2"' in refused.content.decode()
    assert client.post(ADDRESS, {**body, "follows": 2}).status_code == 302
    assert project.guidelines.get(number=3).text == "Mine."


def test_a_comparison_shows_what_changed_and_leaves_out_what_did_not() -> None:
    before = "\n".join(["rules", *(f"line {n}" for n in range(9)), "end"])
    lines = changed_lines(before, before.replace("rules", "new rules").replace("end", "the end"))
    assert [(line.kind, line.text) for line in lines] == [
        ("gone", "rules"),
        ("new", "new rules"),
        ("same", "line 0"),
        ("apart", "…"),
        ("same", "line 8"),
        ("gone", "end"),
        ("new", "the end"),
    ]


def test_history_says_what_each_version_changed(client: Client, project: Project) -> None:
    publish(project, "Judge the last word.", follows=1)
    client.force_login(make_member(project))
    page = client.get(ADDRESS).content.decode()
    assert "<del>Judge the whole.</del><ins>Judge the last word.</ins>" in page
    assert "What version 1 changed" not in page
