"""Masking: what must go goes, what means something stays, and doing it twice is doing it once."""

import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.intake.masking import CARD, EMAIL, PHONE, mask, mask_within, passes_luhn

# The test numbers the networks publish.
CARDS = ("4111111111111111", "5555555555554444", "378282246310005", "6011111111111117")
NAMES = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=20)
PROSE = st.text(string.ascii_letters + " .,!?", max_size=40)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("mail ann.o'neil+x@mail.example.co.uk, please", "mail [email], please"),
        ("<ann@example.org>", "<[email]>"),
        ("Grüße an jürgen@bäckerei.de", "Grüße an [email]"),
        ("call +49 (0)89 1234-567 now", "call [phone] now"),
        ("Tel. 089/1234567", "Tel. [phone]"),
        ("020 7946 0958", "[phone]"),
        ("ring (212) 555-0142.", "ring [phone]."),
        ("0171 1234567", "[phone]"),
        ("card 4111 1111 1111 1111, table 4", "card [card], table 4"),
        ("3782-822463-10005", "[card]"),
        ("order 12 4111 1111 1111 1111 35", "order 12 [card] 35"),
    ],
)
def test_addresses_and_numbers_become_placeholders(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "We waited 45 minutes on 01.02.2024, paid 1,250.00 and left at 18:30.",
        "On 2026-11-23 and 01-02-2024 and 3/4/2024 the soup was cold.",
        "Version 2.10.3 costs 0.12345678 of it",
        "order 4111111111111112",
        "0193a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b",
        "follow @thesoup or 5 @ 3 euros",
        "10000000 guests, table 1234567",
    ],
)
def test_dates_prices_and_other_numbers_stay(text: str) -> None:
    assert mask(text) == text


@given(text=st.text(st.sampled_from("0123456789 -+().@/ab.\n٣"), max_size=60) | st.text())
def test_masking_twice_is_masking_once(text: str) -> None:
    assert mask(mask(text)) == mask(text)


@given(before=PROSE, name=NAMES, host=NAMES, after=PROSE)
def test_no_address_survives_any_prose(before: str, name: str, host: str, after: str) -> None:
    address = f"{name}@{host}.org"
    masked = mask(f"{before} {address} {after}")
    assert address not in masked
    assert EMAIL in masked


@given(
    before=PROSE,
    digits=st.sampled_from(CARDS),
    width=st.integers(3, 6),
    mark=st.sampled_from(["", " ", "-"]),
)
def test_no_card_survives_however_it_is_grouped(
    before: str, digits: str, width: int, mark: str
) -> None:
    written = mark.join(digits[at : at + width] for at in range(0, len(digits), width))
    masked = mask(f"{before} {written} was charged")
    assert masked == f"{before} {CARD} was charged"


@given(digits=st.text(string.digits, min_size=1, max_size=19))
def test_one_check_digit_in_ten_passes(digits: str) -> None:
    assert sum(passes_luhn(digits + last) for last in string.digits) == 1


@given(text=st.text(string.ascii_letters + " .,!?", max_size=200))
def test_words_alone_are_never_touched(text: str) -> None:
    assert mask(text) == text


def test_texts_within_metadata_are_masked_and_names_and_numbers_stay() -> None:
    value = {"a@b.org": ["ann@example.org", 5, None, {"tel": "+44 20 7946 0958"}]}
    assert mask_within(value) == {"a@b.org": [EMAIL, 5, None, {"tel": PHONE}]}


@pytest.mark.parametrize("piece", ["1", "1 ", "a", "a.", "(0", "+1-", "4111 ", "@a."])
def test_the_longest_text_takes_milliseconds(piece: str) -> None:
    started = time.process_time()
    mask((piece * 20_000)[:20_000])
    assert time.process_time() - started < 1
