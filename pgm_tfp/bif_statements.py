"""Splits the text of a BIF file into statements, without comments, and with quoted strings set apart.

A comment is // to the end of the line, or /* to the next */; it counts as a space. There is no comment inside of quotes
and no quote inside of a comment. Inside of an unquoted word, as in http://x, // does not begin a comment.

Statements are made one at a time, so that a caller who does not collect them holds only one in memory.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from common.errors import UserError

MARK = re.compile(r'//|/\*|["{};]')
NESTING = {"{": 1, "}": -1}
NOT_BLANK = re.compile(r"\S")
NOT_IN_WORDS = frozenset(';{}()[],|"')  # besides white space
PLACEHOLDER = re.compile(r'"(\d+)"')


class Statement(NamedTuple):
    """A statement inside of a block, or the head of a block.

    Attributes:
        line: the number of the line where it begins.
        start: the position where it begins.
        text: each comment is replaced by a space, and the quoted string number i by "i", so that brackets, commas and
            semicolons in the text are never part of a quoted name.
        strings: the quoted strings, without their quotes.
        mark: the character that ended it, one of ; { }, or nothing at the end of the text.
        stop: the position after the mark.
    """

    line: int
    start: int
    text: str
    strings: Sequence[str]
    mark: str
    stop: int

    def name(self, part: str) -> str:
        """A part of `text` as it was written, with single spaces; a name in quotes comes without its quotes."""
        plain = " ".join(part.split())
        if '"' not in plain:
            return plain
        if quoted := PLACEHOLDER.fullmatch(plain):
            return self.strings[int(quoted[1])]
        return PLACEHOLDER.sub(lambda found: f'"{self.strings[int(found[1])]}"', plain)


def statements(text: str, at: int = 0, line: int = 1, depth: int = 0) -> Iterator[Statement]:
    """The heads of blocks and the statements in blocks, in order; the last statement of a block ends with }.

    A list in braces inside of a statement, such as the states of a variable, is part of the statement.

    Args:
        at: the position to begin at.
        line: the number of the line of that position.
        depth: the number of braces that are open at that position.

    Raises:
        UserError: a string, a comment or a block has no end; the message names the line where it begins.
    """
    counted = at  # the position whose line number is `line`
    opened = line  # where the current block begins
    pieces: list[str] = []
    strings: list[str] = []
    start = -1  # the position of the statement's first character; -1 before it is found
    for kind, begin, stop in _pieces(text, at):
        if start < 0 and kind != "comment" and (first := NOT_BLANK.search(text, begin, stop)):
            start = first.start()
        if kind == "comment":
            pieces.append(" ")
        elif kind == "string":
            pieces.append(f'"{len(strings)}"')
            strings.append(text[begin + 1 : stop - 1])
        elif kind == "text" or depth > 1 or (depth == 1 and text[begin] == "{"):
            pieces.append(text[begin:stop])
            if kind == "mark":
                depth += NESTING.get(text[begin], 0)
        else:
            line += text.count("\n", counted, start)
            counted = start
            mark = text[begin:stop]
            statement = Statement(line, start, "".join(pieces).strip(), strings, mark, stop)
            if mark == "{":
                opened = line
            depth += NESTING.get(mark, 0)
            pieces, strings, start = [], [], -1
            yield statement
    if depth:
        raise error(opened, "the block that begins here has no end; add }")
    if start >= 0:
        line += text.count("\n", counted, start)
        yield Statement(line, start, "".join(pieces).strip(), strings, "", len(text))


def body(following: Iterator[Statement]) -> Iterator[Statement]:
    """The statements up to the end of the current block; empty ones are left out."""
    for statement in following:
        if statement.text:
            yield statement
        if statement.mark == "}":
            return


def error(line: int, what: str) -> UserError:
    """An error that begins with the number of a line."""
    return UserError(f"line {line}: {one_line(what)}")


def one_line(text: str) -> str:
    """The text with single spaces: quoted names can hold line breaks, which an error must not."""
    return " ".join(text.split())


def _pieces(text: str, at: int) -> Iterator[tuple[str, int, int]]:
    """The kind of each piece of the text (text, string, comment or mark), where it begins, and where it ends."""
    comment_end = at
    while found := MARK.search(text, at):
        mark, begin = found[0], found.start()
        if at < begin:
            yield "text", at, begin
        if mark == "//":
            if begin > comment_end and not (text[begin - 1].isspace() or text[begin - 1] in NOT_IN_WORDS):
                # Only the first slash is part of the word for sure: in a//* why */ the second begins a comment.
                kind, at = "text", begin + 1
            else:
                end = text.find("\n", begin)
                kind, at = "comment", len(text) if end < 0 else end
        elif mark == "/*":
            kind, at = "comment", _after(text, begin, "*/", "comment")
        elif mark == '"':
            kind, at = "string", _after(text, begin, '"', "quoted string")
        else:
            kind, at = "mark", begin + 1
        if kind == "comment":
            comment_end = at
        yield kind, begin, at
    if at < len(text):
        yield "text", at, len(text)


def _after(text: str, begin: int, closing: str, what: str) -> int:
    """The position after a comment or a string that begins at a position."""
    end = text.find(closing, begin + len(closing))
    if end < 0:
        line = text.count("\n", 0, begin) + 1
        raise error(line, f"the {what} that begins here has no end; add {closing}")
    return end + len(closing)
