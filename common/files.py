"""Atomic files: a reader finds the old file or the whole new file, never a part of one."""

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from common.errors import UserError

UNFINISHED = ".unfinished-"
MOST_OF_NAME = 40


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A temporary path to write to; the temporary file replaces `path` when the block ends without an error.

    The temporary file is in the same folder and has the same suffix, because Keras and NumPy choose the format by
    the suffix. After an error the temporary file is removed and `path` is unchanged.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Only the start of the name, because a long name plus this prefix could be too long for the file system.
    name = f"{UNFINISHED}{path.stem[:MOST_OF_NAME]}-{secrets.token_hex(4)}{path.suffix}"
    temporary = path.with_name(name)
    temporary.touch(exist_ok=False)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_unfinished(folder: Path, older_than: float = 0.0) -> None:
    """Remove the temporary files that a killed process left in a folder.

    Args:
        older_than: the least age of a file in seconds. With 0, no other process may be writing there.
    """
    for leftover in folder.glob(f"{UNFINISHED}*"):
        if time.time() - leftover.stat().st_mtime >= older_than:
            leftover.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    r"""Write a text file atomically, in UTF-8; a character that UTF-8 cannot encode becomes an escape like `\udce9`."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def read_json(path: Path) -> Any:
    """The content of a JSON file in UTF-8.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no JSON. JSON has no infinite number and no NaN.
    """

    def refuse(number: str) -> None:
        raise ValueError(f"{number} is no number in JSON")

    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    except RecursionError as reason:
        raise ValueError("its brackets are nested too deeply") from reason


def check_format(path: Path, written: object, newest: int, remedy: str) -> None:
    """Refuse a file of a format that this version does not know.

    Args:
        written: the format number in the file.
        newest: the newest format that this version reads; it reads all earlier ones, too.
        remedy: what the user can do.

    Raises:
        UserError: `written` is no number from 1 to `newest`.
    """
    if written not in range(1, newest + 1):
        raise UserError(f"{path} has format {written}, this version reads formats 1 to {newest}; {remedy}")
