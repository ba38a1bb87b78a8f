"""Names of files and folders: made readable for people, and short enough for file systems."""

import hashlib

LONGEST = 200  # bytes of a file name; file systems allow 255, and the names of temporary files are longer


def printable(name: object) -> str:
    r"""The name on one line, in printable characters; every other character becomes an escape such as `\n`.

    Python keeps the bytes of a file name that are not UTF-8 as lone surrogates. They appear as in Python's own
    messages: `\udce9`. Use the result only in messages, labels and figures; only the original name finds the file.
    """
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in str(name)
    )


def file_name(stem: str, suffix: str) -> str:
    """A file name of at most `LONGEST` bytes; a hash of the whole stem replaces the end of a stem that is too long."""
    name = f"{stem}{suffix}"
    if len(name.encode()) <= LONGEST:
        return name
    start = stem.encode()[: LONGEST // 2].decode(errors="ignore")
    return f"{start}-{hashlib.sha256(stem.encode()).hexdigest()[:8]}{suffix}"
