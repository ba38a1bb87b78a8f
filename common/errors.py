"""The error for wrong use: one line that tells the user what to do."""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """Wrong use of the project, in one line: the thing with its value, the reason, the remedy.

    Library code raises this error where it learns of the mistake. The scripts print the line once, without a
    traceback, and exit with status 2.
    """


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of an error message about an unknown name: the most similar known name, or all known names."""
    known = list(known)
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
