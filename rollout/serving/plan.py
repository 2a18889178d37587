"""Who answers now: the champion, and the candidate of a running test with its share.

Each process reads the plan from the database at most twice a second. A new plan takes over once
its models are loaded; until then the one before goes on answering, so a promotion or a rollback
costs no request. A process that has not been asked for a while waits for the load instead, so that
it never answers from a plan that is long out of date.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from feedbackhub.core.sql import fetch, statements
from rollout.models import Rollout
from rollout.serving.cache import LoadFailure, ModelCache, ServedVersion
from rollout.serving.scorer import Scorer

SQL = statements(Path(__file__).with_name("plan.sql"))
SECONDS_FRESH = 0.5
# Without a look for this long, a process cannot know how long a change has been waiting for it.
SECONDS_UNWATCHED = 1.0
SECONDS_TO_LOAD = 60.0
# While a new plan's models load, whether they are there is asked this often.
SECONDS_LOADING = 0.1


@dataclass(frozen=True)
class Wanted:
    """What the database says should serve a project."""

    champion: ServedVersion
    candidate: ServedVersion | None
    """Of the running A/B test; None without one."""
    day0: ServedVersion | None
    """Where held-back subjects stay; None when none are held back."""
    rollout_id: int | None
    salt: str
    """Of the rollout's assignment."""
    treatment_share: float
    holdback_share: float
    warm: tuple[ServedVersion, ...]
    """Versions that may serve within a moment: kept loaded, asked for nothing."""


@dataclass(frozen=True)
class ServingPlan:
    """Who answers a project's texts, with every model it names in memory."""

    project_id: int
    champion: ServedVersion
    candidate: ServedVersion | None
    day0: ServedVersion | None
    rollout_id: int | None
    salt: str
    treatment_share: float
    holdback_share: float
    scorers: Mapping[int, Scorer]
    """By version id."""


def current_plan(project_id: int) -> ServingPlan | None:
    """The plan of a project, at most a second old; None when it has no champion that loads."""
    desk = _desks.get(project_id)
    if desk is None:
        desk = _desks.setdefault(project_id, _Desk(project_id))
    return desk.current()


def load_failures() -> list[LoadFailure]:
    """Models that should be ready in this process and are not."""
    return _models.failures()


def forget() -> None:
    """Drop every plan and model, as a fresh process."""
    _desks.clear()
    _models.keep_only(())


class _Desk:
    """The plan of one project in this process."""

    def __init__(self, project_id: int) -> None:
        self._project_id = project_id
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._wanted: Wanted | None = None
        self._plan: ServingPlan | None = None

    def current(self) -> ServingPlan | None:
        """The plan, after a look at the database when the last one is too old."""
        age = time.monotonic() - self._looked_at
        if age < SECONDS_FRESH:
            return self._plan
        # One thread looks; the others go on with the plan that is there, unless it may be old.
        must_wait = self._plan is None or age > SECONDS_UNWATCHED
        if not self._lock.acquire(blocking=must_wait):
            return self._plan
        try:
            if time.monotonic() - self._looked_at >= SECONDS_FRESH:
                self._look(must_wait=must_wait)
        finally:
            self._lock.release()
        return self._plan

    def shas(self) -> set[str]:
        """The files this desk needs in memory."""
        return {version.sha256 for version in _versions(self._wanted)}

    def _look(self, *, must_wait: bool) -> None:
        wanted = _read_wanted(self._project_id)
        self._wanted = wanted
        is_settled = True
        if wanted is None:
            self._plan = None
        else:
            # Before the warm ones: one thread loads, in this order.
            needed = [_models.load(version) for version in _serving(wanted)]
            for version in wanted.warm:
                _models.load(version)
            loading = [one for one in needed if one is not None]
            is_settled = self._take_over(wanted, loading, must_wait=must_wait)
        _models.keep_only({sha256 for desk in list(_desks.values()) for sha256 in desk.shas()})
        self._looked_at = time.monotonic()
        if not is_settled:
            self._looked_at -= SECONDS_FRESH - SECONDS_LOADING

    def _take_over(self, wanted: Wanted, loading: list[Future[None]], *, must_wait: bool) -> bool:
        """Serve what is wanted if its models are there; whether that is settled."""
        if must_wait and loading:
            wait(loading, timeout=SECONDS_TO_LOAD)
        if not all(future.done() for future in loading):
            return False  # The plan before goes on; a later look finds them loaded.
        self._settle(wanted)
        return True

    def _settle(self, wanted: Wanted) -> None:
        """Serve what is wanted as far as it loads: the champion must, the others may be missing."""
        scorers = {
            version.id: scorer
            for version in _serving(wanted)
            if (scorer := _models.get(version)) is not None
        }
        if wanted.champion.id not in scorers:
            return  # The last good plan goes on; the failure is logged and counted.
        candidate = wanted.candidate if _is_in(wanted.candidate, scorers) else None
        day0 = wanted.day0 if _is_in(wanted.day0, scorers) else None
        self._plan = ServingPlan(
            project_id=self._project_id,
            champion=wanted.champion,
            candidate=candidate,
            day0=day0,
            rollout_id=wanted.rollout_id if candidate else None,
            salt=wanted.salt,
            treatment_share=wanted.treatment_share,
            holdback_share=wanted.holdback_share if day0 else 0.0,
            scorers=scorers,
        )


_models = ModelCache()
_desks: dict[int, _Desk] = {}


@dataclass(frozen=True)
class _VersionRow:
    id: int
    number: int
    artifact_path: str
    artifact_sha256: str
    is_champion: bool
    rollout_id: int | None
    rollout_status: str
    salt: str
    treatment_share: float
    is_day0: bool
    holdback_share: float

    def version(self) -> ServedVersion:
        return ServedVersion(
            id=self.id,
            name=f"v{self.number}",
            path=Path(settings.ARTIFACTS_DIR) / self.artifact_path,
            sha256=self.artifact_sha256,
        )


def _read_wanted(project_id: int) -> Wanted | None:
    rows = fetch(SQL["serving_versions"], {"project_id": project_id}, into=_VersionRow)
    champion = next((row for row in rows if row.is_champion), None)
    if champion is None:
        return None
    tested = next(
        (row for row in rows if row.rollout_status == Rollout.Status.AB_TEST and row != champion),
        None,
    )
    day0 = next((row for row in rows if row.is_day0 and row.holdback_share > 0), None)
    return Wanted(
        champion=champion.version(),
        candidate=tested.version() if tested else None,
        day0=day0.version() if day0 else None,
        rollout_id=tested.rollout_id if tested else None,
        salt=tested.salt if tested else "",
        treatment_share=tested.treatment_share if tested else 0.0,
        holdback_share=day0.holdback_share if day0 else 0.0,
        warm=tuple(row.version() for row in rows if row not in (champion, tested, day0)),
    )


def _serving(wanted: Wanted) -> list[ServedVersion]:
    """The versions that answer under the plan, the champion first."""
    versions = (wanted.champion, wanted.candidate, wanted.day0)
    return [version for version in versions if version is not None]


def _versions(wanted: Wanted | None) -> Sequence[ServedVersion]:
    return [*_serving(wanted), *wanted.warm] if wanted else []


def _is_in(version: ServedVersion | None, scorers: Mapping[int, Scorer]) -> bool:
    return version is not None and version.id in scorers
