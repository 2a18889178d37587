"""Taking e-mail addresses, phone numbers and payment card numbers out of what people wrote.

Pure and deterministic: the same text always becomes the same masked text, so that equal texts stay
equal, and masking twice is masking once. It recognises shapes, not people: names and addresses
stay, and so does a number without a shape, such as a bare customer number.
"""

import re
from typing import Any

EMAIL, CARD, PHONE = "[email]", "[card]", "[phone]"

# Every repetition is bounded, so that no text takes longer than its length allows.
_EMAIL = re.compile(r"""\w[^\s@<>()\[\],;:"]{0,63}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}""")
# Digits in groups; whether they are a card's is for its check digit to say.
_DIGITS = re.compile(r"(?<![\w.,])\d{1,19}(?:[ -]\d{1,19}){0,12}(?!\w)")
_GROUP = re.compile(r"\d+")
_PHONE = re.compile(
    r"""(?<![\w+.,/-])
    (?!\d{1,2}([./-])\d{1,2}\1\d{2,4}(?!\d))              # a date
    (?: (?:\+|00)\d(?:[ ./()-]{0,3}\d){6,14}              # +49 (0)89 1234-567
      | \(?0\d{1,5}\)?[ /.-]{1,3}\d(?:[ -]?\d){4,9}       # 089/123456, 020 7946 0958
      | 0\d{8,11}                                         # 01711234567
      | (?:1[ .-])?\(?\d{3}\)?[ .-]{1,2}\d{3}[ .-]\d{4}   # (212) 555-0142
    )(?!\w)""",
    re.VERBOSE,
)
_CARD_DIGITS = range(13, 20)


def mask(text: str) -> str:
    """``text`` with placeholders for what it may not keep.

    >>> mask("Write to ann@example.org or ring +44 20 7946 0958.")
    'Write to [email] or ring [phone].'
    """
    # What one pass leaves side by side may read as a number to the next.
    while (masked := _once(text)) != text:
        text = masked
    return text


def mask_within(value: Any) -> Any:
    """``value``, as JSON has it, with every text in it masked; the names of fields stay."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, list):
        return [mask_within(inner) for inner in value]
    if isinstance(value, dict):
        return {key: mask_within(inner) for key, inner in value.items()}
    return value


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B).

    >>> passes_luhn("4111111111111111"), passes_luhn("4111111111111112")
    (True, False)
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _once(text: str) -> str:
    if "@" in text:
        text = _EMAIL.sub(EMAIL, text)
    return _PHONE.sub(PHONE, _DIGITS.sub(_without_cards, text))


def _without_cards(found: re.Match[str]) -> str:
    """A run of digits with the card numbers in it replaced, the longest first."""
    run = found[0]
    groups = list(_GROUP.finditer(run))
    windows = [
        (first.start(), last.end())
        for start, first in enumerate(groups)
        for last in groups[start:]
        if _is_card("".join(_GROUP.findall(run[first.start() : last.end()])))
    ]
    if not windows:
        return run
    start, end = max(windows, key=lambda window: (window[1] - window[0], -window[0]))
    return run[:start] + CARD + run[end:]


def _is_card(digits: str) -> bool:
    """Networks issue numbers of 13 to 19 digits that begin with 2 to 6."""
    return len(digits) in _CARD_DIGITS and 2 <= int(digits[0]) <= 6 and passes_luhn(digits)
