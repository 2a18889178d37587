"""What is taken along comes back the same, whatever the file; a bad line costs only itself."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow.parquet as pq
import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client

from curation.exchange import files, imports, labels
from curation.exchange.labels import Wanted
from curation.intake.files import CannotImport
from curation.intake.importing import Columns
from curation.labels import CONFLICT
from curation.models import FileImport, Label, Project, Sample
from curation.models.sample import Split
from feedbackhub.core.roles import Role
from tests.factories import NOW, api_client, make_key, make_member, make_project, make_user
from tests.training.scenes import label_texts

pytestmark = pytest.mark.django_db
TEXTS = [
    ("=1+1 was “good”, they said;\nin two lines, with 🍕", "positive"),
    ('"quoted", and a comma', "negative"),
    ("\u202eright to left and <b>markup</b>", "positive"),
]
LABELS = {"text": "text", "label": "label"}


def exported(project: Project, name: str, **wanted: Any) -> bytes:
    return b"".join(files.stream(project_id=project.pk, name=name, wanted=Wanted(**wanted)))


def current(project: Project) -> dict[str | None, str]:
    found = Label.objects.filter(sample__project=project, is_current=True)
    return dict(found.values_list("sample__text", "value"))


@pytest.mark.parametrize("name", files.names())
def test_labels_come_back_from_every_file(name: str, tmp_path: Path) -> None:
    there, here = make_project(), make_project()
    label_texts(there, TEXTS)
    path = tmp_path / name
    path.write_bytes(exported(there, name))
    call_command(
        "import_samples", str(path), project=here.slug, **LABELS, stdout=io.StringIO(),
        stderr=io.StringIO(),
    )  # fmt: skip
    assert current(here) == dict(TEXTS)


def test_files_say_the_same_in_small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project()
    label_texts(project, TEXTS)
    label_texts(make_project(), [("of another project", "positive")])
    whole = {name: exported(project, name) for name in ("labels.jsonl", "labels.csv")}
    monkeypatch.setattr(labels.chunks, "__kwdefaults__", {"size": 1})
    assert {name: exported(project, name) for name in whole} == whole
    table = pq.read_table(io.BytesIO(exported(project, "labels.parquet")))
    rows = [json.loads(line) for line in whole["labels.jsonl"].splitlines()]
    assert table.column("text").to_pylist() == [row["text"] for row in rows]
    assert [row["text"] for row in rows] == [text for text, _ in TEXTS]
    read = list(csv.DictReader(io.StringIO(whole["labels.csv"].decode())))
    assert [row["label"] for row in read] == [label for _, label in TEXTS]
    assert len(json.loads(exported(project, "label-studio.json"))) == len(TEXTS)


def test_a_project_without_labels_makes_valid_files() -> None:
    project = make_project()
    assert exported(project, "labels.jsonl") == b""
    assert exported(project, "labels.csv").startswith(b"sample_id,")
    assert pq.read_table(io.BytesIO(exported(project, "labels.parquet"))).num_rows == 0
    assert json.loads(exported(project, "label-studio.json")) == []


def test_only_what_is_asked_for() -> None:
    project = make_project()
    label_texts(project, [("trained", "positive")], quality=0.9)
    label_texts(project, [("tested", "positive")], split=Split.TEST, quality=0.5)
    label_texts(project, [("thumb", "negative")], origin=Label.Origin.FEEDBACK)
    Sample.objects.create(
        project=project, text="bare", content_hash=b"bare", origin="pool", created_at=NOW
    )
    Sample.objects.filter(text="thumb").update(text=None)

    def texts(**wanted: Any) -> list[str]:
        return [json.loads(row)["text"] for row in exported(project, "labels.jsonl", **wanted).splitlines()]  # fmt: skip  # noqa: E501

    assert texts() == ["trained", "tested"]
    assert texts(split="test") == ["tested"]
    assert texts(min_quality=0.8) == ["trained"]
    assert texts(origin="import") == ["trained", "tested"]
    assert texts(unlabelled=True) == ["trained", "tested", "bare"]
    assert texts(unlabelled=True, split="none") == ["bare"]


def test_thumbs_leave_as_suggestions_and_imports_as_annotations() -> None:
    project = make_project()
    label_texts(project, [("imported", "positive")])
    label_texts(project, [("thumb", "negative")], origin=Label.Origin.FEEDBACK, quality=0.7)
    tasks = {t["data"]["text"]: t for t in json.loads(exported(project, "label-studio.json"))}
    chosen = tasks["imported"]["annotations"][0]["result"][0]
    assert (chosen["type"], chosen["value"]) == ("choices", {"choices": ["positive"]})
    assert tasks["thumb"]["annotations"] == []
    assert tasks["thumb"]["predictions"][0]["score"] == 0.7


TASKS = [
    {"id": 1, "data": {"text": "agreed"}, "annotations": [{"result": [{"from_name": "label", "type": "choices", "value": {"choices": ["positive"]}}]}] * 2},  # noqa: E501
    {"id": 2, "data": {"text": "split"}, "annotations": [{"result": [{"from_name": "label", "type": "choices", "value": {"choices": [one]}}]} for one in ("positive", "negative")]},  # noqa: E501
    {"id": 3, "data": {"text": "skipped"}, "annotations": [{"was_cancelled": True, "result": [{"from_name": "label", "value": {"choices": ["positive"]}}]}]},  # noqa: E501
    {"id": 4, "data": {"text": "two at once"}, "annotations": [{"result": [{"from_name": "label", "value": {"choices": ["positive", "negative"]}}]}]},  # noqa: E501
    {"id": 5, "data": {"review": "another key"}},
    "no task",
]  # fmt: skip


def test_what_label_studio_says_is_understood(tmp_path: Path) -> None:
    project = make_project()
    path = tmp_path / "project-1.json"
    path.write_text(json.dumps(TASKS))
    err = io.StringIO()
    call_command(
        "import_samples", str(path), project=project.slug, **LABELS, stdout=io.StringIO(),
        stderr=err,
    )  # fmt: skip
    assert current(project) == {"agreed": "positive", "split": "positive"}
    doubted = Label.objects.get(sample__text="split", is_current=True)
    assert CONFLICT in doubted.reasons
    assert Sample.objects.filter(project=project, text="skipped").exists()
    assert "line 4: has 2 choices, not one" in err.getvalue()
    assert "line 5: has no `text`; it has: review" in err.getvalue()
    assert "line 6: is not a task" in err.getvalue()


def test_the_short_form_is_understood(tmp_path: Path) -> None:
    project = make_project()
    path = tmp_path / "min.json"
    path.write_text(json.dumps([{"id": 1, "text": "fine", "label": "positive", "annotator": 1}]))
    call_command(
        "import_samples", str(path), project=project.slug, **LABELS, stdout=io.StringIO(),
        stderr=io.StringIO(),
    )  # fmt: skip
    assert current(project) == {"fine": "positive"}


def upload(project: Project, content: bytes, name: str = "dump.csv") -> FileImport:
    return imports.accept(
        project=project,
        file=io.BytesIO(content),
        name=name,
        columns=Columns("text", "label"),
        created_by=make_user(),
        now=NOW,
    )


def test_an_uploaded_file_is_read_and_forgotten() -> None:
    project = make_project()
    job = upload(project, b"text,label\ngood,positive\nodd,purple\nbad,negative\n")
    assert imports.work(now=NOW + timedelta(seconds=3)) == 1
    job.refresh_from_db()
    assert job.status == "done"
    assert (job.tally["rows"], job.tally["new"], job.tally["rejected"]) == (3, 2, 1)
    assert job.faults == [[3, "label `purple` is not a label of the project"]]
    assert current(project) == {"good": "positive", "bad": "negative"}
    assert not list(imports.folder().glob(job.stored_as))
    assert imports.work(now=NOW) == 0


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("dump.csv", b"review,label\nx,positive\n", "dump.csv has no column `text`"),
        ("dump.exe", b"MZ", "cannot read this kind of file"),
        ("dump.json", b'{"a": 1}', "holds no list of tasks"),
        ("dump.json", b'[{"data": {"text": "x"}}, oops', "task 2 cannot be read"),
        ("dump.parquet", b"PAR0", "dump.parquet is not a Parquet file"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_at_once(
    name: str, content: bytes, said: str
) -> None:
    before = set(imports.folder().glob("*"))
    try:
        upload(make_project(), content, name)
        imports.work(now=NOW)
        assert said in FileImport.objects.get().error
    except CannotImport as refusal:
        assert said in str(refusal)  # noqa: PT017
    assert set(imports.folder().glob("*")) == before


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_dies_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curation.intake.importing.BATCH", 2)
    project = make_project()
    rows = "".join(f"text {n},positive\n" for n in range(5))
    job = upload(project, f"text,label\n{rows}".encode())
    save = FileImport.save
    calls = []

    def dying(self: FileImport, **fields: Any) -> None:
        calls.append(fields)
        save(self, **fields)
        if len(calls) == 2:
            raise OperationalError("the connection is gone")

    with patch.object(FileImport, "save", dying):
        assert imports.work(now=NOW) == 0
    job.refresh_from_db()
    assert (job.status, job.tally["rows"]) == ("waiting", 2)
    assert Sample.objects.filter(project=project).count() == 2
    assert imports.work(now=NOW) == 1
    job.refresh_from_db()
    assert (job.tally["rows"], job.tally["new"], job.tally["known"]) == (5, 5, 0)


def test_the_api_streams_what_a_manager_asks_for() -> None:
    project = make_project(slug="reviews")
    label_texts(project, TEXTS)
    client = api_client(make_key(project))
    said = client.get("/api/v1/projects/reviews/export/labels.csv?min_quality=0.5&split=")
    assert said["Content-Disposition"] == 'attachment; filename="reviews-labels.csv"'
    assert b"".join(said.streaming_content).count(b"positive") == 2
    for query in ("min_quality=2", "split=third", "nonsense=1", "unlabelled=perhaps"):
        assert client.get(f"/api/v1/projects/reviews/export/labels.csv?{query}").status_code == 400
    assert client.get("/api/v1/projects/reviews/export/labels.exe").status_code == 404


def test_leads_upload_and_download_in_the_browser(client: Client) -> None:
    project = make_project(slug="reviews")
    client.force_login(make_member(project, Role.LEAD))
    form = {"text": "text", "label": "label", "mapping": "5=positive"}
    file = io.BytesIO(b"text,label\ngreat,5\n")
    file.name = "stars.csv"
    assert client.post("/samples/reviews/files/", {**form, "file": file}).status_code == 302
    imports.work(now=NOW)
    page = client.get("/samples/reviews/files/").content.decode()
    assert "stars.csv" in page
    assert "reading" not in page
    said = client.get("/samples/reviews/files/labels.jsonl?split=&origin=&min_quality=0")
    assert json.loads(b"".join(said.streaming_content).splitlines()[0])["label"] == "positive"
    assert b"<Choices" in client.get("/samples/reviews/files/label-studio.xml").content
    file = io.BytesIO(b"text,label\ngreat,5\n")
    file.name = "stars.csv"
    wrong = client.post(
        "/samples/reviews/files/", {**form, "mapping": "5=splendid", "file": file}
    ).content.decode()
    assert "`splendid` is not a label of the project" in wrong
    assert FileImport.objects.count() == 1


@pytest.mark.parametrize("role", [Role.ANNOTATOR, Role.SENIOR])
def test_files_are_for_leads(client: Client, role: Role) -> None:
    project = make_project(slug="reviews")
    client.force_login(make_member(project, role))
    for address in ("/samples/reviews/files/", "/samples/reviews/files/labels.jsonl"):
        assert client.get(address).status_code == 403
