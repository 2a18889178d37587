"""Which key does what on the review page, and which keys a person may choose instead. Pure.

A key is named as the browser names it: a character in lower case, or ``Enter`` and the arrows. The
digits are matched by their place on the keyboard, since other layouts print other characters there.
"""

from collections.abc import Mapping
from dataclasses import dataclass

MOST_LABELS = 9


@dataclass(frozen=True)
class Action:
    """One thing a key does."""

    name: str
    title: str
    key: str
    """The usual one."""


ACTIONS: tuple[Action, ...] = (
    *(Action(f"label_{n}", f"Label {n}", str(n)) for n in range(1, MOST_LABELS + 1)),
    Action("submit", "Submit and go on", "Enter"),
    Action("skip", "Skip, with a reason", "s"),
    Action("unclear", "Unclear: skip at once", "0"),
    Action("spam", "Spam: skip at once", "f"),
    Action("note", "Write a note", "n"),
    Action("undo", "Undo your last answer", "u"),
    Action("previous", "Previous reserved sample", "ArrowLeft"),
    Action("next", "Next reserved sample", "ArrowRight"),
    Action("guidelines", "Guidelines", "g"),
    Action("keys", "This list", "?"),
)
USUAL: dict[str, str] = {action.name: action.key for action in ACTIONS}
_TITLES = {action.name: action.title for action in ACTIONS}
# Backspace once meant "page back", the space scrolls, Tab and Escape are how one gets about.
_NAMED = frozenset({"Enter", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"})


class BadKeys(Exception):
    """A choice of keys cannot be kept; ``errors`` says what is wrong, by action."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(dict.fromkeys(errors.values())))
        self.errors = dict(errors)


def effective(chosen: Mapping[str, str]) -> dict[str, str]:
    """The key of every action; what was chosen for an action of the past is passed over."""
    return {name: chosen.get(name, usual) for name, usual in USUAL.items()}


def differing(keys: Mapping[str, str]) -> dict[str, str]:
    """Of a choice of keys, those that are not the usual ones: what is worth keeping.

    Raises :class:`BadKeys` for an unknown action, a key nobody may choose, and a key of two
    actions.

    >>> differing({"skip": "x", "note": "n"})
    {'skip': 'x'}
    """
    errors = {name: f"There is no action “{name}”." for name in keys if name not in USUAL}
    for name, key in keys.items():
        if name in USUAL and not _may_be_chosen(key):
            errors[name] = f"“{key}” cannot be a key here: take a character, Enter or an arrow."
    errors |= _clashes(effective(keys))
    if errors:
        raise BadKeys(errors)
    return {name: key for name, key in keys.items() if key != USUAL[name]}


def shown(key: str) -> str:
    """A key as it is printed on a button."""
    arrows = {"ArrowLeft": "←", "ArrowRight": "→", "ArrowUp": "↑", "ArrowDown": "↓"}
    return arrows.get(key) or (key.upper() if len(key) == 1 else key)


def _may_be_chosen(key: str) -> bool:
    if len(key) != 1:
        return key in _NAMED
    return key.isprintable() and not key.isspace() and key == key.lower()


def _clashes(keys: Mapping[str, str]) -> dict[str, str]:
    owners: dict[str, list[str]] = {}
    for name, key in keys.items():
        owners.setdefault(key, []).append(name)
    errors: dict[str, str] = {}
    for key, names in owners.items():
        if len(names) > 1:
            titles = " and ".join(f"“{_TITLES[name]}”" for name in names)
            errors |= {name: f"{shown(key)} would do two things: {titles}." for name in names}
    return errors
