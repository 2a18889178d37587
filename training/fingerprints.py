"""What a model *is*, as one hash: parameters, vocabulary, fitted arrays and library versions.

Two fits on the same data with the same seed share a fingerprint; so do a model and its copy read
back from a file. Any changed coefficient, term or parameter changes it. Quarantine, rejection and
reproducibility go by it.
"""

import hashlib
import json
import struct
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

# scikit-learn and its kin take seconds to import: only those who fit or load a model pay.
if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

LIBRARIES = ("numpy", "scikit-learn", "scipy")
_INTEGERS = {int, np.int32, np.int64}


class CannotFingerprint(TypeError):
    """A model holds something without canonical bytes, such as a function."""


def library_versions() -> dict[str, str]:
    """The installed versions of the libraries that decide what a model answers."""
    return {name: version(name) for name in LIBRARIES}


def fingerprint(model: "BaseEstimator", *, libraries: Mapping[str, str] | None = None) -> str:
    """SHA-256, hexadecimal, over a model in canonical order.

    ``libraries`` are the versions the model belongs to, the installed ones when not given.
    Raises :class:`CannotFingerprint`.
    """
    digest = hashlib.sha256()
    _feed(digest, dict(library_versions() if libraries is None else libraries))
    _feed(digest, model)
    return digest.hexdigest()


@cache
def _stateful() -> tuple[type, ...]:
    """Estimators, and the parts of fitted ones that carry state without being estimators."""
    from sklearn.base import BaseEstimator
    from sklearn.calibration import _CalibratedClassifier

    return BaseEstimator, _CalibratedClassifier


def _feed(digest: Any, value: Any) -> None:
    """Add ``value`` with a tag and its length, so that no two values share their bytes."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str | type):
        name = f"{value.__module__}.{value.__qualname__}" if isinstance(value, type) else value
        _put(digest, type(value).__name__, str(name).encode("utf-8", "surrogatepass"))
    elif isinstance(value, float):
        _put(digest, "float", struct.pack("<d", value))
    elif isinstance(value, np.ndarray):
        _feed_array(digest, value)
    elif sparse.issparse(value):
        canonical = value.tocsr().sorted_indices()
        _feed(digest, [canonical.shape, canonical.data, canonical.indices, canonical.indptr])
    elif isinstance(value, Mapping):
        _feed_mapping(digest, value)
    elif isinstance(value, list | tuple):
        _put(digest, "sequence", str(len(value)).encode())
        for item in value:
            _feed(digest, item)
    elif isinstance(value, set | frozenset):
        _feed(digest, sorted(value))
    elif isinstance(value, _stateful()):
        _feed_state(digest, value)
    else:
        raise CannotFingerprint(f"A {type(value).__name__} has no canonical bytes.")


def _put(digest: Any, tag: str, data: bytes) -> None:
    digest.update(f"{tag}:{len(data)}:".encode())
    digest.update(data)


def _feed_array(digest: Any, array: np.ndarray) -> None:
    if array.dtype.hasobject:
        _feed(digest, array.tolist())
        return
    _put(digest, "array", f"{array.dtype.newbyteorder('<').str}{array.shape}".encode())
    little_endian = array.astype(array.dtype.newbyteorder("<"), copy=False)
    _put(digest, "data", np.ascontiguousarray(little_endian).tobytes())


def _feed_mapping(digest: Any, mapping: Mapping[Any, Any]) -> None:
    if all(type(key) is str and type(value) in _INTEGERS for key, value in mapping.items()):
        # A vocabulary: one call for all its terms is ten times quicker than one for each. Its
        # columns are NumPy integers in a fresh fit and Python's when read back from a file.
        columns = {term: int(column) for term, column in mapping.items()}
        _put(digest, "integers", json.dumps(columns, sort_keys=True).encode())
        return
    keys = sorted(mapping, key=lambda key: (type(key).__name__, key))
    _put(digest, "mapping", str(len(keys)).encode())
    for key in keys:
        _feed(digest, key)
        _feed(digest, mapping[key])


def _feed_state(digest: Any, part: Any) -> None:
    """An object's class, parameters, fitted attributes and the estimators inside it.

    Other private attributes are left out: caches and compiled losses follow from the parameters,
    and some hold object ids that differ in every process.
    """
    state = {
        name: value
        for name, value in vars(part).items()
        if not name.startswith("_") or isinstance(value, _stateful())
    }
    _put(digest, "object", f"{type(part).__module__}.{type(part).__qualname__}".encode())
    _feed_mapping(digest, state)
