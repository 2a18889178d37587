"""The rows of the curation room, by noun."""

from curation.models.event import (
    Feedback,
    FeedbackKey,
    FeedbackOutcome,
    Landed,
    Prediction,
    RejectedEvent,
)
from curation.models.project import (
    CurationPolicy,
    Guideline,
    LabelOption,
    Membership,
    Project,
    Source,
    SourceKey,
)
from curation.models.review import Annotation, Lease, ReviewItem
from curation.models.sample import Cluster, Label, LabelEvidence, Sample, SampleScore

__all__ = [
    "Annotation",
    "Cluster",
    "CurationPolicy",
    "Feedback",
    "FeedbackKey",
    "FeedbackOutcome",
    "Guideline",
    "Label",
    "LabelEvidence",
    "LabelOption",
    "Landed",
    "Lease",
    "Membership",
    "Prediction",
    "Project",
    "RejectedEvent",
    "ReviewItem",
    "Sample",
    "SampleScore",
    "Source",
    "SourceKey",
]
