"""Names of files and folders as people read them, and as file systems take them."""

import hashlib

LONGEST = 200  # bytes of a file name; file systems take 255, of which temporary files need some


def printable(name: object) -> str:
    r"""A name on one line that can be written in UTF-8; what cannot be shown becomes an escape, such as `\n`.

    Bytes of a file name that are not UTF-8, which Python keeps as lone surrogates, look as in Python's own
    messages: `\udce9`. The name itself stays what finds the file; this is only for messages, labels and figures.
    """
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in str(name)
    )


def file_name(stem: str, suffix: str) -> str:
    """A file's name; the end of one that is too long is replaced by a digest of the whole."""
    name = f"{stem}{suffix}"
    if len(name.encode()) <= LONGEST:
        return name
    start = stem.encode()[: LONGEST // 2].decode(errors="ignore")
    return f"{start}-{hashlib.sha256(stem.encode()).hexdigest()[:8]}{suffix}"
