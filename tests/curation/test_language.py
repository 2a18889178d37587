"""Many texts at once get the languages that py3langid gives each."""

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from curation.digest.language import LOOKED_AT, MIN_BELIEF, UNDETERMINED, languages_of
from feedbackhub.demo.corpus import generate_reviews

SAMPLES = [
    "",
    "ok",
    "\x00",
    "1234",
    "LOUD AND CLEAR",
    "Das Essen war kalt und die Bedienung langsam.",
    "Отличный суп",
    "寿司が美味しい",
    "ça va très bien, merci",
    "jedna pizza za deset minut " * 40,
]


def test_a_batch_gets_the_answers_of_the_detector_itself() -> None:
    detector = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    texts = SAMPLES + [review.text for review in generate_reviews(n=300, seed=5)]

    expected = []
    for text in texts:
        code, belief = detector.classify(text[:LOOKED_AT])
        expected.append(code if belief >= MIN_BELIEF and code != "zxx" else UNDETERMINED)

    assert languages_of(texts) == expected
    assert len(set(expected)) > 4
    assert languages_of([]) == []
    assert languages_of([""]) == [UNDETERMINED]
