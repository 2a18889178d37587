"""Why a version answers as it does: the words of a text that moved it."""

from dataclasses import dataclass

from curation.models import Project
from curation.review.shown import Shown
from training import registry
from training.models import ModelVersion
from training.words import WordWeight, word_weights

# More words than this say nothing to a person.
MOST_WORDS = 12


class NoModel(Exception):
    """No version of the project can say what moved it; the message is for people."""


@dataclass(frozen=True)
class Explanation:
    """What moved a version."""

    label: str
    """The answer that is explained."""
    model_version: str
    words: list[WordWeight]
    """At most :data:`MOST_WORDS`, the strongest first."""


def explain(*, version: ModelVersion, text: str, label: str) -> list[WordWeight]:
    """How far each word moved ``version`` towards ``label``, the strongest first.

    Raises :class:`~training.words.UnknownClass` and :class:`~training.artifacts.BadArtifact`.
    """
    return word_weights(registry.load_pipeline(version), text=text, label=label)


def explain_shown(*, project: Project, shown: Shown) -> Explanation:
    """What moved the version that answered, or else the live one, in a text that was shown.

    Raises :class:`NoModel` before the first version and :class:`~training.artifacts.BadArtifact`.
    """
    version = _who_answered(project, shown.model_version)
    label = shown.label
    if version is None or label not in version.classes:
        version = version or registry.live_version(project_id=project.pk)
        if version is None:
            raise NoModel("No version has served here yet.")
        label = str(registry.load_pipeline(version).predict([shown.text])[0])
    words = explain(version=version, text=shown.text, label=label)
    return Explanation(label, version.name, words[:MOST_WORDS])


def _who_answered(project: Project, name: str) -> ModelVersion | None:
    number = name.removeprefix("v")
    if not (name.startswith("v") and number.isdecimal() and len(number) <= 9):
        return None
    return ModelVersion.objects.filter(project=project, number=int(number)).first()
