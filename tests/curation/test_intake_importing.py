"""Quirks of real files cost no row, a bad row costs no other, importing twice changes nothing."""

import hashlib
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from curation.models import Label, Project, Sample
from curation.models.sample import Split
from tests.factories import make_project

pytestmark = pytest.mark.django_db
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
REVIEWS = ["--text", "Review", "--label", "Liked", "--map", "0=negative,1=positive"]


def run(file: Path, project: Project, *options: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command(
        "import_samples", str(file), "--project", project.slug, *options, stdout=out, stderr=err
    )
    return out.getvalue().strip(), err.getvalue()


def write(tmp_path: Path, name: str, content: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def labels(project: Project) -> dict[str | None, str]:
    rows = Label.objects.filter(sample__project=project, is_current=True)
    return dict(rows.values_list("sample__text", "value"))


def test_quotes_in_a_tsv_are_characters(tmp_path: Path) -> None:
    project = make_project()
    file = write(
        tmp_path,
        "dump.tsv",
        'Review\tLiked\r\n"Wow" they said.\t1\r\nOnly one " here\t0\r\nLast without a break\t1',
    )
    out, _ = run(file, project, *REVIEWS)
    assert out.startswith("Read 3 rows")
    assert labels(project) == {
        '"Wow" they said.': "positive",
        'Only one " here': "negative",
        "Last without a break": "positive",
    }


def test_line_breaks_and_emoji_in_a_quoted_csv_are_kept(tmp_path: Path) -> None:
    project = make_project()
    file = write(
        tmp_path,
        "dump.csv",
        '\ufeffName,Review,Rating\r\nA,"Great, 🍕\r\nreally ""great""",5\r\nB,Cold,1\r\n',
    )
    run(file, project, "--text", "Review", "--label", "Rating", "--map", "5=positive,1=negative")
    assert labels(project) == {'Great, 🍕\r\nreally "great"': "positive", "Cold": "negative"}


def test_importing_twice_changes_nothing(tmp_path: Path) -> None:
    project = make_project()
    # Not alike: they would share a split.
    unlike = [hashlib.sha256(f"{n}".encode()).hexdigest() for n in range(2_500)]
    rows = "".join(f"{text}\t{n % 2}\n" for n, text in enumerate(unlike))
    file = write(tmp_path, "dump.tsv", f"Review\tLiked\n{rows}")
    first, _ = run(file, project, *REVIEWS)
    before = list(Sample.objects.order_by("id").values("id", "cluster__split", "created_at"))
    second, _ = run(file, project, *REVIEWS)
    assert "2,500 new samples, 0 with a known text, 2,500 with a label, 0 rejected" in first
    assert "0 new samples, 2,500 with a known text" in second
    assert list(Sample.objects.order_by("id").values("id", "cluster__split", "created_at")) == (
        before
    )
    assert Label.objects.count() == 2_500
    held_out = Sample.objects.filter(cluster__split=Split.TEST).count()
    assert 500 < held_out < 750


def test_bad_rows_are_reported_by_line_and_cost_no_other(tmp_path: Path) -> None:
    project = make_project()
    lines = [
        b"Review\tLiked",
        b"good one\t1",
        b"\t0",
        b"odd label\tmaybe",
        b"too many\t1\t2",
        b"not utf-8 \xff\t1",
        b"nul \x00\t1",
        b"",
        b"no label\t",
        b"short row",
        b"x" * 20_001 + b"\t1",
        b"good two\t0",
    ]
    out, err = run(write(tmp_path, "dump.tsv", b"\n".join(lines)), project, *REVIEWS)
    assert "Read 10 rows" in out
    assert "4 new samples, 0 with a known text, 2 with a label, 6 rejected" in out
    for report in (
        "line 3: Review is empty",
        "line 4: Liked `maybe` is not in --map",
        "line 5: has 3 cells, the header has 2",
        "line 6: Review is not UTF-8",
        "line 7: Review must hold a visible character and no NUL",
        "line 11: Review must have at most 20,000 characters",
    ):
        assert report in err
    assert labels(project) == {"good one": "positive", "good two": "negative"}


def test_an_unclosed_quote_does_not_swallow_the_file(tmp_path: Path) -> None:
    project = make_project()
    rows = "".join(f"review number {n},1\n" for n in range(10_000))
    file = write(tmp_path, "dump.csv", f'Review,Liked\n"never closed,1\n{rows}')
    out, err = run(file, project, *REVIEWS)
    assert "field larger than field limit" in err
    assert "1 rejected" in out
    assert "review number 9999" in labels(project)
    assert Sample.objects.count() > 2_000


def test_the_first_twenty_bad_rows_are_shown_and_the_rest_counted(tmp_path: Path) -> None:
    file = write(tmp_path, "dump.tsv", "Review\tLiked\n" + "x\tmaybe\n" * 50)
    out, err = run(file, make_project(), *REVIEWS)
    assert err.count("is not in --map") == 20
    assert "… and 30 more lines like these." in err
    assert "50 rejected" in out


def test_a_value_mapped_to_nothing_leaves_its_rows_out(tmp_path: Path) -> None:
    project = make_project()
    file = write(tmp_path, "dump.tsv", "Review\tLiked\nmeh\t3\nyes\t5\n")
    out, _ = run(file, project, "--text", "Review", "--label", "Liked", "--map", "5=positive,3=")
    assert "1 left out, 0 rejected" in out
    assert labels(project) == {"yes": "positive"}


def test_without_a_mapping_values_are_labels(tmp_path: Path) -> None:
    project = make_project()
    file = write(tmp_path, "dump.jsonl", '{"t": "a b", "l": "positive"}\n\n{"t": "c", "l": "x"}\n')
    out, err = run(file, project, "--text", "t", "--label", "l")
    assert labels(project) == {"a b": "positive"}
    assert "line 3: l `x` is not a label of the project" in err
    assert "1 rejected" in out


def test_bad_json_lines_cost_no_other(tmp_path: Path) -> None:
    project = make_project()
    lines = ['{"t": "one"}', "{", "[1]", '{"t": 7}', '{"t": "two", "more": 1}', '{"u": "x"}']
    out, err = run(write(tmp_path, "dump.jsonl", "\n".join(lines)), project, "--text", "t")
    assert "2 new samples" in out
    assert "line 2: is not JSON" in err
    assert "line 3: is not an object" in err
    assert "line 4: t must be text, not a number" in err
    assert "line 6: t is empty" in err


def test_parquet_is_read(tmp_path: Path) -> None:
    project = make_project()
    table = pa.table({"text": ["a b", None, "c d"], "liked": [1.0, 1.0, 0.0], "other": [1, 2, 3]})
    pq.write_table(table, tmp_path / "dump.parquet")
    options = ["--text", "text", "--label", "liked", "--map", "0=negative,1=positive"]
    out, err = run(tmp_path / "dump.parquet", project, *options)
    assert labels(project) == {"a b": "positive", "c d": "negative"}
    assert "line 2: text is empty" in err
    assert "Read 3 rows" in out


def test_duplicates_are_one_sample_and_disagreement_lowers_the_quality(tmp_path: Path) -> None:
    project = make_project()
    file = write(tmp_path, "dump.tsv", "Review\tLiked\nGood\t1\ngood \t1\nNice\t1\nnice\t0\n")
    out, _ = run(file, project, *REVIEWS)
    assert "2 new samples, 2 with a known text" in out
    quality = dict(Label.objects.filter(is_current=True).values_list("sample__text", "quality"))
    assert quality["Nice"] < quality["Good"]


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("dump.tsv", "A\tB\n", REVIEWS, "no column `Review`; it has: A, B"),
        ("dump.tsv", "Review\tL\n", REVIEWS, "no column `Liked`; it has: Review, L"),
        ("dump.jsonl", '{"a": 1}', REVIEWS, "no column `Review`; it has: a"),
        ("dump.csv", "", REVIEWS, "is empty"),
        ("dump.txt", "x", REVIEWS, "cannot read this kind of file"),
        ("dump.tsv", b"\xff\xfeR\x00", REVIEWS, "is UTF-16"),
        ("dump.parquet", "no", REVIEWS, "is not a Parquet file"),
        ("dump.tsv", "x", ["--text", "x", "--map", "1"], "is not of the form value=label"),
        ("dump.tsv", "x", ["--text", "x", "--map", "1=meh"], "`meh` is not a label"),
    ],
)
def test_what_cannot_be_imported_is_said_in_one_line(
    tmp_path: Path, name: str, content: str | bytes, options: list[str], message: str
) -> None:
    with pytest.raises(CommandError) as caught:
        run(write(tmp_path, name, content), make_project(), *options)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_an_unknown_project_are_said_in_one_line(tmp_path: Path) -> None:
    project = make_project()
    with pytest.raises(CommandError, match="No such file"):
        run(tmp_path / "none.tsv", project, *REVIEWS)
    project.slug = "nowhere"
    with pytest.raises(CommandError, match="no project `nowhere`; there are: project-"):
        run(write(tmp_path, "dump.tsv", "Review\tLiked\n"), project, *REVIEWS)


@pytest.mark.skipif(not DATA.exists(), reason="the real dumps are not here")
def test_the_real_dump_is_imported_whole() -> None:
    project = make_project()
    file = DATA / "restaurant" / "a1_RestaurantReviews_HistoricDump.tsv"
    out, err = run(file, project, *REVIEWS)
    assert "Read 900 rows" in out
    assert "896 new samples, 4 with a known text, 900 with a label, 0 rejected" in out
    assert "line" not in err
    values = list(labels(project).values())
    assert len(values) == 896
    assert json.dumps(sorted(set(values))) == '["negative", "positive"]'


@pytest.mark.skipif(not DATA.exists(), reason="the real dumps are not here")
def test_the_real_csv_with_breaks_and_emoji_is_imported_whole() -> None:
    project = make_project()
    file = DATA / "zomato_hyderabad" / "zomato_hyderabad.csv"
    mapping = "5=positive,4.5=positive,4=positive,3.5=positive,3=,2.5=negative,2=negative"
    out, err = run(
        file,
        project,
        *("--text", "Review", "--label", "Rating", "--map", f"{mapping},1.5=negative,1=negative"),
    )
    assert "Read 10,000 rows" in out
    assert "Rating `Like` is not in --map" in err
    assert "rejected" in out
    assert Sample.objects.filter(text__contains="\n").exists()
