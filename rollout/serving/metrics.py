"""What Prometheus is told of serving; every web worker counts into the shared folder."""

from prometheus_client import Counter, Histogram

PREDICTIONS = Counter(
    "hub_predictions_total", "Served predictions.", ["project", "model_version", "arm"]
)
SCORING_SECONDS = Histogram(
    "hub_prediction_scoring_seconds",
    "Time to score one text.",
    ["project", "arm"],
    buckets=(0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1),
)
SERVING_FAILURES = Counter(
    "hub_serving_failures_total",
    "Texts that a version could not answer; the champion answered instead.",
    ["project", "model_version"],
)
LOAD_FAILURES = Counter(
    "hub_model_load_failures_total",
    "Attempts to load a model that failed; the version before it keeps serving.",
    ["model_version"],
)
