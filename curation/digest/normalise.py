"""The form in which two texts count as the same, and its hash."""

import hashlib
import re
import unicodedata

_SPACE = re.compile(r"\s+")
_SEPARATORS = frozenset("\t\n\x0b\x0c\r\x85")


class _Visible(dict[int, int | None]):
    """A translation table that drops control and format characters, filled as they are met."""

    def __missing__(self, code: int) -> int | None:
        character = chr(code)
        hidden = unicodedata.category(character) in {"Cf", "Cc"} and character not in _SEPARATORS
        self[code] = None if hidden else code
        return self[code]


_VISIBLE = _Visible()


def normalise(text: str) -> str:
    """``text`` in NFKC, case-folded, without invisible characters, white space collapsed.

    Punctuation stays: "good?" and "good." may carry different labels.
    """
    # Most texts, at a tenth of the price.
    if text.isascii() and text.isprintable():
        return " ".join(text.lower().split())
    visible = unicodedata.normalize("NFKC", text).translate(_VISIBLE)
    return _SPACE.sub(" ", unicodedata.normalize("NFKC", visible.casefold())).strip()


def content_hash(text: str) -> bytes:
    """SHA-256 of the normalised text: the identity of a sample within its project, 32 bytes."""
    return hashlib.sha256(normalise(text).encode("utf-8", "surrogatepass")).digest()
