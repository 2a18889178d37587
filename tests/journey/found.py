"""Run inside a hub (``manage.py shell``): the project of the journey, its people and its key."""

import json
import sys

from curation.intake.sources import create_source_key
from curation.models import CurationPolicy, Membership
from curation.services import LabelSpec, create_project
from feedbackhub.core.clock import utcnow
from feedbackhub.core.keys import Scope
from feedbackhub.core.models import User
from feedbackhub.core.roles import Role
from rollout.models import RolloutPolicy
from training.models import TrainingPolicy

SLUG = "bistro"
PASSWORD = "a journey of a thousand thumbs"
LEAD, ANNOTATOR = "lena", "anna"
# With a third of some 900 imported reviews held out, a first model meets the 250 labels its floor
# gate asks for. Few texts count as uncertain, so that the queues can be cleared,
# and each needs one answer alone, which must therefore be blind.
CURATION_POLICY = {
    "audit_share": 0.3,
    "pool_margin": 0.06,
    "test_share": 0.33,
    "uncertain_queue_size": 10,
    "shown_first_share": 0.0,
}
TRAINING_POLICY = {"min_new_labels": 400, "delta": 0.05, "min_test_labels": 250, "seed": 7}


def found() -> None:
    """Make everything and print what the test needs to know as one line of JSON."""
    now = utcnow()
    project = create_project(
        slug=SLUG,
        name="Bistro reviews",
        labels=[
            LabelSpec(name="negative", colour="#dc2626", hotkey="1"),
            LabelSpec(name="positive", colour="#16a34a", hotkey="2"),
        ],
        guideline="Would this guest come back?",
        created_by=None,
        is_demo=False,
        now=now,
    )
    CurationPolicy.objects.filter(project=project).update(**CURATION_POLICY)
    TrainingPolicy.objects.create(project=project, **TRAINING_POLICY)
    RolloutPolicy.objects.create(project=project, min_hours=0, min_audit_labels=10)
    for username, role in ((LEAD, Role.LEAD), (ANNOTATOR, Role.ANNOTATOR)):
        user = User.objects.create_user(username=username, password=PASSWORD)
        Membership.objects.create(project=project, user=user, role=role)
    key = create_source_key(project=project, source_name="frontend", scopes=Scope, now=now)
    sys.stdout.write(json.dumps({"project": project.pk, "key": key}) + "\n")
