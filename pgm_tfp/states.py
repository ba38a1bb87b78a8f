"""The states of variables, and the ways to write them: True, "true", 1 and "1.0" mean the same state."""

from collections.abc import Sequence
from typing import Any

State = bool | int | str
BINARY: tuple[State, ...] = (False, True)
YES_AND_NO = {"1": 1, "1.0": 1, "true": 1, "yes": 1, "0": 0, "0.0": 0, "false": 0, "no": 0}


def places_of(states: Sequence[State]) -> dict[Any, int]:
    """The index of each state, by the state itself and by its name as text.

    Spreadsheets write a column of whole numbers with gaps as 1.0, 2.0, ..., so the text 1.0 counts as the state 1.
    """
    places: dict[Any, int] = {state: place for place, state in enumerate(states)}
    for place, state in enumerate(states):
        text = str(state)
        places.setdefault(text, place)
        if text.isdigit():
            places.setdefault(f"{text}.0", place)
    return places


def find_state(states: Sequence[State], places: dict[Any, int], written: Any) -> int | None:
    """The index of the state that somebody has written; None if there is no such state.

    Args:
        places: `places_of(states)`.
        written: the state itself, or its name, with or without spaces around it. The states False and True can also be
            written as 0 and 1 or no and yes, in capitals or not.
    """
    try:
        place = places.get(written)
    except TypeError:  # a list, say
        return None
    if place is None and not is_missing(written):  # the text "None" can be the name of a state
        text = str(written).strip()
        place = places.get(text)
        if place is None and tuple(states) == BINARY:
            place = YES_AND_NO.get(text.lower())
    return place


def is_missing(value: Any) -> bool:
    """Whether a value means that nothing was seen: None, not-a-number, or the missing values of pandas."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except TypeError:  # comparing pandas.NA gives pandas.NA, which is neither true nor false
        return True
    except ValueError:  # an array
        return False


def listed(column: Any) -> list[Any]:
    """A column as a list of Python values; it can be a sequence, an array, or a pandas series with any index."""
    return column.tolist() if hasattr(column, "tolist") else list(column)
