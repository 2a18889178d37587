"""The rows of the curation room, by noun."""

from curation.models.agreement import AgreementState, AnnotatorQuality, SampleConsensus
from curation.models.bulk import BulkAction, BulkKind, BulkRow, TrainingExclusion
from curation.models.disagreement import (
    AdjudicatedVoice,
    Disagreement,
    DisagreementKind,
    SourceTrust,
    SubjectTrust,
    WeighingDue,
)
from curation.models.event import (
    Feedback,
    FeedbackKey,
    FeedbackOutcome,
    Landed,
    Prediction,
    RejectedEvent,
)
from curation.models.exchange import FileImport
from curation.models.gold import GoldItem
from curation.models.groups import GroupMeasure, GroupMeasurement, WordGroup
from curation.models.privacy import Erasure, RetentionPolicy
from curation.models.project import (
    CurationPolicy,
    Guideline,
    LabelOption,
    Membership,
    Project,
    Source,
    SourceKey,
)
from curation.models.quarantine import (
    IntakeMinute,
    IntakeTally,
    QuarantineMove,
    QuarantineRule,
    ScreeningDue,
)
from curation.models.review import Annotation, Exposure, Lease, ReviewItem
from curation.models.reviewing import (
    Precedent,
    PrecedentWord,
    ReviewPreference,
    ShownPrediction,
)
from curation.models.sample import Band, Cluster, Label, LabelEvidence, Sample
from curation.models.saved_view import SavedView
from curation.models.scores import Ranking, SampleScore

__all__ = [
    "AdjudicatedVoice",
    "AgreementState",
    "Annotation",
    "AnnotatorQuality",
    "Band",
    "BulkAction",
    "BulkKind",
    "BulkRow",
    "Cluster",
    "CurationPolicy",
    "Disagreement",
    "DisagreementKind",
    "Erasure",
    "Exposure",
    "Feedback",
    "FeedbackKey",
    "FeedbackOutcome",
    "FileImport",
    "GoldItem",
    "GroupMeasure",
    "GroupMeasurement",
    "Guideline",
    "IntakeMinute",
    "IntakeTally",
    "Label",
    "LabelEvidence",
    "LabelOption",
    "Landed",
    "Lease",
    "Membership",
    "Precedent",
    "PrecedentWord",
    "Prediction",
    "Project",
    "QuarantineMove",
    "QuarantineRule",
    "Ranking",
    "RejectedEvent",
    "RetentionPolicy",
    "ReviewItem",
    "ReviewPreference",
    "Sample",
    "SampleConsensus",
    "SampleScore",
    "SavedView",
    "ScreeningDue",
    "ShownPrediction",
    "Source",
    "SourceKey",
    "SourceTrust",
    "SubjectTrust",
    "TrainingExclusion",
    "WeighingDue",
    "WordGroup",
]
