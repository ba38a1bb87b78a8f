"""Answers in the source: marked by a pair of comments, found, and taken out.

    # answer: the KL in closed form
    ...
    # end of answer

Both comments stand alone on their lines, at the indentation of the statements between them. Taken out, such a region is
one line at that indentation: raise NotImplementedError("the KL in closed form").
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
# What may have been meant as one of the two.
NEARLY = re.compile(r"#+\s*(end\s*(of)?\s*answer|answer\s*:)", re.IGNORECASE)


class Region(NamedTuple):
    """One marked region of a file.

    Attributes:
        asked: what a student is asked for.
        line: of the first comment, counted from one.
        marked: the region as it stands, with both comments and the last line's end.
        stub: the line that takes its place, with its end.
    """

    asked: str
    line: int
    marked: str
    stub: str

    @property
    def lines(self) -> int:
        """How many lines it takes, comments included."""
        return len(_lines(self.marked))


def regions(text: str, name: str) -> list[Region]:
    """The marked regions of a Python file, from top to bottom.

    Args:
        text: of the file, line ends as they are.
        name: of the file, for errors.

    Raises:
        UserError: a marker is misspelt, nested, unclosed or without a beginning; a region is empty or is no whole
            statements; two regions of a file ask for the same. It names file and line.
    """
    lines, found = _lines(text), list[Region]()
    begun: tuple[int, int, str] | None = None
    for row, column, comment in _comments(text, name):
        begins = BEGIN.fullmatch(comment)
        if comment != END and not begins:
            if NEARLY.match(comment):
                raise _wrong(name, row, f"{comment!r} is no marker; write '# answer: what is asked' or '{END}'")
        elif begins and begun:
            raise _wrong(name, row, f"an answer inside the one of line {begun[0]}; close that first with '{END}'")
        elif begins:
            begun = row, column, begins[1]
        elif begun is None:
            raise _wrong(name, row, "the end of an answer that has no beginning; write '# answer: what is asked' above")
        else:
            first, indentation, asked = begun
            if column != indentation:
                raise _wrong(name, row, f"the answer of line {first} ends at another indentation; move one of the two")
            if asked in (region.asked for region in found):
                raise _wrong(name, first, f"a second answer called {asked!r}; give it another name")
            marked = "".join(lines[first - 1 : row])
            found.append(Region(asked, first, marked, _stub(asked, lines[first - 1])))
            begun = None
    if begun:
        raise _wrong(name, begun[0], f"an answer that is not closed; write '{END}' below it")
    for region in found:
        _check_whole(text, region, name)
    return found


def without(text: str, found: Sequence[Region]) -> str:
    """The text with stubs in place of these of its regions."""
    lines = _lines(text)
    for region in sorted(found, key=lambda region: -region.line):
        lines[region.line - 1 : region.line - 1 + region.lines] = [region.stub]
    return "".join(lines)


def _lines(text: str) -> list[str]:
    """Lines as Python counts them, with their ends."""
    return list(io.StringIO(text, newline=""))


def _comments(text: str, name: str) -> list[tuple[int, int, str]]:
    """Row, column and text of all comments that stand alone on a line."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text, newline="").readline))
    except (tokenize.TokenError, SyntaxError) as reason:
        raise UserError(f"{name} is no Python ({reason}); mend it") from reason
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
    """Refuse a region that holds no statement, or without which the file is no Python."""
    end = region.line + region.lines - 1
    if not any(isinstance(node, ast.stmt) and region.line < node.lineno < end for node in ast.walk(ast.parse(text))):
        raise _wrong(name, region.line, "an answer without a statement; put the markers around what is to be left out")
    try:
        ast.parse(without(text, [region]))
    except SyntaxError as reason:
        raise _wrong(name, region.line, "an answer that is no whole statements; move its markers") from reason


def _wrong(name: str, line: int, what: str) -> UserError:
    return UserError(f"{name}:{line}: {what}")
