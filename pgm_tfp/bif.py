"""Reads the Bayesian Interchange Format (BIF), which bnlearn, SamIam, GeNIe, pyAgrum and pgmpy write.

    variable rain { type discrete [ 2 ] { no, yes }; }
    probability ( grass | rain ) { (no) 0.9, 0.1; (yes) 0.2, 0.8; }

In place of rows there can be a `table` of all entries, in which the variable's own states vary slowest and those of the
last parent fastest. A `default` row stands for all rows that are not given. Two statements that give the same row
contradict each other and are refused.

Names may be quoted. Names of states that bnlearn makes from intervals, such as (0,10], contain a comma and brackets.
The number of states, and in rows the names of the parents' states, tell them from lists.

Blocks can come in any order, so a table is read after all variables are known. The text is read statement by
statement; beside the text, only the tables and the current statement are in memory.
"""

import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import NamedTuple

import numpy as np

from common.errors import nearest
from pgm_tfp.bif_statements import Statement, body, error, one_line, statements
from pgm_tfp.conditionals import Table
from pgm_tfp.memory import FLOAT, check_memory
from pgm_tfp.potentials import MOST_VARIABLES

HEAD = re.compile(r"(network|variable|probability)\b(.*)", re.DOTALL)
TYPE = re.compile(r"type\s+discrete\s*\[\s*(\d{1,9})\s*\]\s*\{([^{}]*)\}")
NUMBER = re.compile(r"[^\s,]+")
# The kinds of statements that may not stand before a statement of this kind, because both would give the same row.
CONTRADICTS = {"table": ("table", "default", "(row)"), "default": ("table", "default"), "(row)": ("table",)}


class _Variable(NamedTuple):
    line: int
    states: tuple[str, ...]


class _Family(NamedTuple):
    """The head of a probability block, and the position and the line where its body begins."""

    line: int
    parents: tuple[str, ...]
    body: int
    body_line: int


def read_bif(text: str) -> dict[str, Table]:
    """The tables in the text of a BIF file, by variable.

    Raises:
        UserError: the text is not BIF, or it contradicts itself; the message names the line, or both lines.
    """
    variables: dict[str, _Variable] = {}
    families: dict[str, _Family] = {}
    following = statements(text)
    for head in following:
        found = HEAD.fullmatch(head.text)
        if not found or head.mark != "{":
            shown = _short(text[head.start : head.start + 80])
            raise error(head.line, f"{shown} is not a network, variable or probability block")
        kind, rest = found.groups()
        inside = body(following)
        if kind == "variable":
            name = head.name(rest)
            if name in variables:
                raise error(head.line, f"variable {name} is there twice, {_first(variables[name].line)}")
            variables[name] = _Variable(head.line, _states(head.line, inside, name))
        elif kind == "probability":
            child, parents = _family(head, rest)
            if child in families:
                raise error(head.line, f"the table of {child} is there twice, {_first(families[child].line)}")
            body_line = head.line + text.count("\n", head.start, head.stop)
            families[child] = _Family(head.line, parents, head.stop, body_line)
        for _ in inside:  # the next block begins after the rest of this one
            pass
    for child, family in families.items():
        for name in (child, *family.parents):
            if name not in variables:
                raise error(family.line, f"unknown variable {name}; {nearest(name, variables)}")
    for name, variable in variables.items():
        if name not in families:
            raise error(variable.line, f"{name} has no probability block; add one")
    return {name: _table(text, name, families[name], variables) for name in variables}


def _states(line: int, inside: Iterator[Statement], name: str) -> tuple[str, ...]:
    types = [statement for statement in inside if _word(statement) == "type"]
    if not types:
        raise error(line, f"{name} has no states; write 'type discrete [ n ] {{ ... }};'")
    if len(types) > 1:
        raise error(types[1].line, f"the type of {name} is there twice, {_first(types[0].line)}")
    found = TYPE.fullmatch(types[0].text)
    if not found:
        raise error(line, f"{name}: its type must be written as 'type discrete [ n ] {{ ... }}'")
    pieces = [piece for piece in found[2].split(",") if piece.strip()]
    for listed in (_joined_intervals(pieces), pieces):
        if len(listed) == int(found[1]):
            states = tuple(map(types[0].name, listed))
            if len(set(states)) < len(states):
                twice = next(state for place, state in enumerate(states) if state in states[:place])
                raise error(line, f"{name} has the state {twice} twice; give each state its own name")
            return states
    shown = _short(types[0].name(found[2]))
    raise error(line, f"{name} must have {found[1]} states; {shown} are {len(pieces)}; correct one of them")


def _joined_intervals(pieces: Sequence[str]) -> list[str]:
    """The list in which a piece such as (0 and the next, such as 10], are one name."""
    joined: list[str] = []
    half = False  # the last name is the first half of an interval
    for piece in pieces:
        if half and piece.rstrip().endswith(("]", ")")):
            joined[-1] += f",{piece}"
            half = False
        else:
            joined.append(piece)
            half = piece.lstrip().startswith(("[", "("))
    return joined


def _family(head: Statement, rest: str) -> tuple[str, tuple[str, ...]]:
    scope = rest.strip()
    if not (scope.startswith("(") and scope.endswith(")")):
        raise error(head.line, "a probability block must begin with ( variable | parents )")
    child, _, parents = scope[1:-1].partition("|")
    # Commas between parents may be left out.
    separator = "," if "," in parents else None
    return head.name(child), tuple(head.name(parent) for parent in parents.split(separator) if parent.strip())


def _table(text: str, child: str, family: _Family, variables: Mapping[str, _Variable]) -> Table:
    line, parents = family.line, family.parents
    states = variables[child].states
    shape = [len(variables[parent].states) for parent in parents]
    if len(parents) >= MOST_VARIABLES:
        raise error(line, f"{child} has {len(parents)} parents; fewer than {MOST_VARIABLES} can be read")
    cells = prod(shape) * len(states)
    check_memory(
        one_line(f"line {line}: the table of {child}, of {len(parents)} parents,"),
        3 * FLOAT * cells,  # the numbers as they are read, the table, and the lines of its rows
        "give it fewer parents",
    )
    values = np.zeros((*shape, len(states)))
    lines = np.zeros(shape, np.int64)  # where each row is given; 0 if it is not
    default: array[float] | None = None
    first: dict[str, int] = {}  # the line of the first statement of each kind
    indices = [{state: place for place, state in enumerate(variables[parent].states)} for parent in parents]
    for statement in body(statements(text, family.body, family.body_line, depth=1)):
        word = _word(statement)
        kind = "(row)" if word.startswith("(") and ")" in statement.text else word
        if kind == "property":
            continue
        if kind not in CONTRADICTS:
            raise error(
                statement.line, f"{_short(statement.name(statement.text))} is not a table, a default or a (row)"
            )
        for other in CONTRADICTS[kind]:
            if other in first:
                raise error(
                    statement.line, f"{child} has a {kind} here and a {other} in line {first[other]}; keep one of them"
                )
        first.setdefault(kind, statement.line)
        if kind == "table":
            entries = np.reshape(_numbers(statement, len(word), cells, child), (len(states), *shape))
            # The variable's own states change slowest.
            values[...] = np.moveaxis(entries, 0, -1)
            lines[...] = statement.line
        elif kind == "default":
            default = _numbers(statement, len(word), len(states), child)
        else:
            # Names of states can contain brackets, numbers cannot.
            end = statement.text.rindex(")")
            head = statement.text[1:end]
            place = _place(statement, head, indices)
            if place is None:
                of = ", ".join(parents) or "no parents"
                raise error(statement.line, f"({_cut(statement.name(head))}) are not states of {of}")
            if lines[place]:
                row = f"the row ({statement.name(head)}) of {child}"
                raise error(statement.line, f"{row} is there twice, {_first(int(lines[place]))}")
            values[place] = _numbers(statement, end + 1, len(states), child)
            lines[place] = statement.line
    missing = lines == 0
    if missing.any():
        if default is None:
            places = np.unravel_index(int(missing.argmax()), missing.shape)
            row = ", ".join(variables[parent].states[place] for parent, place in zip(parents, places, strict=True))
            raise error(line, f"{child} has no row for ({row}) and no default; add one of them")
        values[missing] = default
    return Table(values, parents, states)


def _place(statement: Statement, head: str, indices: Sequence[Mapping[str, int]]) -> tuple[int, ...] | None:
    """The index of each parent's state in the head of a row; None if the head does not name one state of each.

    Args:
        head: the part of the statement between the brackets.
        indices: of each parent the indices of its states, by name.
    """
    pieces = head.split(",") if head.strip() else []
    if len(pieces) == len(indices):
        try:
            return tuple([index[statement.name(piece)] for index, piece in zip(indices, pieces, strict=True)])
        except KeyError:
            return None
    # Names of states can contain commas, so a state can take several pieces. By the number of pieces taken, the states.
    reached: dict[int, tuple[int, ...]] = {0: ()}
    for index in indices:
        most = 1 + max((name.count(",") for name in index), default=0)
        reached = {
            stop: (*places, index[name])
            for start, places in reached.items()
            for stop in range(start + 1, min(start + most, len(pieces)) + 1)
            if (name := statement.name(",".join(pieces[start:stop]))) in index
        }
    return reached.get(len(pieces))


def _numbers(statement: Statement, at: int, expected: int, child: str) -> "array[float]":
    """The numbers of a statement from a position on; commas count as spaces."""
    try:
        numbers = array("d", (float(word[0]) for word in NUMBER.finditer(statement.text, at)))
    except ValueError:
        wrong = next(word[0] for word in NUMBER.finditer(statement.text, at) if not _is_number(word[0]))
        shown = _short(statement.name(statement.text[at:]))
        raise error(statement.line, f"{shown} must be numbers; {_short(statement.name(wrong))} is none") from None
    if len(numbers) != expected:
        raise error(statement.line, f"{child} needs {expected} numbers here, given {len(numbers)}")
    return numbers


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _word(statement: Statement) -> str:
    """The first word of a statement."""
    return statement.text.split(None, 1)[0]


def _first(line: int) -> str:
    """The end of an error about something that is there twice."""
    return f"first in line {line}; leave out one of the two"


def _short(text: str) -> str:
    """The beginning of a text, quoted, for an error."""
    return repr(_cut(text))


def _cut(text: str) -> str:
    """The beginning of a text, for an error."""
    shown = one_line(text)
    return shown if len(shown) < 40 else f"{shown[:37]}..."
