"""Who may do what in a project: roles, and the capabilities each one carries."""

from enum import StrEnum

from django.db import models


class Role(models.TextChoices):
    """A member's role in one project. Superusers are admins of every project."""

    ANNOTATOR = "annotator", "Annotator"
    SENIOR = "senior", "Senior annotator"
    LEAD = "lead", "ML lead"
    ADMIN = "admin", "Admin"


class Can(StrEnum):
    """One capability; views ask for these, never for a role."""

    VIEW = "view"
    REVIEW = "review"
    REVIEW_SENIOR = "review_senior"
    CURATE = "curate"
    TRAIN = "train"
    PROMOTE = "promote"
    CONFIGURE = "configure"


# Labelling and promotion are apart: an annotator's hand never reaches what serves.
CAPABILITIES: dict[Role, frozenset[Can]] = {
    Role.ANNOTATOR: frozenset({Can.VIEW, Can.REVIEW}),
    Role.SENIOR: frozenset({Can.VIEW, Can.REVIEW, Can.REVIEW_SENIOR}),
    Role.LEAD: frozenset(
        {
            Can.VIEW,
            Can.REVIEW,
            Can.REVIEW_SENIOR,
            Can.CURATE,
            Can.TRAIN,
            Can.PROMOTE,
            Can.CONFIGURE,
        }
    ),
    Role.ADMIN: frozenset(Can),
}
