"""What all sentences about a run's numbers share."""

from collections.abc import Sequence

ERRORS = 2.0  # standard errors, or usual changes, that a number has to exceed to be told from zero


def listed(names: Sequence[str]) -> str:
    """Names as a sentence lists them."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
