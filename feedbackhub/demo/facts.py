"""What the demo is made of: names, policies and sizes, in one place to look at and change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from curation.models.review import Queue
from curation.services import LabelSpec
from feedbackhub.core.keys import Scope
from feedbackhub.core.roles import Role

SLUG = "restaurant-reviews"
NAME = "Restaurant reviews"
SOURCE = "demo-frontend"
# A frontend would get the first two; this key is for trying every call out.
SCOPES = tuple(Scope)

LABELS = (
    LabelSpec(name="negative", colour="#dc2626", hotkey="1"),
    LabelSpec(name="positive", colour="#16a34a", hotkey="2"),
)

GUIDELINE = """\
**Would this guest come back?** Answer for the whole review, not for its loudest word.

- **positive** (2): on balance the guest was content. "The wait was long but the curry made up for
  it" is positive: the last word decides.
- **negative** (1): on balance the guest was not. "Lovely room, shame about everything on the plate"
  is negative.
- Irony counts as what is meant: "Great, another cold pizza" is negative.
- "Not bad" is praise, "could have been better" is not.
- Nothing to go by, or not a review at all? Skip it and say why.

This is the demo project: its guests, thumbs and two of its annotators (Mira and Jonas) are
simulated, and its thresholds are set low so that things happen while you watch.
"""


@dataclass(frozen=True)
class Person:
    """Someone of the demo. Simulated ones cannot sign in."""

    username: str
    first_name: str
    last_name: str
    role: Role | None
    """None for a superuser, who is admin everywhere."""
    is_simulated: bool = False


ADMIN = Person("admin", "Ada", "(demo)", None)
LEAD = Person("lead", "Lena", "(demo)", Role.LEAD)
PEOPLE = (
    ADMIN,
    LEAD,
    Person("annotator", "Anna", "(demo)", Role.ANNOTATOR),
    Person("annotator2", "Arno", "(demo)", Role.ANNOTATOR),
)
SIMULATED = (
    Person("mira-demo", "Mira", "(demo, simulated)", Role.ANNOTATOR, is_simulated=True),
    Person("jonas-demo", "Jonas", "(demo, simulated)", Role.ANNOTATOR, is_simulated=True),
)

# Demo values: low enough that a visitor sees every step. A real project asks for more evidence.
CURATION_POLICY: dict[str, Any] = {"audit_share": 0.15, "uncertain_queue_size": 50}
TRAINING_POLICY: dict[str, Any] = {
    "min_new_labels": 250,
    "delta": 0.05,
    "min_test_labels": 250,
    "seed": 7,
}
# Once the past is told, a run starts sooner: a visitor should not have to label for days.
MIN_NEW_LABELS_OF_VISITORS = 60
ROLLOUT_POLICY: dict[str, Any] = {
    "treatment_share": 0.5,
    "min_hours": 0.05,
    "min_audit_labels": 20,
}


@dataclass(frozen=True, kw_only=True)
class Plot:
    """The size of the simulated past."""

    imported: int = 1_600
    """Labelled reviews of the opening era that the first version learns from."""
    subjects: int = 400
    eagerness: float = 5.0
    """How much likelier than in life a subject presses a thumb."""
    length: timedelta = timedelta(days=6)
    ticks: int = 36
    """Looks at the hub that the past is told in."""
    predictions: int = 90
    """Asked for in each tick."""
    open_items: int = 36
    """Left in each queue for whoever comes to see."""
    answers: Mapping[str, int] = field(
        default_factory=lambda: {Queue.AUDIT: 15, Queue.DISPUTED: 16, Queue.UNCERTAIN: 6}
    )
    """At most so many of each queue are answered in a tick."""
    answer_error_share: float = 0.03
    promoted_after: int = 20
    """The tick after which the lead promotes what is under test, so that there is a history."""


PLOT = Plot()
