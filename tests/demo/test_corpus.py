"""The demo corpus: repeatable, varied, free of label noise, and a world that drifts."""

import random
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from feedbackhub.demo.corpus import OVERALL, Review, generate_reviews, normalised
from feedbackhub.demo.eras import ERAS
from feedbackhub.demo.grammar import frames, verdicts
from feedbackhub.demo.grammar.expand import expand
from feedbackhub.demo.grammar.words import WORDS


@pytest.fixture(scope="module", params=sorted(ERAS))
def era(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def large(era: str) -> list[Review]:
    return generate_reviews(n=5_000, seed=7, era=era)


def test_a_seed_always_gives_the_same_reviews_and_another_seed_others(era: str) -> None:
    first = generate_reviews(n=50, seed=1, era=era)
    assert generate_reviews(n=50, seed=1, era=era) == first
    assert generate_reviews(n=80, seed=1, era=era)[:50] == first
    assert generate_reviews(n=50, seed=2, era=era) != first


def test_an_unknown_era_is_refused() -> None:
    with pytest.raises(KeyError):
        generate_reviews(n=1, seed=1, era="robots")


def test_texts_hardly_repeat(large: list[Review]) -> None:
    distinct = {normalised(review.text) for review in large}
    assert len(distinct) >= 0.97 * len(large)


def test_few_texts_are_near_duplicates(large: list[Review]) -> None:
    shingles = CountVectorizer(analyzer="char", ngram_range=(4, 4), binary=True)
    rows = shingles.fit_transform([normalised(review.text) for review in large])
    rows = rows.astype(np.float32)
    sizes = np.asarray(rows.sum(axis=1)).ravel()
    common = (rows @ rows.T).tocoo()
    jaccard = common.data / (sizes[common.row] + sizes[common.col] - common.data)
    near = set(common.row[(jaccard >= 0.6) & (common.row != common.col)])
    assert len(near) <= 0.06 * len(large)


def test_texts_have_no_holes_and_no_leftover_grammar(large: list[Review]) -> None:
    for review in large:
        assert not re.search(r"[{}\[\]|]|  |\.\.|,,| \.| ,|^\W*$", review.text), review
        assert not re.search(r"\b[Aa] (?!one\b)[aeio]", review.text), review
        assert 3 <= len(review.text) <= 400


def test_kinds_topics_labels_and_hands_are_mixed(large: list[Review], era: str) -> None:
    kinds = Counter(review.kind for review in large)
    assert set(kinds) == {
        "plain", "negation", "contrast", "balance", "facts", "sarcasm", "short",
    }  # fmt: skip
    assert kinds["sarcasm"] < 0.04 * len(large)
    topics = {topic.name for topic in ERAS[era].topics}
    assert topics | {OVERALL} <= {review.topic for review in large}
    positive = sum(review.label == "positive" for review in large) / len(large)
    assert 0.5 < positive < 0.6
    assert any(review.text.isupper() for review in large)
    assert any(review.text.islower() for review in large)
    lengths = [len(review.text) for review in large]
    assert min(lengths) < 20 < 180 < max(lengths)


def test_the_delivery_era_brings_new_topics_and_words() -> None:
    opening, delivery = (
        " ".join(normalised(review.text) for review in generate_reviews(n=4_000, seed=3, era=era))
        for era in ("opening", "delivery")
    )
    for word in ("app", "courier", "rider", "soggy", "slaps", "mid", "bussin", "refund"):
        found = re.findall(rf"\b{word}\b", delivery)
        before = re.findall(rf"\b{word}\b", opening)
        assert len(found) >= 5
        assert len(found) > 3 * len(before)
    new = {topic.name for topic in ERAS["delivery"].topics}
    assert new - {topic.name for topic in ERAS["opening"].topics} == {"app", "packaging"}


def test_sarcasm_is_always_blame() -> None:
    reviews = generate_reviews(n=3_000, seed=4)
    assert {review.label for review in reviews if review.kind == "sarcasm"} == {"negative"}


def test_the_quiet_verdict_decides_a_balanced_review() -> None:
    reviews = [r for r in generate_reviews(n=3_000, seed=5) if r.kind == "balance"]
    yes = re.compile("another (go|try)|more (right|plus)|happy side|yes from|still pick it", re.I)
    no = re.compile("think twice|more (wrong|minus)|unhappy side|no from|rather pick", re.I)
    decided = [r for r in reviews if bool(yes.search(r.text)) != bool(no.search(r.text))]
    assert len(decided) > 0.5 * len(reviews)
    for review in decided:
        assert review.label == ("positive" if yes.search(review.text) else "negative"), review


def test_every_template_names_only_slots_that_exist() -> None:
    rng = random.Random(0)
    for era in ERAS.values():
        loose = [era.openers, era.sarcasm]
        loose += [
            table[label] for table in (era.endings, era.resolves, era.shorts) for label in table
        ]
        for template in [entry for table in loose for entry in table]:
            assert expand(template, words=WORDS, rng=rng)
        framed = frames.PRAISE + frames.BLAME
        framed += frames.PRAISE_BY_NEGATION + frames.BLAME_BY_NEGATION
        for topic in era.topics:
            words = {**WORDS, **topic.words}
            own = topic.good + topic.bad + topic.good_facts + topic.bad_facts
            for template in own + framed:
                assert expand(template, words=words, rng=rng)


def test_no_clause_stands_on_both_sides() -> None:
    for era in ERAS.values():
        for topic in era.topics:
            assert not set(topic.good + topic.good_facts) & set(topic.bad + topic.bad_facts)
            assert not set(topic.good_words) & set(topic.bad_words), topic.name
    assert not set(verdicts.DINER_HAPPY) & set(verdicts.DINER_UNHAPPY)
    assert not set(frames.QUIET_YES) & set(frames.QUIET_NO)


def test_a_becomes_an_before_a_vowel() -> None:
    rng = random.Random(0)
    assert expand("a {x}", words={"x": ("oyster",)}, rng=rng) == "an oyster"
    assert expand("a {x}", words={"x": ("one star",)}, rng=rng) == "a one star"
    assert expand("[a [b|b]|a b]", words={}, rng=rng) == "a b"


def test_a_model_of_the_opening_fades_in_the_delivery_era_and_retraining_pays() -> None:
    opening = generate_reviews(n=1_500, seed=1)
    later = generate_reviews(n=800, seed=2, era="delivery")
    held_out = generate_reviews(n=2_000, seed=3)
    held_out_later = generate_reviews(n=2_000, seed=4, era="delivery")

    day_zero = _fit(opening)
    retrained = _fit([*opening, *later])

    assert 0.86 <= _accuracy(day_zero, held_out) <= 0.95
    assert 0.69 <= _accuracy(day_zero, held_out_later) <= 0.82
    gain = _accuracy(retrained, held_out_later) - _accuracy(day_zero, held_out_later)
    assert gain >= 0.06
    # What was learned anew costs nothing of what was known.
    assert _accuracy(retrained, held_out) >= _accuracy(day_zero, held_out) - 0.02


def _fit(reviews: Sequence[Review]) -> Pipeline:
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(max_iter=1_000, random_state=0)
    )
    return model.fit([review.text for review in reviews], [review.label for review in reviews])


def _accuracy(model: Pipeline, reviews: Sequence[Review]) -> float:
    texts = [review.text for review in reviews]
    return float(model.score(texts, [review.label for review in reviews]))
