"""The admin of curation: roles decide, lists stay cheap, keys are shown once."""

import re

import pytest
from django.db import connection
from django.forms import modelform_factory
from django.test import Client
from django.test.utils import CaptureQueriesContext

from curation.label_forms import LabelOptionForm
from curation.models import CurationPolicy, Guideline, LabelOption, Project, ReviewItem, SourceKey
from curation.models.review import Queue
from feedbackhub.core.models import User
from feedbackhub.core.roles import Role
from tests.factories import (
    NOW,
    make_key,
    make_member,
    make_prediction,
    make_project,
    make_sample,
    make_source,
    make_user,
)

pytestmark = pytest.mark.django_db
LISTS = ("project", "source", "sample", "reviewitem", "prediction", "feedback", "rejectedevent")


def test_a_lead_sees_only_projects_they_configure(client: Client) -> None:
    mine, other = make_project(slug="mine"), make_project(slug="theirs")
    make_sample(mine, text="a text of mine")
    make_sample(other, text="a text of theirs")
    client.force_login(make_member(mine, Role.LEAD))
    page = client.get("/admin/curation/sample/").content.decode()
    assert "a text of mine" in page
    assert "a text of theirs" not in page
    assert client.get(f"/admin/curation/project/{other.pk}/change/").status_code == 302


def test_an_annotator_has_no_business_in_the_admin(client: Client) -> None:
    client.force_login(make_member(make_project(), Role.ANNOTATOR))
    for model in LISTS:
        assert client.get(f"/admin/curation/{model}/").status_code == 403


def test_people_without_staff_rights_can_still_sign_in(client: Client) -> None:
    user = make_user()
    User.objects.filter(pk=user.pk).update(is_staff=False)
    form = {"username": user.username, "password": "correct horse battery staple", "next": "/"}
    response = client.post("/admin/login/", form)
    assert (response.status_code, response["Location"]) == (302, "/")


@pytest.mark.parametrize("model", LISTS)
def test_a_list_asks_as_much_for_many_rows_as_for_one(client: Client, model: str) -> None:
    client.force_login(make_user(is_superuser=True))

    def fill(n: int) -> None:
        for _ in range(n):
            project = make_project()
            make_source(project)
            make_prediction(project)
            sample = make_sample(project)
            ReviewItem.objects.create(
                project=project, sample=sample, queue=Queue.AUDIT, created_at=NOW
            )

    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/admin/curation/{model}/").status_code == 200
        return len(captured)

    fill(1)
    few = count()
    fill(4)
    assert count() == few


def test_a_text_is_found_by_its_content(client: Client) -> None:
    project = make_project()
    make_sample(project, text="The soup was cold")
    make_sample(project, text="Never again")
    client.force_login(make_user(is_superuser=True))
    page = client.get("/admin/curation/sample/", {"q": "the soup was cold"}).content.decode()
    assert "The soup was cold" in page
    assert "Never again" not in page


def test_events_cannot_be_changed_by_hand(client: Client) -> None:
    prediction = make_prediction(make_project())
    client.force_login(make_user(is_superuser=True))
    address = f"/admin/curation/prediction/{prediction.pk}/change/"
    assert client.get(address).status_code == 200
    assert client.post(address, {"label": "other"}).status_code == 403


def test_a_key_is_shown_once_and_works_until_revoked(client: Client) -> None:
    source = make_source(make_project())
    client.force_login(make_member(source.project, Role.LEAD))
    page = client.post(
        f"/admin/curation/source/{source.pk}/key/", {"scopes": ["feedback"]}
    ).content.decode()
    [plain] = re.findall(r"<pre[^>]*><code>([^<]+)</code></pre>", page)
    key = SourceKey.objects.get(source=source)
    assert SourceKey.objects.is_valid(plain)
    assert key.scopes == ["feedback"]
    assert plain not in client.get(f"/admin/curation/source/{source.pk}/change/").content.decode()
    _revoke(client, key)
    assert not SourceKey.objects.is_valid(plain)


def _revoke(client: Client, key: SourceKey) -> None:
    source = key.source
    form = {
        "project": source.project_id,
        "name": source.name,
        "is_active": "on",
        "keys-TOTAL_FORMS": 1,
        "keys-INITIAL_FORMS": 1,
        "keys-0-id": key.pk,
        "keys-0-source": source.pk,
        "keys-0-revoked": "on",
    }
    response = client.post(f"/admin/curation/source/{source.pk}/change/", form)
    assert response.status_code == 302, response.context["errors"]


def test_keys_are_made_only_for_projects_one_configures(client: Client) -> None:
    source = make_source(make_project())
    client.force_login(make_member(make_project(), Role.LEAD))
    address = f"/admin/curation/source/{source.pk}/key/"
    assert client.post(address, {"scopes": ["manage"]}).status_code == 403
    assert not SourceKey.objects.exists()


def test_guidelines_are_followed_by_a_new_version_never_edited(client: Client) -> None:
    project = make_project()
    user = make_member(project, Role.LEAD)
    client.force_login(user)
    policy = CurationPolicy.objects.get(project=project)
    page = client.get(f"/admin/curation/project/{project.pk}/change/")
    form = _form_of(page.context) | {
        "guidelines-TOTAL_FORMS": 1,
        "guidelines-INITIAL_FORMS": 0,
        "guidelines-0-text": "Judge the food alone.",
        "guidelines-0-project": project.pk,
    }
    response = client.post(f"/admin/curation/project/{project.pk}/change/", form)
    assert response.status_code == 302, response.context["errors"]
    newest = Guideline.objects.filter(project=project).first()
    assert newest is not None
    assert (newest.number, newest.text) == (2, "Judge the food alone.")
    assert newest.created_by == user
    assert Guideline.objects.get(project=project, number=1).text == "Judge the whole."
    assert CurationPolicy.objects.get(project=project) == policy


def _form_of(context: object) -> dict[str, object]:
    """What the change form would send back unchanged."""
    data: dict[str, object] = {}
    forms = [context["adminform"].form]  # type: ignore[index] # a template context
    for wrapped in context["inline_admin_formsets"]:  # type: ignore[index] # a template context
        forms += [wrapped.formset.management_form, *wrapped.formset.forms]
    for form in forms:
        for field in form:
            value = field.value()
            if value is not None and value is not False:
                data[field.html_name] = value
    return data


def test_a_new_project_gets_a_policy(client: Client) -> None:
    client.force_login(make_user(is_superuser=True))
    page = client.get("/admin/curation/project/add/")
    form = _form_of(page.context) | {"name": "Menus", "slug": "menus"}
    response = client.post("/admin/curation/project/add/", form)
    assert response.status_code == 302, response.context["errors"]
    assert CurationPolicy.objects.filter(project=Project.objects.get(slug="menus")).exists()


def test_a_revoked_key_stays_revoked(client: Client) -> None:
    source = make_source(make_project())
    make_key(source.project, source=source)
    SourceKey.objects.update(revoked=True)
    client.force_login(make_user(is_superuser=True))
    form = {
        "project": source.project_id,
        "name": source.name,
        "is_active": "on",
        "keys-TOTAL_FORMS": 1,
        "keys-INITIAL_FORMS": 1,
        "keys-0-id": SourceKey.objects.get().pk,
        "keys-0-source": source.pk,
    }
    client.post(f"/admin/curation/source/{source.pk}/change/", form)
    assert SourceKey.objects.get().revoked


def _project_form(project: Project, **changes: str) -> dict[str, str]:
    form = {"name": project.name, "slug": project.slug}
    options = list(project.label_options.all())
    for prefix, n in (("label_options", len(options)), ("guidelines", 0), ("memberships", 0)):
        form |= {f"{prefix}-TOTAL_FORMS": str(n), f"{prefix}-INITIAL_FORMS": str(n)}
    for n, option in enumerate(options):
        for name in ("id", "position", "name", "colour", "hotkey"):
            form[f"label_options-{n}-{name}"] = str(getattr(option, name))
    return {**form, **changes}


def test_a_label_in_use_is_neither_renamed_nor_deleted(client: Client) -> None:
    project = make_project()
    first = project.label_options.all()[0]
    make_prediction(project, label=first.name)
    client.force_login(make_user(is_superuser=True))
    address = f"/admin/curation/project/{project.pk}/change/"
    client.post(address, _project_form(project, **{"label_options-0-name": "renamed"}))
    page = client.post(address, _project_form(project, **{"label_options-0-DELETE": "on"}))
    assert "is in use and cannot be deleted" in page.content.decode()
    assert project.label_options.get(pk=first.pk).name == first.name


def test_a_stored_label_takes_another_colour_but_no_other_name() -> None:
    first = make_project().label_options.all()[0]
    fields = ["name", "colour", "hotkey", "position"]
    form_class = modelform_factory(LabelOption, form=LabelOptionForm, fields=fields)
    sent = {"name": "renamed", "colour": "#123456", "hotkey": first.hotkey, "position": 0}
    name = first.name
    form_class(sent, instance=first).save()
    first.refresh_from_db()
    assert (first.name, first.colour) == (name, "#123456")


def test_a_source_stays_with_its_project(client: Client) -> None:
    source = make_source(make_project())
    client.force_login(make_user(is_superuser=True))
    address = f"/admin/curation/source/{source.pk}/change/"
    assert 'name="project"' not in client.get(address).content.decode()
