"""Who has seen a sample's page is never asked about it blind."""

import pytest

from curation.models import Annotation, Exposure, Lease
from curation.review import services
from tests.curation.reviewing import MINUTE, answer, claimed, crooked_items, fresh, open_item
from tests.factories import NOW, make_member, make_project

pytestmark = pytest.mark.django_db


def test_a_text_seen_on_its_page_is_served_to_others_only() -> None:
    project = make_project()
    ann, ben, item = make_member(project), make_member(project), open_item(project)
    services.expose(sample_ids=[item.sample_id, 10**9], user=ann, now=NOW)
    services.expose(sample_ids=[item.sample_id], user=ann, now=NOW + MINUTE)

    empty = services.claim(project=project, user=ann, now=NOW + MINUTE).empty

    assert Exposure.objects.get().at == NOW
    assert empty is not None
    assert (empty.seen_by_you, empty.done_by_you, empty.leased_by_others) == (1, 0, 0)
    assert empty.message == (
        "Nothing is free for you: 1 seen by you on their own pages, so left to someone else."
    )
    assert claimed(project, ben) == [item.pk]


def test_a_lease_ends_with_the_look_and_its_answer_is_unblinded() -> None:
    project = make_project()
    ann, ben, item = make_member(project), make_member(project), open_item(project)
    other = open_item(project)
    claimed(project, ann)
    services.expose(sample_ids=[item.sample_id], user=ann, now=NOW)

    assert list(Lease.objects.values_list("item", "user")) == [(other.pk, ann.pk)]
    assert claimed(project, ben) == [item.pk]
    done = answer(project, ann, item)

    assert (done.is_blind, done.is_extra) == (False, False)
    assert (fresh(item).status, item.taken, item.done) == ("open", 1, 0)
    assert crooked_items() == []
    assert answer(project, ben, item).is_blind
    assert Annotation.objects.filter(is_blind=True).get().user == ben


def test_a_look_after_the_answer_changes_nothing() -> None:
    project = make_project()
    ann, item = make_member(project), open_item(project)
    answer(project, ann, item)
    services.expose(sample_ids=[item.sample_id], user=ann, now=NOW)
    assert fresh(item).status == "done"
    assert crooked_items() == []
    services.expose(sample_ids=[], user=ann, now=NOW)
