"""Models as files: saved once, named by their SHA-256, loaded only when the hash and types fit.

A file is a skops archive (never a pickle) with one more member, ``manifest.json``, that says where
the model came from. skops files of one model differ from dump to dump (object ids), so a file is
vouched for by its SHA-256 and a *model* is recognised by its fingerprint, see
:mod:`training.fingerprints`.

The vocabulary is packed into two arrays before saving: skops writes a JSON node for every entry of
a dict, 110 MB and 7 s for 172,000 terms, against 9 MB and 0.2 s packed.
"""

import copy
import hashlib
import hmac
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

# scikit-learn and its kin take seconds to import: only those who fit or load a model pay.
if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

SUFFIX = ".skops"
MANIFEST = "manifest.json"
# Beyond what skops trusts by itself (scikit-learn's estimators, numpy, scipy): what a calibrated
# classifier is made of.
TRUSTED_TYPES = (
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.utils._bunch.Bunch",
)


class BadArtifact(Exception):
    """A model file cannot be used; the message says why."""


class ArtifactMissing(BadArtifact):
    """There is no file at the path."""


class ArtifactMismatch(BadArtifact):
    """The file is not the one the registry vouches for, or not a model file at all."""


class UntrustedArtifact(BadArtifact):
    """The file holds types that are not on the allow-list; nothing of it was built."""


@dataclass(frozen=True)
class Manifest:
    """Where a model came from; written into its file."""

    project: str
    estimator: str
    parameters: Mapping[str, Any]
    seed: int
    snapshot: str
    """Digest of the snapshot it was trained on."""
    classes: tuple[str, ...]
    trained_at: str
    """ISO 8601, UTC."""


@dataclass(frozen=True)
class Artifact:
    """A saved model."""

    path: Path
    sha256: str
    """Of the file's bytes, hexadecimal."""
    fingerprint: str
    """Of the model, hexadecimal; equal for two fits on the same data with the same seed."""
    size_bytes: int


def save(pipeline: "Pipeline", *, directory: Path, manifest: Manifest) -> Artifact:
    """Write a fitted pipeline to ``directory`` under its SHA-256, whole or not at all."""
    from training.fingerprints import fingerprint, library_versions

    identity = fingerprint(pipeline)
    data = _archive(
        pipeline, {**asdict(manifest), "fingerprint": identity, "libraries": library_versions()}
    )
    digest = hashlib.sha256(data).hexdigest()
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{digest}{SUFFIX}"
    _write_atomically(path, data)
    return Artifact(path=path, sha256=digest, fingerprint=identity, size_bytes=len(data))


def load(path: Path, *, sha256: str) -> "Pipeline":
    """The pipeline in a file whose bytes hash to ``sha256``.

    The bytes that were hashed are the bytes that are read: the file is opened once. Raises
    :class:`ArtifactMissing`, :class:`ArtifactMismatch` or :class:`UntrustedArtifact`.
    """
    import skops.io
    from sklearn.pipeline import Pipeline
    from skops.io.exceptions import UntrustedTypesFoundException

    data = _read_vouched(path, sha256)
    try:
        pipeline = skops.io.loads(data, trusted=list(TRUSTED_TYPES))
    except UntrustedTypesFoundException as error:
        raise UntrustedArtifact(f"{path.name}: {error}") from error
    except (zipfile.BadZipFile, KeyError, json.JSONDecodeError) as error:
        raise ArtifactMismatch(f"{path.name} is not a skops file: {error}.") from error
    if not isinstance(pipeline, Pipeline):
        raise UntrustedArtifact(f"{path.name} holds a {type(pipeline).__name__}, not a pipeline.")
    for _, step in pipeline.steps:
        _unpack(step)
    return pipeline


def read_manifest(path: Path, *, sha256: str) -> dict[str, Any]:
    """The manifest of a vouched-for file, with its fingerprint and library versions.

    Raises :class:`ArtifactMissing` or :class:`ArtifactMismatch`.
    """
    with zipfile.ZipFile(io.BytesIO(_read_vouched(path, sha256))) as archive:
        manifest: dict[str, Any] = json.loads(archive.read(MANIFEST))
    return manifest


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes; raises :class:`ArtifactMissing`."""
    return hashlib.sha256(_read(path)).hexdigest()


def _archive(pipeline: "Pipeline", manifest: Mapping[str, Any]) -> bytes:
    import skops.io

    buffer = io.BytesIO(skops.io.dumps(_packed(pipeline)))
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(MANIFEST, json.dumps(manifest, sort_keys=True))
    return buffer.getvalue()


def _write_atomically(path: Path, data: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".saving-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    # The rename itself is durable only once the folder is.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise ArtifactMissing(f"There is no model file {path.name}.") from error


def _read_vouched(path: Path, sha256: str) -> bytes:
    data = _read(path)
    found = hashlib.sha256(data).hexdigest()
    if not hmac.compare_digest(found, sha256):
        raise ArtifactMismatch(
            f"{path.name} hashes to {found[:12]}…, the registry vouches for {sha256[:12]}…."
        )
    return data


def _packed(pipeline: "Pipeline") -> "Pipeline":
    """A shallow copy that skops stores quickly; the pipeline itself stays usable."""
    packed = copy.copy(pipeline)
    packed.steps = [(name, _pack(step)) for name, step in pipeline.steps]
    return packed


def _pack(step: Any) -> Any:
    from sklearn.feature_extraction.text import CountVectorizer

    vocabulary = getattr(step, "vocabulary_", None)
    if not isinstance(step, CountVectorizer) or not vocabulary:
        return step
    terms = sorted(vocabulary, key=vocabulary.__getitem__)
    if [vocabulary[term] for term in terms] != list(range(len(terms))):
        return step
    # A text may hold half a surrogate pair, which strict UTF-8 refuses.
    encoded = [term.encode("utf-8", "surrogatepass") for term in terms]
    packed = copy.copy(step)
    packed.vocabulary_ = {
        "utf8": np.frombuffer(b"".join(encoded), dtype=np.uint8),
        "ends": np.cumsum([len(term) for term in encoded], dtype=np.int64),
    }
    return packed


def _unpack(step: Any) -> None:
    packed = getattr(step, "vocabulary_", None)
    if not isinstance(packed, dict) or not isinstance(packed.get("utf8"), np.ndarray):
        return
    utf8, vocabulary, start = packed["utf8"].tobytes(), {}, 0
    for column, end in enumerate(packed["ends"].tolist()):
        vocabulary[utf8[start:end].decode("utf-8", "surrogatepass")] = column
        start = end
    step.vocabulary_ = vocabulary
