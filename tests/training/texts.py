"""Small generated corpora for the pure tests of the training room."""

import random

from sklearn.pipeline import Pipeline

from training.estimators import build, fit

_WORDS = {
    "negative": ["awful", "cold", "rude", "slow", "bland", "dirty"],
    "neutral": ["okay", "average", "fine", "plain", "usual", "so-so"],
    "positive": ["great", "lovely", "tasty", "friendly", "fresh", "cosy"],
}
_FILLER = ["the", "food", "was", "and", "service", "place", "really", "table", "waiter", "soup"]


def corpus(n: int, *, n_classes: int = 2, seed: int = 1) -> tuple[list[str], list[str]]:
    """``n`` texts with labels; each holds two words of its class among filler."""
    rng = random.Random(seed)
    names = ["negative", "positive"] if n_classes == 2 else list(_WORDS)
    labels = [names[index % n_classes] for index in range(n)]
    texts = []
    for label in labels:
        words = rng.choices(_FILLER, k=rng.randint(3, 12)) + rng.choices(_WORDS[label], k=2)
        rng.shuffle(words)
        texts.append(" ".join(words))
    return texts, labels


def fitted(
    name: str = "tfidf_logreg", *, n_classes: int = 2, seed: int = 1, **params: object
) -> Pipeline:
    """A pipeline fitted on a corpus of 120 texts."""
    texts, labels = corpus(120, n_classes=n_classes, seed=seed)
    return fit(build(name, params=params, seed=seed), texts=texts, labels=labels)
