"""The hub's rows as an auditor reads them: by SQL, beside the running hub."""

from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg2

from curation.queries import SQL
from feedbackhub.environment import HUB_ENV


class Records:
    """A read of the database each time; settings of policies are the only thing written."""

    def __init__(self, home: Path, project: int) -> None:
        lines = (home / HUB_ENV).read_text().splitlines()
        variables = dict(line.split("=", 1) for line in lines if "=" in line)
        self._connection = psycopg2.connect(variables["DATABASE_URL"])
        self._connection.autocommit = True
        self.project = project

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()

    def rows(self, sql: str, **params: Any) -> list[tuple[Any, ...]]:
        """The rows of a question; ``%(project)s`` is at hand."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, {"project": self.project, **params})
            return cursor.fetchall()

    def one(self, sql: str, **params: Any) -> Any:
        """The single value a question has."""
        [[value]] = self.rows(sql, **params)
        return value

    def set_policy(self, room: str, **values: float) -> None:
        """What the policy's page in the admin does."""
        names = ", ".join(f"{name} = %({name})s" for name in values)
        with self._connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {room}policy SET {names} WHERE project_id = %(project)s",
                {"project": self.project, **values},
            )

    def undigested(self) -> int:
        """Events that landed and were not looked at."""
        return int(self.one("SELECT count(*) FROM curation_landed WHERE project_id = %(project)s"))

    def new_labels(self) -> int:
        """Trainable labels since the last run froze its snapshot."""
        since = self.one(
            "SELECT max(started_at) FROM training_trainingrun WHERE project_id = %(project)s"
        )
        return int(self.one(SQL["new_label_count"], since=since, min_quality=0.6))

    def test_labels(self) -> int:
        """Labels that candidates are judged on."""
        return int(self.one(SQL["label_count"], split="test", min_quality=0.6, trusted_only=True))

    def runs(self) -> list[tuple[str, str]]:
        """Trigger and status of every training run, oldest first."""
        return self.rows(
            "SELECT trigger, status FROM training_trainingrun WHERE project_id = %(project)s "
            "ORDER BY id"
        )

    def status_of(self, number: int) -> str:
        """The status of a model version; empty while there is none."""
        found = self.rows(
            "SELECT status FROM training_modelversion "
            "WHERE project_id = %(project)s AND number = %(number)s",
            number=number,
        )
        return str(found[0][0]) if found else ""

    def verdicts_on(self, number: int) -> list[tuple[str, int]]:
        """Verdict and test labels of every evaluation of a version, oldest first."""
        return self.rows(
            "SELECT e.verdict, e.n_test FROM training_evaluation e "
            "JOIN training_modelversion v ON v.id = e.version_id "
            "WHERE v.project_id = %(project)s AND v.number = %(number)s ORDER BY e.id",
            number=number,
        )

    def rollout_of(self, number: int) -> tuple[int, str] | None:
        """Id and status of the latest rollout of a version."""
        found = self.rows(
            "SELECT r.id, r.status FROM rollout_rollout r "
            "JOIN training_modelversion v ON v.id = r.candidate_id "
            "WHERE v.project_id = %(project)s AND v.number = %(number)s ORDER BY r.id DESC LIMIT 1",
            number=number,
        )
        return found[0] if found else None

    def thumbs_behind(self, number: int) -> set[str]:
        """Event ids of the thumbs that the training labels of a version rest on."""
        found = self.rows(
            "SELECT DISTINCT f.event_id FROM curation_labelevidence e "
            "JOIN training_snapshotitem i ON i.label_id = e.label_id AND i.split = 'train' "
            "JOIN training_trainingrun r ON r.snapshot_id = i.snapshot_id "
            "JOIN training_modelversion v ON v.run_id = r.id "
            "JOIN curation_feedback f ON f.id = e.feedback_id "
            "WHERE v.project_id = %(project)s AND v.number = %(number)s",
            number=number,
        )
        return {event_id for (event_id,) in found}

    def arms_of(self, rollout: int) -> list[tuple[UUID, str, str]]:
        """Prediction, arm and version of everything a rollout answered."""
        return self.rows(
            "SELECT id::text, arm, model_version FROM curation_prediction "
            "WHERE project_id = %(project)s AND rollout_id = %(rollout)s",
            rollout=rollout,
        )
