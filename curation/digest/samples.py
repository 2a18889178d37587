"""Samples: one row for each distinct text, in the cluster of the texts it is like.

A cluster has one split, fixed when it is made, so that a text which candidates are judged on is
never one they were trained on in other words.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from curation.digest.language import languages_of
from curation.digest.near import Home, Neighbourhood, array_text, lock_clusters, prepare
from curation.digest.normalise import content_hash
from curation.models import CurationPolicy, Project, Sample
from curation.models.sample import Split
from feedbackhub.core.sql import execute, statements
from feedbackhub.core.subjects import unit_interval

SQL = statements(Path(__file__).with_name("samples.sql"))
SPLIT_SALT = "split"
# Audit clusters judge candidates; a quarter of them is kept aside to calibrate confidences.
AUDIT_TEST_SHARE = 0.75


@dataclass(frozen=True)
class NewSample:
    """A text that came in, and how."""

    text: str
    origin: str
    """A value of ``Sample.Origin``."""
    prediction_id: UUID | str | None = None
    metadata: Mapping[str, Any] | None = None
    content_hash: bytes | None = None
    """Of the text, when the caller has it already."""


def upsert_samples(*, project: Project, samples: Sequence[NewSample], now: datetime) -> list[int]:
    """The ids of the samples with these texts, in the order given; unknown texts are made samples.

    A new text joins the cluster of the earliest text it is a near-duplicate of, whatever their
    labels. One that is alike to texts of different splits belongs to no cluster, and so to no
    split; what is alike to nothing, or to such texts alone, gets a cluster of its own, whose split
    is fixed by a hash of the content. A text we had keeps its row and its cluster, whatever it
    comes with this time; of equal texts in one call the first decides. An erased one comes back to
    its row and its cluster, unless it is alike to texts of another split by now.

    New texts of a project are taken in by one writer at a time until its transaction ends: commit
    soon.
    """
    if not samples:
        return []
    hashes = [given.content_hash or content_hash(given.text) for given in samples]
    first: dict[bytes, NewSample] = {}
    for digest, given in zip(hashes, samples, strict=True):
        first.setdefault(digest, given)
    with transaction.atomic():
        known, erased = _known(project, list(first))
        new = {d: given for d, given in first.items() if d not in known or d in erased}
        if new:
            known |= _take_in(project, new, now)
    return [known[digest] for digest in hashes]


def split_of(*, origin: str, digest: bytes, test_share: float) -> Split:
    """The split of a new cluster: a function of where it came from and what it says."""
    draw = unit_interval(SPLIT_SALT, digest)
    if origin == Sample.Origin.IMPORT:
        return Split.TEST if draw < test_share else Split.TRAIN
    if origin == Sample.Origin.AUDIT:
        return Split.TEST if draw < AUDIT_TEST_SHARE else Split.CALIBRATE
    return Split.TRAIN


def _known(project: Project, hashes: list[bytes]) -> tuple[dict[bytes, int], set[bytes]]:
    """The ids of the samples there are, and the hashes of those without their text."""
    with connection.cursor() as cursor:
        cursor.execute(SQL["samples_by_content"], {"project": project.pk, "hashes": hashes})
        rows = [(bytes(digest), pk, is_erased) for digest, pk, is_erased in cursor.fetchall()]
    return {digest: pk for digest, pk, _ in rows}, {d for d, _, is_erased in rows if is_erased}


def _take_in(project: Project, given: Mapping[bytes, NewSample], now: datetime) -> dict[bytes, int]:
    """The ids of texts that were unknown or erased when last looked; now they are neither."""
    hashes = list(given)
    prepared = prepare([each.text for each in given.values()], project_id=project.pk)
    lock_clusters(project_id=project.pk)
    # Whoever held the lock may have brought some of them.
    known, erased = _known(project, hashes)
    near = Neighbourhood(
        prepared,
        project_id=project.pk,
        asked=[at for at, d in enumerate(hashes) if d not in known or d in erased],
    )
    back = [(at, known[d], given[d]) for at, d in enumerate(hashes) if d in erased]
    if back:
        _revive(back, near)
    missing = [(at, d, given[d]) for at, d in enumerate(hashes) if d not in known]
    if missing:
        known |= _insert(project, missing, near, now)
    if near.bands:
        execute(
            SQL["list_bands"], {"bands": array_text(near.bands), "listed": array_text(near.listed)}
        )
    return known


def _insert(
    project: Project,
    new: Sequence[tuple[int, bytes, NewSample]],
    near: Neighbourhood,
    now: datetime,
) -> dict[bytes, int]:
    """Make samples of texts, each with its place in the batch; their ids by content."""
    policy = CurationPolicy.objects.filter(project=project).first() or CurationPolicy()
    with connection.cursor() as cursor:
        cursor.execute(SQL["draw_ids"], {"count": len(new)})
        ids = cursor.fetchall()
    clusters: list[int | None] = []
    founded: list[tuple[int, str, int]] = []
    for (at, digest, given), (sample_id, own) in zip(new, ids, strict=True):
        home, is_torn = near.home(at)
        if home is None and not is_torn:
            split = split_of(origin=given.origin, digest=digest, test_share=policy.test_share)
            home = Home(own, split)
            founded.append((own, str(split), sample_id))
        if home is not None:
            near.settle(at, sample_id=sample_id, home=home)
        clusters.append(home.cluster_id if home else None)
    execute(
        SQL["insert_samples"],
        {
            **_parameters([(at, given) for at, _, given in new], near),
            "project": project.pk,
            "ids": [sample_id for sample_id, _ in ids],
            "hashes": [digest for _, digest, _ in new],
            "clusters": clusters,
            "languages": languages_of([given.text for _, _, given in new]),
            "origins": [str(given.origin) for _, _, given in new],
            "new_clusters": [cluster for cluster, _, _ in founded],
            "splits": [split for _, split, _ in founded],
            "founders": [sample_id for _, _, sample_id in founded],
            "now": now,
        },
    )
    return {digest: sample_id for (_, digest, _), (sample_id, _) in zip(new, ids, strict=True)}


def _revive(back: Sequence[tuple[int, int, NewSample]], near: Neighbourhood) -> None:
    """Give erased samples their texts again; each with its place in the batch and its id."""
    with connection.cursor() as cursor:
        cursor.execute(SQL["homes"], {"samples": [sample_id for _, sample_id, _ in back]})
        homes = {pk: Home(cluster, split) for pk, cluster, split in cursor.fetchall()}
    for at, sample_id, _ in back:
        home = homes.get(sample_id)
        if home is None:
            continue
        if near.splits(at) <= {home.split}:
            near.settle(at, sample_id=sample_id, home=home)
        else:
            del homes[sample_id]
    kept = [homes.get(sample_id) for _, sample_id, _ in back]
    execute(
        SQL["revive_samples"],
        {
            **_parameters([(at, given) for at, _, given in back], near),
            "ids": [sample_id for _, sample_id, _ in back],
            "clusters": [home.cluster_id if home else None for home in kept],
        },
    )


def _parameters(given: Sequence[tuple[int, NewSample]], near: Neighbourhood) -> dict[str, Any]:
    """What the statements that write texts share; the lists run in step."""
    return {
        "texts": [sample.text for _, sample in given],
        "signatures": [near.signature(at) for at, _ in given],
        "predictions": [sample.prediction_id for _, sample in given],
        "metadata": [
            None if sample.metadata is None else json.dumps(dict(sample.metadata))
            for _, sample in given
        ],
    }
