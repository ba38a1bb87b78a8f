"""Finds the answers in the source code, which are marked by a pair of comments, and removes them.

    # answer: the KL in closed form
    ...
    # end of answer

Each comment has a line of its own, with the indentation of the statements between them. When an answer is removed, one
line replaces the region: raise NotImplementedError("the KL in closed form").
"""

import ast
import io
import json
import re
import tokenize
from collections.abc import Sequence
from typing import NamedTuple

from common.errors import UserError

BEGIN = re.compile(r"# answer: (\S.*)")
END = "# end of answer"
# Comments that are probably misspelt markers.
MISSPELT = re.compile(r"#+\s*(end\s*(of)?\s*answer|answer\s*:)", re.IGNORECASE)


class Region(NamedTuple):
    """One marked region of a file.

    Attributes:
        asked: what the student has to write.
        line: the line of the first comment, counted from one.
        marked: the text of the region, with both comments and the end of the last line.
        stub: the line that replaces the region, with its end of line.
    """

    asked: str
    line: int
    marked: str
    stub: str

    @property
    def lines(self) -> int:
        """The number of lines of the region, including both comments."""
        return len(_lines(self.marked))


def find_regions(text: str, name: str) -> list[Region]:
    """The marked regions of a Python file, from top to bottom.

    Args:
        text: the text of the file, with its line ends.
        name: the name of the file, for error messages.

    Raises:
        UserError: a marker is misspelt, nested, not closed, or has no beginning; a region holds no statement or a part
            of a statement; two regions of the file have the same name. The message has the file and the line.
    """
    lines, found = _lines(text), list[Region]()
    begun: tuple[int, int, str] | None = None
    for row, column, comment in _comments(text, name):
        begins = BEGIN.fullmatch(comment)
        if comment != END and not begins:
            if MISSPELT.match(comment):
                raise _wrong(name, row, f"{comment!r} is no marker; write '# answer: what is asked' or '{END}'")
        elif begins and begun:
            raise _wrong(
                name, row, f"an answer inside the answer of line {begun[0]}; close the first answer with '{END}'"
            )
        elif begins:
            begun = row, column, begins[1]
        elif begun is None:
            raise _wrong(
                name,
                row,
                "the end of an answer that has no beginning; write '# answer: what is asked' above the answer",
            )
        else:
            first, indentation, asked = begun
            if column != indentation:
                raise _wrong(
                    name, row, f"the answer of line {first} ends at another indentation; indent both comments alike"
                )
            if asked in (region.asked for region in found):
                raise _wrong(name, first, f"a second answer called {asked!r}; give it another name")
            marked = "".join(lines[first - 1 : row])
            found.append(Region(asked, first, marked, _stub(asked, lines[first - 1])))
            begun = None
    if begun:
        raise _wrong(name, begun[0], f"an answer that is not closed; write '{END}' below the answer")
    for region in found:
        _check_whole(text, region, name)
    return found


def without(text: str, found: Sequence[Region]) -> str:
    """The text with a stub in place of each of these regions."""
    lines = _lines(text)
    for region in sorted(found, key=lambda region: -region.line):
        lines[region.line - 1 : region.line - 1 + region.lines] = [region.stub]
    return "".join(lines)


def _lines(text: str) -> list[str]:
    """The lines as Python counts them, with their ends."""
    return list(io.StringIO(text, newline=""))


def _comments(text: str, name: str) -> list[tuple[int, int, str]]:
    """Row, column and text of all comments that have a line of their own."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text, newline="").readline))
    except (tokenize.TokenError, SyntaxError) as reason:
        raise UserError(f"{name} is not valid Python ({reason}); correct it") from reason
    return [
        (*token.start, token.string.rstrip())
        for token in tokens
        if token.type == tokenize.COMMENT and token.line.lstrip().startswith("#")
    ]


def _stub(asked: str, first_line: str) -> str:
    indentation = first_line[: len(first_line) - len(first_line.lstrip())]
    end = first_line[len(first_line.rstrip("\r\n")) :]
    return f"{indentation}raise NotImplementedError({json.dumps(asked, ensure_ascii=False)}){end}"


def _check_whole(text: str, region: Region, name: str) -> None:
    """Raise UserError if a region holds no statement, or if the file without it is not valid Python."""
    end = region.line + region.lines - 1
    if not any(isinstance(node, ast.stmt) and region.line < node.lineno < end for node in ast.walk(ast.parse(text))):
        raise _wrong(
            name, region.line, "an answer without a statement; put the comments around the statements of the answer"
        )
    try:
        ast.parse(without(text, [region]))
    except SyntaxError as reason:
        raise _wrong(
            name, region.line, "an answer with a part of a statement; move the comments to include whole statements"
        ) from reason


def _wrong(name: str, line: int, reason: str) -> UserError:
    return UserError(f"{name}:{line}: {reason}")
