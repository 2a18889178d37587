"""Texts and labels from Label Studio's JSON export: tasks with annotations, or the short form.

Both are one JSON list, read item by item: the whole is never held.
"""

from collections.abc import Iterator, Mapping
from typing import IO, Any

import ijson


class NotTasks(Exception):
    """The file holds something else; the message says which task broke it."""


def read_tasks(
    file: IO[bytes], *, text: str, choice: str | None
) -> Iterator[tuple[int, Mapping[str, Any] | None, str]]:
    """Number of the task, values and error for each annotation of each task.

    ``text`` names the key of the text in a task's data, ``choice`` the control whose choice is the
    label; both are keys of the values. A task that nobody annotated comes once, without a label.
    Cancelled annotations and predictions are left out. Raises :class:`NotTasks`.
    """
    number = 0
    try:
        for task in ijson.items(file, "item", use_float=True):
            number += 1
            for values, error in _rows(task, text, choice):
                yield number, values, error
    except (ijson.JSONError, UnicodeDecodeError) as error:
        raise NotTasks(f"task {number + 1} cannot be read") from error
    if not number:
        raise NotTasks("it holds no list of tasks")


def _rows(
    task: Any, text: str, choice: str | None
) -> Iterator[tuple[Mapping[str, Any] | None, str]]:
    data = task.get("data", task) if isinstance(task, dict) else None
    if not isinstance(data, dict):
        yield None, "is not a task"
    elif text not in data:
        yield None, f"has no `{text}`; it has: {', '.join(list(data)[:20])}"
    elif choice is None:
        yield {text: data[text]}, ""
    elif data is task:  # The short form: choices stand beside the text.
        label, error = _only(data.get(choice))
        yield (None, error) if error else ({text: data[text], choice: label}, "")
    else:
        found = False
        for label, error in _annotated(task, choice):
            found = True
            yield (None, error) if error else ({text: data[text], choice: label}, "")
        if not found:
            yield {text: data[text], choice: None}, ""


def _annotated(task: Mapping[str, Any], choice: str) -> Iterator[tuple[Any, str]]:
    for annotation in task.get("annotations") or ():
        if not isinstance(annotation, dict) or annotation.get("was_cancelled"):
            continue
        for result in annotation.get("result") or ():
            if isinstance(result, dict) and result.get("from_name") == choice:
                yield _only(result.get("value"))


def _only(value: Any) -> tuple[Any, str]:
    """The one choice that is made, or why it is no label."""
    chosen = value.get("choices") if isinstance(value, dict) else value
    if not isinstance(chosen, list):
        return chosen, ""
    return (chosen[0], "") if len(chosen) == 1 else (None, f"has {len(chosen)} choices, not one")
