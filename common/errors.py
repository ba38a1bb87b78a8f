"""The one kind of error that is the user's to mend."""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """Wrong use: one line that names the thing, the reason and the remedy.

    Raised where the fact is known; the scripts print it once, without a traceback,
    and exit with status 2.
    """


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of an error message about an unknown name: the nearest known one, or all of them."""
    known = list(known)
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
