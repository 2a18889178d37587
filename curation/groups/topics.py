"""Topics found in texts: clusters of TF-IDF vectors, each kept as its heaviest words. Pure.

Kept as words, a topic means the same on every later day and can be read, and a text is assigned
to it without the model that found it.
"""

from collections.abc import Sequence

from curation.groups.slicing import Words

LEAST_TEXTS = 300
N_TOPICS = 8
N_WORDS = 25
NAMED_BY = 3
# Words of every third text say nothing about a topic, words of fewer than five texts too little.
MAX_DF, MIN_DF = 0.3, 5
MAX_FEATURES = 5_000
# Shorter ones are mostly grammar, in most languages: "the", "und", "pas".
WORD = r"\w{4,}"


def find_topics(texts: Sequence[str], *, seed: int = 1) -> list[Words]:
    """Up to eight topics by mini-batch k-means (Sculley 2010); none for too few texts."""
    if len(texts) < LEAST_TEXTS:
        return []
    # Seconds to import: only the worker that looks for topics pays.
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(
        max_df=MAX_DF,
        min_df=MIN_DF,
        max_features=MAX_FEATURES,
        sublinear_tf=True,
        token_pattern=WORD,
    )
    try:
        matrix = vectorizer.fit_transform(texts)
    except ValueError:  # No word is in enough texts.
        return []
    model = MiniBatchKMeans(N_TOPICS, random_state=seed, n_init=3, batch_size=1024).fit(matrix)
    words = vectorizer.get_feature_names_out()
    middle = matrix.mean(axis=0).A1
    topics: dict[str, Words] = {}
    for centre in model.cluster_centers_:
        # What sets the cluster apart, rather than what it has in common with all texts.
        weights = centre - middle
        heaviest = [int(i) for i in weights.argsort()[::-1][:N_WORDS] if weights[i] > 0]
        if heaviest:
            name = ", ".join(str(words[i]) for i in heaviest[:NAMED_BY])
            kept = {str(words[i]): round(float(weights[i]), 4) for i in heaviest}
            topics.setdefault(name, Words(name, kept))
    return list(topics.values())
