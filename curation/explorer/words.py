"""From what someone types into the search box to a tsquery. Pure.

All words must occur. ``"two words"`` stand together, ``gre*`` is a beginning, ``-word`` must not
occur. Nothing typed is refused: what is no word is passed over.
"""

import re

MOST_WORDS = 12
_PART = re.compile(r'(-?)(?:"([^"]*)"|([^\s"]+))')
_WORD = re.compile(r"\w+", re.UNICODE)


def tsquery(typed: str) -> str:
    """The query in the syntax of ``to_tsquery``; empty when there is no word to look for.

    >>> tsquery('great foo* -"cold soup"')
    "'great' & 'foo':* & !('cold' <-> 'soup')"
    """
    wanted: list[str] = []
    unwanted: list[str] = []
    for minus, phrase, word in _PART.findall(typed):
        query = _phrase(_WORD.findall(phrase)) if phrase else _words(word)
        if query:
            (unwanted if minus else wanted).append(f"!({query})" if minus else query)
    return " & ".join([*wanted, *unwanted][:MOST_WORDS])


def _phrase(words: list[str]) -> str:
    return " <-> ".join(f"'{word}'" for word in words[:MOST_WORDS])


def _words(typed: str) -> str:
    """One run of signs without a space; ``don't`` is two words that stand together."""
    query = _phrase(_WORD.findall(typed))
    return f"{query}:*" if query and typed.endswith("*") else query
