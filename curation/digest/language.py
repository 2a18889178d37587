"""Which language a text is in: offline, a twentieth of a millisecond for a review.

Asked once for each distinct text, when it becomes a sample; never in a request.
"""

from functools import cache
from typing import Protocol, cast

UNDETERMINED = "und"
# Below this share of the detector's belief two languages in three are wrong: "ok", "pizza".
MIN_BELIEF = 0.3
# As much of a long text as a detector needs.
LOOKED_AT = 500


class _Detector(Protocol):
    def classify(self, text: str) -> tuple[str, float]: ...


def language_of(text: str) -> str:
    """The ISO 639 code of the language of ``text``, or ``und`` when it is too little to tell.

    >>> language_of("Das Essen war kalt und die Bedienung langsam.")
    'de'
    >>> language_of("ok")
    'und'
    """
    code, belief = _detector().classify(text[:LOOKED_AT])
    return code if belief >= MIN_BELIEF and code != "zxx" else UNDETERMINED


@cache
def _detector() -> _Detector:
    """Loaded by the first text of a process; takes a second and 45 MB."""
    from py3langid.langid import (  # noqa: PLC0415 few processes need it
        MODEL_FILE,
        LanguageIdentifier,
    )

    return cast(_Detector, LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True))
