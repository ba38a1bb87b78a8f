"""Files that are either whole or absent."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = ".unfinished-"
MOST_OF_NAME = 40


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A temporary path to write to; it takes the place of `path` when the block ends well.

    The temporary file lies in the same folder and keeps the suffix (Keras and
    NumPy choose the format by it). On an error it is removed and `path` is as before.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # The beginning of a long name: all of it and more might be too long for the file system.
    start = f"{UNFINISHED}{path.stem[:MOST_OF_NAME]}-"
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=start, suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        # mkstemp gives files to their owner alone; a result is as public as any new file.
        temporary.chmod(0o666 & ~_umask())
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Remove what a killed process was writing into a folder; call it where no other process writes."""
    for leftover in folder.glob(f"{UNFINISHED}*"):
        leftover.unlink()


def write_text(path: Path, text: str) -> None:
    r"""Write a text file, whole or not at all; what UTF-8 cannot say becomes an escape such as `\udce9`."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
