"""What Prometheus is told of intake; every web worker counts into the shared folder."""

from functools import lru_cache

from prometheus_client import Counter, Gauge

# The name and label that frontends of this kind already report under. "Positive" is a thumb up:
# praise for the answer, whatever the answer was.
FEEDBACK_RATINGS = Counter(
    "frontend_feedback_rating_total", "Feedback received, by rating.", ["feedback_type"]
)
FEEDBACK_EVENTS = Counter(
    "hub_feedback_total", "Feedback events, by what became of them.", ["project", "status"]
)
FEEDBACK_TYPES = {"up": "positive", "down": "negative"}


@lru_cache(maxsize=1_000)
def events_counter(project: str, status: str) -> Counter:
    """:data:`FEEDBACK_EVENTS` of one project and status, found once."""
    return FEEDBACK_EVENTS.labels(project, status)


@lru_cache
def ratings_counter(rating: str) -> Counter:
    """:data:`FEEDBACK_RATINGS` of one rating, found once."""
    return FEEDBACK_RATINGS.labels(FEEDBACK_TYPES[rating])


CAUGHT = Counter(
    "hub_feedback_caught_total",
    "Accepted feedback that a statistical rule held back later.",
    ["project", "rule"],
)
SET_ASIDE = Counter(
    "hub_digest_set_aside_total",
    "Landed events that the digest could not digest and tries again later; each try counts.",
)
DIGEST_LAG = Gauge(
    "hub_digest_lag_seconds",
    "Age of the oldest landed event that is not digested; 0 when none waits.",
    # Said after every look of the digest, and by web processes when a probe asks if they are ready.
    multiprocess_mode="mostrecent",
)
