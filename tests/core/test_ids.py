"""UUIDv7: ordered by time, prunable by time, unique."""

from datetime import UTC, datetime, timedelta

from feedbackhub.core.ids import uuid7, uuid7_floor, uuid7_time

AT = datetime(2026, 11, 23, 12, 0, 0, 123000, tzinfo=UTC)


def test_layout_is_that_of_the_rfc() -> None:
    made = uuid7(AT)
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"


def test_time_comes_back_to_the_millisecond() -> None:
    assert uuid7_time(uuid7(AT)) == AT


def test_later_sorts_after_earlier_and_a_floor_below_both() -> None:
    earlier, later = uuid7(AT), uuid7(AT + timedelta(milliseconds=1))
    assert uuid7_floor(AT) <= earlier < uuid7_floor(AT + timedelta(milliseconds=1)) <= later


def test_many_of_one_millisecond_are_distinct() -> None:
    assert len({uuid7(AT) for _ in range(10_000)}) == 10_000
