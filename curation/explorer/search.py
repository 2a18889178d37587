"""The samples a filter asks for, page by page, in bounded time however many there are.

No OFFSET over the result and no count of everything. A page is read along an index in the order it
is shown in, beginning after the last row of the page before. Rows that do not fit are passed over,
but only so many: a filter that fits one sample in a million would otherwise read a million. The
page then says how far it looked, and the next one goes on there. A small project is read whole.

The conditions are subqueries with a LIMIT on purpose: the planner cannot turn them into joins over
whole tables, so that a row costs a few index look-ups whatever the statistics say.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import connection

from curation.explorer.filters import NONE, SampleFilter
from curation.explorer.words import tsquery
from curation.models import Project

PAGE = 50
COUNTED_TO = 10_000
SMALL = 10_000
# How far one page looks: along rows whose own columns are compared (a few hundred ns each), rows in
# the order of their ids that other tables are asked about (a few µs), rows in another order, which
# lie anywhere (tens of µs when they are not at hand), and texts that are cut into words.
SCAN, WALK, SCATTERED, TEXTS = 100_000, 10_000, 5_000, 5_000
# Words expected in no more texts than this are looked up; commoner ones are met soon enough along
# the way. Whether words of a phrase stand together only the text itself can tell.
RARE, RARE_PHRASE = 20_000, 2_000

COLUMNS = "s.text, s.origin, s.language, s.length, s.created_at, s.cluster_id, s.prediction_id"
WORDS = "to_tsvector('simple'::regconfig, COALESCE(s.text, '')) @@ to_tsquery('simple', %(query)s)"
# Conditions on the sample's own row.
OWN: Mapping[str, str] = {
    "origin": "s.origin = %(origin)s",
    "language": "s.language = %(language)s",
    "length_from": "s.length >= %(length_from)s",
    "length_to": "s.length <= %(length_to)s",
    "since": "s.created_at >= %(since)s",
    "until": "s.created_at < %(until)s",
    "cluster": "s.cluster_id = %(cluster)s",
    "sample": "s.id = %(sample)s",
}
LABEL: Mapping[str, str] = {
    "label": "l.value = %(label)s",
    "label_origin": "l.origin = %(label_origin)s",
    "quality_from": "l.quality >= %(quality_from)s",
    "quality_to": "l.quality <= %(quality_to)s",
}
SCORE: Mapping[str, str] = {
    "version": "c.model_version = %(version)s",
    "margin_from": "c.margin >= %(margin_from)s",
    "margin_to": "c.margin <= %(margin_to)s",
}
ITEM: Mapping[str, str] = {"queue": "i.queue = %(queue)s", "status": "i.status = %(status)s"}
DISAGREEMENT: Mapping[str, str] = {"disagreement": "%(disagreement)s = ANY (d.kinds)"}
EXCLUDED = (
    "(SELECT true FROM curation_trainingexclusion x WHERE x.sample_id = s.id LIMIT 1) IS TRUE"
)
SENT = """(EXISTS (
    SELECT 1 FROM curation_prediction p WHERE p.id = s.prediction_id AND p.source_id = %(source)s
) OR EXISTS (
    SELECT 1 FROM curation_feedbackoutcome o JOIN curation_feedback f ON f.id = o.feedback_id
    WHERE o.sample_id = s.id AND f.source_id = %(source)s
))"""


@dataclass(frozen=True)
class Walk:
    """Rows in the order of an index; ``key`` and ``id`` are what the order goes by."""

    key: str
    id: str
    rows: str
    """FROM and WHERE."""
    way: str
    """ASC or DESC."""

    def sql(self, *, is_later: bool, window: int | None) -> str:
        """(key, id) in order, from the row after the cursor on, so many of them."""
        sign = "<" if self.way == "DESC" else ">"
        # Compared as a row, an index on both is entered at the very place.
        later = f" AND ({self.key}, {self.id}) {sign} (%(after_key)s, %(after_id)s)"
        rows = f"SELECT {self.key} AS key, {self.id} AS id{self.more} FROM {self.rows}"
        by = f"ORDER BY {self.key} {self.way}, {self.id} {self.way}"
        bound = f" LIMIT {window}" if window else ""
        return f"{rows}{later if is_later else ''} {by}{bound}"

    @property
    def more(self) -> str:
        """What else the rows have: a walk along samples needs no second look at them."""
        return f", {COLUMNS}" if self.is_of_samples else ""

    @property
    def is_of_samples(self) -> bool:
        """Whether its rows are samples."""
        return self.id == "s.id"

    @property
    def is_by_id(self) -> bool:
        """Whether its key is the id itself."""
        return self.key == self.id


OF_PROJECT = "WHERE s.project_id = %(project)s"
NEWEST = Walk("s.id", "s.id", f"curation_sample s {OF_PROJECT}", "DESC")
NEWEST_OF_LABEL = Walk(
    "l.sample_id",
    "l.sample_id",
    "curation_label l WHERE l.is_current AND l.value = %(label)s",
    "DESC",
)
DISPUTED = Walk(
    "d.strength",
    "d.sample_id",
    "curation_disagreement d WHERE d.project_id = %(project)s AND d.resolved_at IS NULL",
    "DESC",
)
# The version whose scores rank the queues; those of others are kept beside them.
RANKING = "(SELECT r.version FROM curation_ranking r WHERE r.project_id = %(project)s)"
LEAST_SURE = Walk(
    "c.margin",
    "c.sample_id",
    f"curation_samplescore c WHERE c.project_id = %(project)s AND c.model_version = {RANKING}",
    "ASC",
)
# By order: along an index, of all projects where it has no other.
ALONG: Mapping[str, Walk] = {
    "newest": NEWEST,
    "quality": Walk("l.quality", "l.sample_id", "curation_label l WHERE l.is_current", "ASC"),
    "margin": LEAST_SURE,
    "strength": DISPUTED,
}
# By order: the key, the way, and what samples are joined with to know it.
THROUGH: Mapping[str, tuple[str, str, str]] = {
    "newest": ("s.id", "DESC", ""),
    "quality": (
        "l.quality",
        "ASC",
        "JOIN curation_label l ON l.sample_id = s.id AND l.is_current",
    ),
    "margin": (
        "c.margin",
        "ASC",
        f"JOIN curation_samplescore c ON c.sample_id = s.id AND c.model_version = {RANKING}",
    ),
    "strength": (
        "d.strength",
        "DESC",
        "JOIN curation_disagreement d ON d.sample_id = s.id AND d.resolved_at IS NULL",
    ),
}


@dataclass(frozen=True)
class Found:
    """One page of samples."""

    ids: list[int]
    next: str
    """Where the next page begins; empty at the end."""
    looked_at: int | None
    """After so many rows it stopped looking for more; None when it is full, or at the end."""


@dataclass(frozen=True)
class Count:
    """How many samples fit."""

    n: int
    is_exact: bool
    """Otherwise there are at least so many."""

    def __str__(self) -> str:
        return f"{self.n:,}" if self.is_exact else f"{self.n:,}+"


class Search:
    """One filter in one project, turned into SQL."""

    def __init__(self, *, project: Project, given: SampleFilter, is_bounded: bool = True) -> None:
        """Without bounds it reads all there is: for work outside requests."""
        query = tsquery(given.q)
        self._asks = {name: value for name, value in given.asks.items() if name != "q" or query}
        self._params = {**self._asks, **_days(given), "project": project.pk, "query": query}
        self._looks_up = self._choose_look_up(query)
        is_whole = not is_bounded or bool(self._looks_up) or _is_small(project)
        self._walk = self._through(given.sort) if is_whole else self._along(given.sort)
        self._window = None if is_whole else self._widest()

    def page(self, *, after: str = "", limit: int = PAGE) -> Found:
        """The samples after the row that ``after`` (a :attr:`Found.next`) names."""
        cursor = self._cursor(after)
        params = {**self._params, **cursor, "most": limit + 1}
        way = self._walk.way
        sql = f"{self._sql(is_later=bool(cursor))} ORDER BY s.key {way}, s.id {way} LIMIT %(most)s"
        rows = _rows(sql, params)
        ids = [pk for _, pk in rows[:limit]]
        if len(rows) > limit:
            return Found(ids, _written(*rows[limit - 1]), None)
        stopped = self._stopped(cursor)
        return Found(ids, stopped, self._window if stopped else None)

    def count(self) -> Count:
        """How many fit, counted no further than :data:`COUNTED_TO` and than a page would look."""
        sql = f"SELECT count(*), 0 FROM ({self._sql(is_later=False)} LIMIT %(most)s) bounded"
        ((n, _),) = _rows(sql, {**self._params, "most": COUNTED_TO + 1})
        if n > COUNTED_TO:
            return Count(COUNTED_TO, is_exact=False)
        return Count(n, is_exact=not self._stopped({}))

    def ids(self) -> tuple[str, dict[str, Any]]:
        """A query of the ids of what fits, in no order, with its parameters."""
        return f"SELECT id FROM ({self._sql(is_later=False)}) fitting", self._params

    def _choose_look_up(self, query: str) -> str:
        """A condition that few samples fit, and an index knows which; empty without one."""
        for name in ("sample", "cluster"):
            if name in self._asks:
                return OWN[name]
        if not query:
            return ""
        most = RARE_PHRASE if "<->" in query else RARE
        return WORDS if _expected(WORDS, self._params) <= most else ""

    def _through(self, sort: str) -> Walk:
        """All samples there are, or all that were looked up."""
        key, way, joined = THROUGH[sort]
        samples = "curation_sample"
        if self._looks_up:
            # On its own and as a whole: else the planner would walk along the ids and cut every
            # text into words, hoping to meet enough of them soon.
            samples = (
                f"(WITH hits AS MATERIALIZED (SELECT s.id, s.project_id, {COLUMNS} "
                f"FROM curation_sample s {OF_PROJECT} AND {self._looks_up}) SELECT * FROM hits)"
            )
        return Walk(key, "s.id", f"{samples} s {joined} {OF_PROJECT}", way)

    def _along(self, sort: str) -> Walk:
        if sort == "newest" and self._asks.get("label") not in (None, NONE):
            return NEWEST_OF_LABEL
        return ALONG[sort]

    def _widest(self) -> int:
        """How many rows a page looks at."""
        if "q" in self._asks:
            return TEXTS
        if not self._walk.is_by_id:
            return SCATTERED
        return SCAN if self._walk.is_of_samples and not self._others() else WALK

    def _sql(self, *, is_later: bool) -> str:
        """(key, id) of what fits."""
        walked = self._walk.sql(is_later=is_later, window=self._window)
        if not self._walk.is_of_samples:
            walked = (
                f"SELECT w.key, w.id, s.* FROM ({walked}) w CROSS JOIN LATERAL (SELECT {COLUMNS} "
                f"FROM curation_sample s {OF_PROJECT} AND s.id = w.id LIMIT 1) s"
            )
        conditions = [*(sql for name, sql in OWN.items() if name in self._asks), *self._others()]
        where = " AND ".join(conditions) or "true"
        if "q" in self._asks and self._looks_up != WORDS:
            # Last, for a text that fits otherwise: it costs most.
            where = f"CASE WHEN {where} THEN {WORDS} ELSE false END"
        return f"SELECT s.key, s.id FROM ({walked}) s WHERE {where}"

    def _others(self) -> list[str]:
        """What other tables are asked about a sample."""
        asks = self._asks
        found = [
            *_one("curation_label l WHERE l.sample_id = s.id AND l.is_current", LABEL, asks),
            *_one(_scores(asks), SCORE, asks),
            *_one("curation_reviewitem i WHERE i.sample_id = s.id", ITEM, asks),
            *_one(
                "curation_disagreement d WHERE d.sample_id = s.id AND d.resolved_at IS NULL",
                DISAGREEMENT,
                asks,
            ),
        ]
        if (split := asks.get("split")) == NONE:
            found.append("s.cluster_id IS NULL")
        elif split:
            found.append(
                "(SELECT g.split FROM curation_cluster g WHERE g.id = s.cluster_id) = %(split)s"
            )
        if "thumbs" in asks:
            spoken = (
                "(SELECT true FROM curation_feedbackoutcome o "
                "WHERE o.sample_id = s.id AND o.state = 'counted' LIMIT 1)"
            )
            found.append(f"{spoken} IS {'' if asks['thumbs'] == 'yes' else 'NOT '}TRUE")
        if "training" in asks:
            found.append(EXCLUDED)
        if "source" in asks:
            found.append(SENT)
        return found

    def _stopped(self, cursor: Mapping[str, Any]) -> str:
        """The last row a page looks at, if there are more after it."""
        if self._window is None:
            return ""
        walked = self._walk.sql(is_later=bool(cursor), window=None)
        sql = f"SELECT key, id FROM ({walked}) w OFFSET {self._window - 1} LIMIT 1"
        last = _rows(sql, {**self._params, **cursor})
        return _written(*last[0]) if last else ""

    def _cursor(self, after: str) -> dict[str, Any]:
        key, _, pk = after.rpartition("_")
        try:
            at = int(key) if self._walk.is_by_id else float(key)
            return {"after_key": at, "after_id": int(pk)}
        except ValueError:
            return {}


def _one(table: str, conditions: Mapping[str, str], asks: Mapping[str, Any]) -> list[str]:
    """That a row of ``table`` fits; with the label ``none``, that there is no row."""
    if conditions is LABEL and asks.get("label") == NONE:
        return [f"(SELECT true FROM {table} LIMIT 1) IS NOT TRUE"]
    asked = [sql for name, sql in conditions.items() if name in asks]
    return [f"(SELECT true FROM {' AND '.join([table, *asked])} LIMIT 1)"] if asked else []


def _scores(asks: Mapping[str, Any]) -> str:
    """The score of a sample that counts: by the version asked for, or the one that ranks."""
    whose = "" if "version" in asks else f" AND c.model_version = {RANKING}"
    return f"curation_samplescore c WHERE c.sample_id = s.id{whose}"


def _days(given: SampleFilter) -> dict[str, datetime]:
    """From the first moment of one day to the first after the other, in UTC."""
    days: dict[str, datetime] = {}
    if given.since:
        days["since"] = datetime.combine(given.since, time(), UTC)
    if given.until and given.until < date.max:
        days["until"] = datetime.combine(given.until + timedelta(days=1), time(), UTC)
    return days


def _is_small(project: Project) -> bool:
    sql = f"SELECT count(*), 0 FROM (SELECT 1 FROM {NEWEST.rows} LIMIT %(most)s) bounded"
    ((n, _),) = _rows(sql, {"project": project.pk, "most": SMALL + 1})
    return bool(n <= SMALL)


def _expected(condition: str, params: Mapping[str, Any]) -> int:
    """In how many samples the planner expects a condition to hold; nothing is read for it."""
    sql = f"EXPLAIN (FORMAT JSON) SELECT 1 FROM curation_sample s WHERE {condition}"
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        ((plan,),) = cursor.fetchall()
    return int((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]["Plan Rows"])


def _written(key: Any, pk: int) -> str:
    return f"{key!r}_{pk}"


def _rows(sql: str, params: Mapping[str, Any]) -> list[tuple[Any, int]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())
