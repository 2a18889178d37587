"""What intake answers, as types: encoded as they are, and described by them in OpenAPI."""

import msgspec


class FieldError(msgspec.Struct, frozen=True):
    """One fault of a body."""

    field: str
    """Path of the field, such as ``prediction.label``; empty for the body as a whole."""
    message: str


class RejectedItem(msgspec.Struct, frozen=True, kw_only=True):
    """One item of a batch that could not be taken."""

    index: int
    """Its place in the batch, from 0; blank lines do not count."""
    errors: list[FieldError]


class FeedbackAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a feedback event when it first came."""

    event_id: str
    status: str
    reasons: list[str]


class FeedbackBatchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch of feedback."""

    accepted: int
    quarantined: int
    duplicates: int
    rejected: list[RejectedItem]


class SampleBatchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch of imported texts."""

    created: int
    known: int
    labelled: int
    rejected: list[RejectedItem]
