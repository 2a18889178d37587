"""A snapshot asked for by its hash is the same file again, whatever has been learned since."""

import json

import pytest

from curation.labels import Belief, believe
from curation.models import Label, Sample
from curation.models.sample import Split
from tests.factories import NOW, api_client, make_key, make_project
from tests.training.scenes import label_texts
from training.snapshots import freeze

pytestmark = pytest.mark.django_db


def test_the_same_hash_gives_the_same_bytes() -> None:
    project = make_project(slug="reviews")
    label_texts(project, [("good", "positive"), ("bad", "negative")])
    label_texts(project, [("held out", "negative")], split=Split.TEST)
    digest = freeze(project=project, min_quality=0.5, now=NOW).digest
    client = api_client(make_key(project))

    def taken(kind: str) -> bytes:
        said = client.get(f"/api/v1/projects/reviews/snapshots/{digest}/items.{kind}")
        assert said.status_code == 200
        return b"".join(said.streaming_content)

    before = {kind: taken(kind) for kind in ("jsonl", "csv", "parquet")}
    sample = Sample.objects.get(text="good")
    believe(
        beliefs=[Belief(sample.pk, "negative", Label.Origin.ANNOTATION, 0.95, ["said so"])],
        now=NOW,
    )
    assert {kind: taken(kind) for kind in before} == before
    rows = [json.loads(line) for line in before["jsonl"].splitlines()]
    assert [(row["text"], row["label"], row["split"]) for row in rows] == [
        ("held out", "negative", "test"),
        ("good", "positive", "train"),
        ("bad", "negative", "train"),
    ]
    Sample.objects.filter(pk=sample.pk).update(text=None)
    assert json.loads(taken("jsonl").splitlines()[1])["text"] is None


def test_what_is_not_there_is_not_found() -> None:
    client = api_client(make_key(make_project(slug="reviews")))
    path = "/api/v1/projects/reviews/snapshots"
    assert client.get(f"{path}/{'0' * 64}/items.jsonl").status_code == 404
    assert client.get(f"{path}/{'0' * 64}/items.exe").status_code == 404
