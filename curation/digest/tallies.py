"""The counts of requests, rolled up into a row a minute and source."""

from pathlib import Path

from feedbackhub.core.sql import execute, statements

SQL = statements(Path(__file__).with_name("tallies.sql"))


def roll_up() -> int:
    """Add what requests have counted to their minutes; how many minutes that touched.

    One statement: a count is in a tally or in its minute, never in both and never in neither.
    """
    return execute(SQL["roll_up"], {})
