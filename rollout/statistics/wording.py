"""Numbers as a person reads them: percent, points and durations."""

from datetime import timedelta

from rollout.statistics.estimates import Measured, NotEnough

MINUS = "−"


def percent(measured: Measured) -> str:
    """A share with its interval: "91.3 % (88.0 to 93.8)"; words when there is none.

    >>> from rollout.statistics.estimates import Estimate
    >>> percent(Estimate(0.9131, 0.88, 0.9377, 412))
    '91.3 % (88.0 to 93.8)'
    """
    if isinstance(measured, NotEnough):
        return measured.sentence
    value, low, high = (_decimal(100 * x) for x in (measured.value, measured.low, measured.high))
    return f"{value} % ({low} to {high})"


def points(measured: Measured) -> str:
    """A difference of shares: "+3.1 points (0.8 to 5.4)"; words when there is none.

    >>> from rollout.statistics.estimates import Estimate
    >>> points(Estimate(0.0312, -0.008, 0.054, 900))
    '+3.1 points (−0.8 to 5.4)'
    """
    if isinstance(measured, NotEnough):
        return measured.sentence
    sign = "+" if measured.value > 0 else ""
    value, low, high = (_decimal(100 * x) for x in (measured.value, measured.low, measured.high))
    return f"{sign}{value} points ({low} to {high})"


def ratio(measured: Measured) -> str:
    """An odds ratio: "1.83 (1.44 to 2.33)"; words when there is none."""
    if isinstance(measured, NotEnough):
        return measured.sentence
    return f"{measured.value:.2f} ({measured.low:.2f} to {measured.high:.2f})"


def share_of_subjects(share: float) -> str:
    """Whom a share of the traffic stands for: "half of the subjects", "10 % of subjects".

    >>> share_of_subjects(0.5), share_of_subjects(0.1), share_of_subjects(1.0)
    ('half of the subjects', '10 % of subjects', 'every subject')
    """
    if share == 1:
        return "every subject"
    return "half of the subjects" if share == 0.5 else f"{100 * share:.3g} % of subjects"


def duration(span: timedelta) -> str:
    """A span in the one unit that fits: "9 hours", "1 minute", "3 days".

    >>> duration(timedelta(hours=8.96)), duration(timedelta(seconds=20))
    ('9 hours', 'under a minute')
    """
    seconds = span.total_seconds()
    if seconds < 60:
        return "under a minute"
    # Each unit lasts until the next reads better: 90 minutes, 36 hours.
    for unit, size, until in (("minute", 60, 90 * 60), ("hour", 3600, 36 * 3600)):
        if seconds < until:
            return _counted(round(seconds / size), unit)
    return _counted(round(seconds / 86_400), "day")


def _counted(count: int, unit: str) -> str:
    return f"{count:,} {unit}" if count == 1 else f"{count:,} {unit}s"


def _decimal(number: float) -> str:
    """One decimal, a real minus sign, and no "−0.0"."""
    text = f"{number:.1f}"
    if float(text) == 0:
        return "0.0"
    return text.replace("-", MINUS)
