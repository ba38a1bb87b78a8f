"""Names of files and folders as people read them."""


def printable(name: object) -> str:
    r"""A name on one line that can be written in UTF-8; what cannot be shown becomes an escape, such as `\n`.

    Bytes of a file name that are not UTF-8, which Python keeps as lone surrogates, look as in Python's own
    messages: `\udce9`. The name itself stays what finds the file; this is only for messages, labels and figures.
    """
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in str(name)
    )
