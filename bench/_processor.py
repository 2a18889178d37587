"""Processor time of the servers a bench has started: what a busy machine distorts least.

Linux counts it to the nanosecond in ``/proc/<pid>/task/<tid>/schedstat``.
"""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

PROC = Path("/proc")
KINDS = {"postgres": "database", "redis-server": "Redis"}


def spent_by(call: Callable[[], object], *, events: int) -> dict[str, float]:
    """Microseconds of processor time for each of ``events`` during a call, by kind of server.

    Of processes and threads that live before and after it; clients and this process are left out.
    """
    before = _nanoseconds()
    call()
    after = _nanoseconds()
    return {kind: (after[kind] - before[kind]) / events / 1_000 for kind in sorted(after)}


def _nanoseconds() -> Counter[str]:
    spent: Counter[str] = Counter()
    for process in _descendants(os.getpid()):
        try:
            kind = KINDS.get((process / "comm").read_text().strip(), "web")
            for thread in (process / "task").iterdir():
                spent[kind] += int((thread / "schedstat").read_text().split()[0])
        except OSError:
            # It has just ended.
            continue
    return spent


def _descendants(root: int) -> list[Path]:
    parents = {}
    for stat in PROC.glob("[0-9]*/stat"):
        try:
            # The name before it may hold anything, but ends with the last bracket.
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, grown = {root}, True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        grown = bool(more)
        found |= more
    return [PROC / str(pid) for pid in found - {root}]
