"""The whole loop on the whole stack: real HTTP, real workers, a real browser, no gate bypassed.

One test, because each step stands on the one before; its helpers are the steps, in order.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from feedbackhub.demo.eras import Label, opposite
from feedbackhub.supervision import CHECKOUT
from tests.browser import watched_page
from tests.journey.found import ANNOTATOR, LEAD, PASSWORD, SLUG
from tests.journey.frontend import Frontend, constant_asking
from tests.journey.records import Records
from tests.journey.reviews import Corpus, corpus
from tests.stack import OWN, Hub, running_hub

ASKED, RATED, SUBJECTS = 360, 320, 40
LIARS = {"guest-00", "guest-01", "guest-02"}
SETTLES_WITHIN_S = 2.0


@dataclass
class Journey:
    """What the steps share."""

    hub: Hub
    frontend: Frontend
    records: Records
    corpus: Corpus
    served: list[dict[str, Any]] = field(default_factory=list)
    """Answers to the first :data:`ASKED` texts, in order."""
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Every feedback body posted, by event id."""

    @property
    def truth(self) -> dict[str, Label]:
        """What an annotator knows: the label of each text, by its words.

        Imported ones are asked about as well, where models trained without them doubt a label.
        """
        return {_words(text): label for text, label in self.corpus.imported() + self.corpus.written}


@pytest.mark.stack
@pytest.mark.browser
def test_feedback_becomes_a_better_served_model(browser: Browser, tmp_path: Path) -> None:
    with _founded(tmp_path) as journey:
        with _signed_in(browser, journey, LEAD) as lead:
            _import_and_promote_the_first(journey, lead)
        _ask(journey)
        _post_thumbs(journey)
        with _signed_in(browser, journey, ANNOTATOR) as annotator:
            _label_until_a_run_starts(journey, annotator)
            _see_it_held_for_lack_of_evidence(journey)
            _label_until_it_is_blessed(journey, annotator)
        rollout = _see_the_test_start(journey)
        _check_the_arms(journey, rollout)
        _check_the_lineage(journey)
        with _signed_in(browser, journey, LEAD) as lead:
            _promote_and_roll_back(journey, lead, rollout)
        _count_everything(journey)


@contextmanager
def _founded(folder: Path) -> Iterator[Journey]:
    """A whole hub on an empty home, with a project and nothing in it."""
    with running_hub(DEMO="0") as hub:
        script = "from tests.journey.found import found; found()"
        facts = json.loads(_manage(hub, "shell", "--no-imports", "-c", script).splitlines()[-1])
        with closing(Records(hub.home, facts["project"])) as records:
            yield Journey(
                hub=hub,
                frontend=Frontend(hub.port, SLUG, facts["key"]),
                records=records,
                corpus=corpus(n=ASKED, folder=folder),
            )


def _manage(hub: Hub, *words: str) -> str:
    """What a management command prints, run beside the hub as in another terminal."""
    inherited = {name: value for name, value in os.environ.items() if name not in OWN}
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=CHECKOUT,
        env={**inherited, "FEEDBACKHUB_HOME": str(hub.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def _signed_in(browser: Browser, journey: Journey, username: str) -> Iterator[Page]:
    with watched_page(browser) as page:
        page.goto(f"{journey.hub.base_url}/")
        page.get_by_label("Username").fill(username)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"{journey.hub.base_url}/")
        yield page


def _wait_until(happened: Callable[[], Any], *, what: str, within_s: float = 60) -> Any:
    deadline = time.monotonic() + within_s
    while not (found := happened()):
        assert time.monotonic() < deadline, f"waited {within_s:.0f} s in vain: {what}"
        time.sleep(0.1)
    return found


def _import_and_promote_the_first(journey: Journey, lead: Page) -> None:
    words = ("--text", "Review", "--label", "Liked", "--map", "0=negative,1=positive")
    said = _manage(
        journey.hub, "import_samples", str(journey.corpus.dump), "--project", SLUG, *words
    )
    assert "900 rows" in said, said
    status, _ = journey.frontend.call("POST", "predictions", {"text": "Anyone there?"})
    assert status == 503, "there is no champion before the first promotion"
    records = journey.records
    rollout, _ = _wait_until(lambda: records.rollout_of(1), what="the first version's rollout")
    _wait_until(lambda: records.runs() == [("first", "succeeded")], what="the run ends")
    assert records.verdicts_on(1)[0][0] == "blessed"
    _take_step(journey, lead, rollout, "Promote v1", "The first version; its gates passed.")
    assert records.status_of(1) == "live"


def _take_step(journey: Journey, page: Page, rollout: int, button: str, reason: str) -> float:
    """Press a button of the rollout page, give the reason, confirm; when it was confirmed."""
    page.goto(f"{journey.hub.base_url}/rollouts/{SLUG}/{rollout}/")
    page.get_by_role("link", name=button, exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill(reason)
    dialog.get_by_role("button", name=button, exact=True).click()
    page.get_by_text(reason).first.wait_for()
    return time.monotonic()


def _ask(journey: Journey) -> None:
    texts = [text for text, _ in journey.corpus.written]
    items = [
        {"text": text, "subject": f"guest-{place % SUBJECTS:02d}"}
        for place, text in enumerate(texts)
    ]
    _wait_until(
        lambda: journey.frontend.call("POST", "predictions", {"text": texts[0]})[0] == 200,
        what="the first champion answers",
        within_s=5,
    )
    for start in range(0, ASKED, 90):
        journey.served += journey.frontend.predict(items[start : start + 90])
    assert {answer["model_version"] for answer in journey.served} == {"v1"}
    assert {answer["arm"] for answer in journey.served} == {None}
    right = sum(
        answer["label"] == label
        for answer, (_, label) in zip(journey.served, journey.corpus.written, strict=True)
    )
    assert right > 0.6 * ASKED


def _post_thumbs(journey: Journey) -> None:
    """Hundreds of thumbs, some of them lies; some sent twice, one contradicted, one revised."""
    for place in range(RATED):
        body = _thumb(journey, place)
        journey.events[body["event_id"]] = body
    bodies, post = list(journey.events.values()), journey.frontend.call
    singles, batches = bodies[:20], [bodies[20:170], bodies[170:]]
    for body in singles:
        assert post("POST", "feedback", body)[0] == 201
    for batch in batches:
        status, report = post("POST", "feedback/batch", batch)
        counts = {"accepted": len(batch), "quarantined": 0, "duplicates": 0, "rejected": []}
        assert (status, report) == (200, counts)
    for again in singles[:3]:
        assert post("POST", "feedback", again) == (200, _accepted(again["event_id"]))
    _, report = post("POST", "feedback/batch", [*batches[0], {"event_id": "broken"}])
    assert (report["accepted"], report["duplicates"]) == (0, len(batches[0]))
    assert [rejected["index"] for rejected in report["rejected"]] == [len(batches[0])]
    changed = {**singles[0], "comment": "I never said that"}
    assert post("POST", "feedback", changed)[0] == 409
    revised = {**_without_correction(bodies[30]), "event_id": "revised", "rating": "up"}
    journey.events["revised"] = revised
    assert post("POST", "feedback", revised)[0] == 201
    _wait_until(lambda: journey.records.undigested() == 0, what="the digest catches up")


def _thumb(journey: Journey, place: int) -> dict[str, Any]:
    """What the guest of one prediction posts; liars say the opposite of what they think."""
    served, (_, truth) = journey.served[place], journey.corpus.written[place]
    subject = f"guest-{place % SUBJECTS:02d}"
    content = (served["label"] == truth) != (subject in LIARS)
    body: dict[str, Any] = {
        "event_id": f"thumb-{place:03d}",
        "prediction_id": served["prediction_id"],
        "rating": "up" if content else "down",
        "subject": subject,
    }
    if not content and random.Random(place).random() < 0.5:
        body["corrected_label"] = opposite(served["label"])
    return body


def _without_correction(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "corrected_label"}


def _accepted(event_id: str) -> dict[str, Any]:
    return {"event_id": event_id, "status": "accepted", "reasons": []}


def _label_until_a_run_starts(journey: Journey, page: Page) -> None:
    """The lead asks for a few labels more than the thumbs gave; an annotator gives them."""
    records = journey.records
    assert len(records.runs()) == 1, "thumbs alone must not reach the first threshold"
    records.set_policy("training_training", min_test_labels=records.test_labels() + 40)
    asked = records.new_labels() + 8
    records.set_policy("training_training", min_new_labels=asked)
    _open_review(journey, page)
    _label(journey, page, until=lambda: records.new_labels() >= asked)
    _wait_until(lambda: len(records.runs()) > 1, what="retraining starts by itself")


def _words(text: str) -> str:
    return " ".join(text.split())


def _open_review(journey: Journey, page: Page) -> None:
    page.goto(f"{journey.hub.base_url}/review/{SLUG}/")
    page.locator("#work").wait_for()
    page.get_by_role("switch").check()  # A label key submits and moves on.
    page.locator("#text").click()


def _label(journey: Journey, page: Page, *, until: Callable[[], Any], most: int = 500) -> None:
    """Answer what comes, by keyboard, until something has happened."""
    truth, text, work = journey.truth, page.locator("#text"), page.locator("#work")
    for _ in range(most):
        if until():
            return
        shown = text.text_content() or ""
        page.keyboard.press("2" if truth[_words(shown)] == "positive" else "1")
        page.wait_for_function(
            "shown => document.getElementById('work').hidden"
            " || document.getElementById('text').textContent !== shown",
            arg=shown,
        )
        if not work.is_visible():
            _wait_until(lambda: until() or work.is_visible(), what="an item, or what it was for")
    raise AssertionError(f"it did not happen within {most} answers")


def _see_it_held_for_lack_of_evidence(journey: Journey) -> None:
    records = journey.records
    _wait_until(lambda: records.verdicts_on(2), what="the first verdict on v2")
    [trigger, status] = records.runs()[-1]
    assert (trigger, status) in {("labels", "running"), ("labels", "succeeded")}
    assert records.verdicts_on(2)[0][0] == "insufficient"
    assert records.status_of(2) == "insufficient"
    assert records.rollout_of(2) is None, "what was not blessed gets no traffic"


def _label_until_it_is_blessed(journey: Journey, page: Page) -> None:
    records = journey.records
    # Doubted labels are answered beside the audit: enough of them would start a third run.
    records.set_policy("training_training", min_new_labels=10_000)
    held_at = records.verdicts_on(2)[0][1]
    _label(journey, page, until=lambda: records.status_of(2) != "insufficient")
    assert records.status_of(2) == "blessed", records.verdicts_on(2)
    assert records.verdicts_on(2)[-1][1] > held_at, "it took more test labels"
    blind = (
        "SELECT count(*) FROM curation_annotation a JOIN curation_reviewitem i ON i.id = a.item_id"
    )
    assert (
        records.one(f"{blind} WHERE i.queue = 'audit' AND a.is_blind AND i.status = 'done'") >= 40
    )


def _see_the_test_start(journey: Journey) -> int:
    def started() -> int | None:
        found = journey.records.rollout_of(2)
        return found[0] if found and found[1] == "ab_test" else None

    rollout: int = _wait_until(started, what="the A/B test of v2")
    return rollout


def _check_the_arms(journey: Journey, rollout: int) -> None:
    """Every subject meets one arm, and what was answered is what was recorded."""
    time.sleep(SETTLES_WITHIN_S)
    texts = [text for text, _ in journey.corpus.written]
    items = [
        {"text": texts[place], "subject": f"guest-{place % SUBJECTS:02d}"} for place in range(200)
    ]
    answers = journey.frontend.predict(items[:100]) + journey.frontend.predict(items[100:])
    arm_of: dict[str, set[str]] = {}
    for item, answer in zip(items, answers, strict=True):
        arm_of.setdefault(item["subject"], set()).add(answer["arm"])
        assert answer["model_version"] == {"control": "v1", "treatment": "v2"}[answer["arm"]]
    assert all(len(arms) == 1 for arms in arm_of.values()), "a subject changed its arm"
    assert set.union(*arm_of.values()) == {"control", "treatment"}
    recorded = {
        identity: (arm, version) for identity, arm, version in journey.records.arms_of(rollout)
    }
    assert len(recorded) == len(answers)
    for answer in answers:
        expected = (answer["arm"], answer["model_version"])
        assert recorded[answer["prediction_id"]] == expected


def _check_the_lineage(journey: Journey) -> None:
    """From the version to each thumb that taught it, and from each thumb to the version."""
    taught = journey.records.thumbs_behind(2)
    assert len(taught) > 50
    told = {event_id: journey.frontend.journey(event_id) for event_id in journey.events}
    assert {
        event_id
        for event_id, its in told.items()
        if "v2" in {lesson["version"] for lesson in its["trained_into"]}
    } == taught
    assert told["thumb-030"]["state"] == "superseded"
    assert told["thumb-030"]["superseded_by"] == "revised"
    assert {its["state"] for name, its in told.items() if name != "thumb-030"} == {"counted"}
    assert {its["shipped_in"] for its in told.values()} == {None}
    reviewed = {its["review"] for its in told.values()}
    assert {"confirmed", "contradicted"} <= reviewed, reviewed


def _promote_and_roll_back(journey: Journey, lead: Page, rollout: int) -> None:
    """While callers never stop asking: each switch holds within two seconds, and fails nobody."""
    records = journey.records
    with constant_asking(journey.frontend, callers=4) as asking:
        _wait_until(lambda: asking.versions_after(0) == {"v1", "v2"}, what="both arms answer")
        promoted = _take_step(journey, lead, rollout, "Promote v2", "It learned from our guests.")
        assert (records.status_of(1), records.status_of(2)) == ("superseded", "live")
        _wait_until(lambda: asking.count_after(promoted + SETTLES_WITHIN_S) > 40, what="answers")
        assert asking.versions_after(promoted + SETTLES_WITHIN_S) == {"v2"}
        some = next(iter(records.thumbs_behind(2)))
        assert journey.frontend.journey(some)["shipped_in"] == "v2"
        back = _take_step(journey, lead, rollout, "Roll back to v1", "Trying the way back.")
        assert (records.status_of(1), records.status_of(2)) == ("live", "quarantined")
        _wait_until(lambda: asking.count_after(back + SETTLES_WITHIN_S) > 40, what="answers")
        assert asking.versions_after(back + SETTLES_WITHIN_S) == {"v1"}
    assert asking.failures == []


def _count_everything(journey: Journey) -> None:
    """No event was lost or doubled, and the arms add up."""
    records, n = journey.records, len(journey.events)
    assert n == RATED + 1
    mine = "WHERE project_id = %(project)s"
    for table in ("curation_feedback", "curation_feedbackkey", "curation_feedbackoutcome"):
        assert records.one(f"SELECT count(*) FROM {table} {mine}") == n
    distinct = f"SELECT count(DISTINCT event_id) FROM curation_feedback {mine}"
    assert records.one(distinct) == n
    assert records.one(f"SELECT count(*) FROM curation_rejectedevent {mine}") == 2
    states = dict(
        records.rows(f"SELECT state, count(*) FROM curation_feedbackoutcome {mine} GROUP BY state")
    )
    assert states == {"counted": n - 1, "superseded": 1}
