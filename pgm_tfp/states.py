"""States, and how people and programs write them: True, "true", 1, "1.0" for one and the same."""

from collections.abc import Sequence
from typing import Any

State = bool | int | str
BINARY: tuple[State, ...] = (False, True)
YES_AND_NO = {"1": 1, "1.0": 1, "true": 1, "yes": 1, "0": 0, "0.0": 0, "false": 0, "no": 0}


def places_of(states: Sequence[State]) -> dict[Any, int]:
    """The place of each state, by the state itself and by its name as text.

    A column of whole numbers with gaps comes out of a table program as 1.0, so that counts as 1.
    """
    places: dict[Any, int] = {state: place for place, state in enumerate(states)}
    for place, state in enumerate(states):
        text = str(state)
        places.setdefault(text, place)
        if text.isdigit():
            places.setdefault(f"{text}.0", place)
    return places


def find_state(states: Sequence[State], places: dict[Any, int], written: Any) -> int | None:
    """The place of a state as somebody has written it, or None.

    Args:
        places: `places_of(states)`.
        written: the state; its name, spaces around it or not; of states that are false and true also 0 and 1, no and
            yes, in capitals or not.
    """
    try:
        place = places.get(written)
    except TypeError:  # a list, say
        return None
    if place is None and not is_missing(written):  # a state can be called None, as a name
        text = str(written).strip()
        place = places.get(text)
        if place is None and tuple(states) == BINARY:
            place = YES_AND_NO.get(text.lower())
    return place


def is_missing(value: Any) -> bool:
    """Does a cell say that nothing was seen? None does, and not-a-number, and what pandas has in their place."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except TypeError:  # pandas.NA is neither equal to itself nor not
        return True
    except ValueError:  # an array
        return False


def listed(column: Any) -> list[Any]:
    """A column as a list of Python's own values: a sequence, an array, or a series of pandas with any index."""
    return column.tolist() if hasattr(column, "tolist") else list(column)
