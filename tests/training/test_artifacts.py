"""Artifacts: a file is used only if its hash and types fit; a model is known by its fingerprint."""

import copy
import hashlib
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from tests.training.texts import corpus, fitted
from training.artifacts import (
    Artifact,
    ArtifactMismatch,
    ArtifactMissing,
    Manifest,
    UntrustedArtifact,
    load,
    read_manifest,
    save,
    sha256_of,
)
from training.estimators import ESTIMATORS
from training.fingerprints import CannotFingerprint, fingerprint

MANIFEST = Manifest(
    project="restaurant-reviews",
    estimator="tfidf_logreg",
    parameters={"C": 10.0},
    seed=1,
    snapshot="ab" * 32,
    classes=("negative", "positive"),
    trained_at="2026-01-01T00:00:00Z",
)


def _saved(pipeline: Pipeline, directory: Path) -> Artifact:
    return save(pipeline, directory=directory, manifest=MANIFEST)


def _vouched(path: Path, data: bytes) -> tuple[Path, str]:
    path.write_bytes(data)
    return path, hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_model_read_back_is_the_same_model(name: str, n_classes: int, tmp_path: Path) -> None:
    pipeline = fitted(name, n_classes=n_classes)
    artifact = _saved(pipeline, tmp_path / "new" / "folder")
    loaded = load(artifact.path, sha256=artifact.sha256)
    texts, _ = corpus(40, n_classes=n_classes, seed=3)
    assert artifact.fingerprint == fingerprint(pipeline) == fingerprint(loaded)
    assert np.array_equal(loaded.predict_proba(texts), pipeline.predict_proba(texts))
    assert artifact.path.name == f"{artifact.sha256}.skops"
    assert artifact.size_bytes == artifact.path.stat().st_size
    assert sha256_of(artifact.path) == artifact.sha256


def test_odd_terms_survive_the_packed_vocabulary(tmp_path: Path) -> None:
    texts = [
        "naïve café 東京 слово",
        "half \ud83d\udca9 pair \ud83d end",
        "a\x00b c\u2028d ﬃ",
        "İstanbul",
    ]
    pipeline = fitted()
    pipeline[0].set_params(token_pattern=r"(?s)\S+|\s", lowercase=False)
    pipeline.fit(texts, ["x", "y", "x", "y"])
    artifact = _saved(pipeline, tmp_path)
    assert load(artifact.path, sha256=artifact.sha256)[0].vocabulary_ == pipeline[0].vocabulary_


def test_two_fits_share_a_fingerprint_though_their_files_differ(tmp_path: Path) -> None:
    first, second = (_saved(fitted(), tmp_path) for _ in range(2))
    assert first.fingerprint == second.fingerprint
    assert first.sha256 != second.sha256


def test_any_change_of_the_model_changes_its_fingerprint() -> None:
    pipeline = fitted()
    seen = {fingerprint(pipeline)}
    for change in (
        lambda p: p[1].coef_.__setitem__((0, 0), np.nextafter(p[1].coef_[0, 0], 9)),
        lambda p: p[1].intercept_.__setitem__(0, p[1].intercept_[0] + 1e-12),
        lambda p: p[0].idf_.__setitem__(0, p[0].idf_[0] + 1e-12),
        lambda p: p[0].vocabulary_.update(
            zip(["food", "soup"], [p[0].vocabulary_[w] for w in ("soup", "food")], strict=True)
        ),
        lambda p: p[1].set_params(C=3.0),
        lambda p: p.steps.__setitem__(0, ("renamed", p[0])),
    ):
        changed = copy.deepcopy(pipeline)
        change(changed)
        seen.add(fingerprint(changed))
    seen.add(fingerprint(pipeline, libraries={"scikit-learn": "0.1"}))
    assert len(seen) == 8


def test_using_a_model_does_not_change_its_fingerprint() -> None:
    pipeline = fitted()
    before = fingerprint(pipeline)
    pipeline.predict_proba(["the soup was cold"])
    assert fingerprint(copy.deepcopy(pipeline)) == fingerprint(pipeline) == before


def test_a_model_that_holds_a_function_has_no_fingerprint() -> None:
    with pytest.raises(CannotFingerprint, match="function"):
        fingerprint(Pipeline([("f", FunctionTransformer(corpus))]))


def test_a_calibrated_model_is_saved_and_read_back(tmp_path: Path) -> None:
    texts, labels = corpus(60)
    pipeline = fitted()
    features = pipeline[0].transform(texts)
    calibrated = CalibratedClassifierCV(pipeline[1], cv=2).fit(features, labels)
    whole = Pipeline([("features", pipeline[0]), ("classifier", calibrated)])
    artifact = _saved(whole, tmp_path)
    loaded = load(artifact.path, sha256=artifact.sha256)
    assert np.array_equal(loaded.predict_proba(texts), whole.predict_proba(texts))
    assert fingerprint(loaded) == artifact.fingerprint


def test_a_file_with_another_hash_is_refused(tmp_path: Path) -> None:
    artifact = _saved(fitted(), tmp_path)
    data = bytearray(artifact.path.read_bytes())
    data[len(data) // 2] ^= 1
    artifact.path.write_bytes(bytes(data))
    with pytest.raises(ArtifactMismatch, match="vouches"):
        load(artifact.path, sha256=artifact.sha256)
    with pytest.raises(ArtifactMismatch):
        read_manifest(artifact.path, sha256=artifact.sha256)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissing, match=r"gone\.skops"):
        load(tmp_path / "gone.skops", sha256="0" * 64)


def test_a_pickle_is_refused_even_with_the_right_hash(tmp_path: Path) -> None:
    # `cos.system('true')`, as pickle would run it.
    path, sha256 = _vouched(tmp_path / "evil.skops", b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(ArtifactMismatch, match="not a skops file"):
        load(path, sha256=sha256)


def test_a_type_off_the_allow_list_is_refused(tmp_path: Path) -> None:
    pipeline = Pipeline([("f", FunctionTransformer(corpus)), ("classifier", fitted()[1])])
    path, sha256 = _vouched(tmp_path / "odd.skops", skops.io.dumps(pipeline))
    with pytest.raises(UntrustedArtifact, match="corpus"):
        load(path, sha256=sha256)


def test_something_else_than_a_pipeline_is_refused(tmp_path: Path) -> None:
    path, sha256 = _vouched(tmp_path / "bare.skops", skops.io.dumps(fitted()[1]))
    with pytest.raises(UntrustedArtifact, match="LogisticRegression"):
        load(path, sha256=sha256)


def test_the_manifest_says_where_the_model_came_from(tmp_path: Path) -> None:
    artifact = _saved(fitted(), tmp_path)
    manifest = read_manifest(artifact.path, sha256=artifact.sha256)
    assert manifest["snapshot"] == MANIFEST.snapshot
    assert manifest["fingerprint"] == artifact.fingerprint
    assert manifest["libraries"].keys() == {"numpy", "scikit-learn", "scipy"}


def test_a_save_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("training.artifacts.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        _saved(fitted(), tmp_path)
    assert list(tmp_path.iterdir()) == []
