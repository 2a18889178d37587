"""Keys a person may choose on the review page, and those they may not."""

import pytest

from curation.review import keymap
from curation.review.keymap import BadKeys


def test_what_is_not_chosen_stays_as_usual() -> None:
    keys = keymap.effective({"skip": "x", "long_gone": "y"})
    assert keys["skip"] == "x"
    assert keys["note"] == "n"
    assert "long_gone" not in keys


def test_the_usual_keys_do_not_clash() -> None:
    assert keymap.differing(keymap.USUAL) == {}


def test_two_actions_may_swap_their_keys() -> None:
    assert keymap.differing({"skip": "f", "spam": "s"}) == {"skip": "f", "spam": "s"}


def test_a_key_of_two_actions_is_refused_for_both() -> None:
    with pytest.raises(BadKeys) as refused:
        keymap.differing({"note": "f"})
    assert set(refused.value.errors) == {"note", "spam"}
    assert "F would do two things: “Spam: skip at once” and “Write a note”." in str(refused.value)


def test_a_label_the_project_lacks_keeps_its_key() -> None:
    with pytest.raises(BadKeys, match="9 would do two things"):
        keymap.differing({"skip": "9"})


@pytest.mark.parametrize("key", ["Backspace", "Tab", "Escape", " ", "", "S", "ab", "\u200b"])
def test_keys_that_belong_to_the_browser_cannot_be_chosen(key: str) -> None:
    with pytest.raises(BadKeys, match="cannot be a key here"):
        keymap.differing({"skip": key})


def test_an_unknown_action_is_refused() -> None:
    with pytest.raises(BadKeys, match="no action “dance”"):
        keymap.differing({"dance": "d"})
