"""Labels as Label Studio tasks, and the labelling configuration that reads them. Pure.

The shape is that of Label Studio's JSON export: a list of tasks, each with ``data``,
``annotations`` and ``predictions`` (labelstud.io/guide/task_format). Whoever answered is not named:
user ids mean nothing in another installation. What only the hub knows stands in ``meta``, which
Label Studio keeps.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from xml.sax.saxutils import quoteattr

import msgspec

CONTENT_TYPE = "application/json"
# The names that tie a choice to its text in the configuration.
TEXT, LABEL = "text", "label"


def encode(chunks: Iterable[Sequence[Mapping[str, Any]]]) -> Iterator[bytes]:
    """One JSON list of all tasks, chunk by chunk."""
    start = b"[\n"
    for chunk in chunks:
        for one in chunk:
            yield start + msgspec.json.encode(one)
            start = b",\n"
    yield b"\n]\n" if start == b",\n" else b"[]\n"


def task(
    *,
    sample_id: int,
    text: str,
    label: str | None,
    origin: str | None,
    quality: float | None,
    answers: Sequence[tuple[str, datetime, float | None]],
    meta: Mapping[str, Any],
) -> dict[str, Any]:
    """One text as a task.

    ``answers`` (value, when, seconds) of annotators become annotations, and so does an imported
    label. A label that rests on thumbs is a suggestion: it becomes a prediction with its quality
    as score.
    """
    annotations = [
        {"result": [_choice(value)], "created_at": when.isoformat(), "lead_time": seconds}
        for value, when, seconds in answers
    ]
    predictions = []
    if label is not None and not annotations:
        if origin == "feedback":
            predictions = [
                {"model_version": "feedback", "score": quality, "result": [_choice(label)]}
            ]
        else:
            annotations = [{"result": [_choice(label)]}]
    return {
        "id": sample_id,
        "data": {TEXT: text},
        "annotations": annotations,
        "predictions": predictions,
        "meta": dict(meta),
    }


def configuration(*, labels: Sequence[tuple[str, str, str]]) -> str:
    """The labelling interface of a project as XML, from (name, hotkey, colour) of each label.

    >>> print(configuration(labels=[("good", "1", "#00aa00")]))
    <View>
      <Text name="text" value="$text"/>
      <Choices name="label" toName="text" choice="single" showInLine="true">
        <Choice value="good" hotkey="1" background="#00aa00"/>
      </Choices>
    </View>
    <BLANKLINE>
    """
    choices = "".join(
        f"    <Choice value={quoteattr(name)} hotkey={quoteattr(hotkey)}"
        f" background={quoteattr(colour)}/>\n"
        for name, hotkey, colour in labels
    )
    return (
        f'<View>\n  <Text name="{TEXT}" value="${TEXT}"/>\n'
        f'  <Choices name="{LABEL}" toName="{TEXT}" choice="single" showInLine="true">\n'
        f"{choices}  </Choices>\n</View>\n"
    )


def _choice(value: str) -> dict[str, Any]:
    return {"from_name": LABEL, "to_name": TEXT, "type": "choices", "value": {"choices": [value]}}
