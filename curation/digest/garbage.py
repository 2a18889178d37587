"""Texts that are no texts. Pure, and careful: slang, emoji, and any script are texts.

Each check asks for plenty of evidence, because a short or odd text may be an honest one.
"""

import re
import unicodedata
import zlib
from functools import lru_cache

LONG = 20
VERY_LONG = 200
# "Yummmmm" with twenty m is slang; nothing but m is not.
SAME_SHARE = 0.95
MASHED_SHARE = 0.7
LEAST_RATIO = 0.1
MASHED_WORD = 10
_VOWELS = frozenset("aeiouyw")
_RUN = re.compile(r"(.)\1+")
_WORD = re.compile(r"[^\W\d_]+")
# Signs that say something without a letter: emoji and other symbols, and digits ("10/10").
_TELLING = frozenset({"So", "Sk", "Nd", "Nl", "No"})


@lru_cache(maxsize=4096)
def garbage_reason(text: str) -> str | None:
    """Why ``text`` is no text, with its numbers; None for everything that may be one.

    >>> garbage_reason("!!! ... ???")
    'The text has no word, digit or symbol in 11 characters.'
    >>> garbage_reason("👍👍👍") is garbage_reason("10/10") is garbage_reason("meh") is None
    True
    """
    bare = text.strip()
    if not any(map(str.isalnum, bare)) and not _says_by_signs(bare):
        return f"The text has no word, digit or symbol in {len(bare):,} characters."
    if len(bare) < LONG:
        return None
    return _monotonous(bare) or _mashed(bare)


def _says_by_signs(text: str) -> bool:
    return any(unicodedata.category(character) in _TELLING for character in text)


def _monotonous(text: str) -> str | None:
    """One character, or one phrase, over and over."""
    if len(set(text)) <= max(2, len(text) // 10):
        commonest = max(set(text), key=text.count)
        same = text.count(commonest)
        if same >= SAME_SHARE * len(text) and commonest.isprintable():
            return f"The text is one character {same:,} times in {len(text):,}."
    if len(text) < VERY_LONG:
        return None
    raw = text.encode("utf-8", "replace")
    ratio = len(zlib.compress(raw, 1)) / len(raw)
    if ratio >= LEAST_RATIO:
        return None
    return f"The text repeats itself: {len(text):,} characters say as much as {ratio:.0%} of them."


def _mashed(text: str) -> str | None:
    """Keys pressed at random: long Latin words without vowels, and hardly another word."""
    # A letter held down is emphasis: it counts once.
    words = _WORD.findall(_RUN.sub(r"\1", text.casefold()))
    mashed = [word for word in words if len(word) >= MASHED_WORD and _is_vowelless(word)]
    letters, odd = sum(map(len, words)), sum(map(len, mashed))
    if not mashed or odd < MASHED_SHARE * letters:
        return None
    return f"{odd:,} of {letters:,} letters are words of {MASHED_WORD} or more without a vowel."


def _is_vowelless(word: str) -> bool:
    plain = unicodedata.normalize("NFKD", word)
    is_latin = all("a" <= letter <= "z" or unicodedata.combining(letter) for letter in plain)
    return is_latin and sum(letter in _VOWELS for letter in plain) <= len(plain) // 12
