"""The form in which two texts count as the same, and its hash."""

import hashlib
import re
import unicodedata

_SPACE = re.compile(r"\s+")
_INVISIBLE = dict.fromkeys(
    code for code in range(0x110000) if unicodedata.category(chr(code)) in {"Cf", "Cc"}
)
# Line breaks and tabs are control characters too, but they separate words.
for _code in (0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x85):
    _INVISIBLE.pop(_code)


def normalise(text: str) -> str:
    """``text`` in NFKC, case-folded, without invisible characters, white space collapsed.

    Punctuation stays: "good?" and "good." may carry different labels.
    """
    visible = unicodedata.normalize("NFKC", text).translate(_INVISIBLE)
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", visible.casefold())).strip()


def content_hash(text: str) -> bytes:
    """SHA-256 of the normalised text: the identity of a sample within its project, 32 bytes."""
    return hashlib.sha256(normalise(text).encode("utf-8", "surrogatepass")).digest()
