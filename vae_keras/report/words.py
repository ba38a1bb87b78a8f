"""What the modules with the sentences of the analysis share."""

from collections.abc import Sequence

ERRORS = 2.0  # a number differs from zero if it exceeds this many standard errors, or median changes


def listed(names: Sequence[str]) -> str:
    """Names joined as in a sentence: a, b and c."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
