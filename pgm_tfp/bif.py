"""Reads the Bayesian Interchange Format (BIF), which bnlearn, SamIam, GeNIe, pyAgrum and pgmpy write.

    variable rain { type discrete [ 2 ] { no, yes }; }
    probability ( grass | rain ) { (no) 0.9, 0.1; (yes) 0.2, 0.8; }

In place of rows there can be a `table` of all entries, in which the variable's own states vary slowest and those of the
last parent fastest. A `default` row stands for all rows that are not given. Names may be quoted. Names of states that
bnlearn makes from intervals, such as (0,10], contain a comma and brackets. The number of states, and in rows the names
of the parents' states, tell them from lists.
"""

import re
from collections.abc import Iterator, Sequence
from math import prod

import numpy as np

from common.errors import UserError, nearest
from pgm_tfp.conditionals import Table
from pgm_tfp.memory import FLOAT, check_memory
from pgm_tfp.potentials import MOST_VARIABLES

QUOTED = re.compile(r'"[^"]*"')
COMMENT = re.compile(r"(?<!\S)//[^\n]*|/\*.*?\*/", re.DOTALL)
BLOCK = re.compile(r"(?<![^\s}])(network|variable|probability)\b([^{}]*)\{((?:[^{}]|\{[^{}]*\})*)\}")
STATEMENT = re.compile(r"\s*([^;{}]*(?:\{[^{}]*\})?[^;{}]*)(;|\Z)")
TYPE = re.compile(r"type\s+discrete\s*\[\s*(\d+)\s*\]\s*\{(.*)\}\s*", re.DOTALL)
INTERVAL_OR_WORD = re.compile(r"\s*[\[(][^,]*,[^,]*?[\])](?=\s*(?:,|\Z))|[^,]+")
ROW = re.compile(r"\((.*)\)([^()\[\]]*)", re.DOTALL)
HIDDEN = 0xE000  # start of Unicode's private use area; quoted characters are moved there to hide them from the grammar


def read_bif(text: str) -> dict[str, Table]:
    """The tables in the text of a BIF file, by variable.

    Raises:
        UserError: the text is not BIF; the message names the line.
    """
    source = _hidden(text)
    states: dict[str, tuple[str, ...]] = {}
    families: dict[str, tuple[int, tuple[str, ...], str, int]] = {}
    end = 0
    for block in BLOCK.finditer(source):
        if gap := source[end : block.start()].strip():
            raise _error(source, end + len(source[end:]) - len(source[end:].lstrip()), f"{_short(gap)} is not a block")
        end = block.end()
        kind, head, body = block.groups()
        if kind == "variable":
            name = _shown(head)
            if name in states:
                raise _error(source, block.start(), f"variable {name} is there twice")
            states[name] = _states(source, block.start(3), body, name)
        elif kind == "probability":
            child, parents = _family(source, block.start(), head)
            if child in families:
                raise _error(source, block.start(), f"the table of {child} is there twice")
            families[child] = block.start(), parents, body, block.start(3)
    if rest := source[end:].strip():
        at = end + len(source[end:]) - len(source[end:].lstrip())
        raise _error(source, at, f"{_short(rest)} is not a network, variable or probability block")
    for child, (start, parents, _, _) in families.items():
        for name in (child, *parents):
            if name not in states:
                raise _error(source, start, f"unknown variable {name}; {nearest(name, states)}")
    for name in states:
        if name not in families:
            raise UserError(f"{name} has no probability block; add one")
    return {name: _table(source, name, families[name], states) for name in states}


def _states(source: str, start: int, body: str, name: str) -> tuple[str, ...]:
    for _, statement in _statements(body, start):
        if statement.startswith("type"):
            found = TYPE.fullmatch(statement)
            if not found:
                raise _error(source, start, f"{name}: its type must be written as 'type discrete [ n ] {{ ... }}'")
            listed = found[2].strip().removesuffix(",")
            for pattern in (INTERVAL_OR_WORD, re.compile(r"[^,]+")):
                names = tuple(_shown(state) for state in pattern.findall(listed) if state.strip())
                if len(names) == int(found[1]):
                    return names
            raise _error(source, start, f"{name} must have {found[1]} states; {_short(listed)} are {len(names)}")
    raise _error(source, start, f"{name} has no states; write 'type discrete [ n ] {{ ... }};'")


def _family(source: str, start: int, head: str) -> tuple[str, tuple[str, ...]]:
    inside = head.strip()
    if not (inside.startswith("(") and inside.endswith(")")):
        raise _error(source, start, "a probability block must begin with ( variable | parents )")
    child, _, parents = inside[1:-1].partition("|")
    # Commas between parents may be left out.
    separator = "," if "," in parents else None
    return _shown(child), tuple(_shown(parent) for parent in parents.split(separator) if parent.strip())


def _table(
    source: str, child: str, family: tuple[int, tuple[str, ...], str, int], states: dict[str, tuple[str, ...]]
) -> Table:
    start, parents, body, body_start = family
    shape = [len(states[parent]) for parent in parents]
    if len(parents) >= MOST_VARIABLES:
        raise _error(source, start, f"{child} has {len(parents)} parents; fewer than {MOST_VARIABLES} can be read")
    check_memory(
        f"line {source.count(chr(10), 0, start) + 1}: the table of {child}, of {len(parents)} parents,",
        2 * FLOAT * prod(shape) * len(states[child]),
        "give it fewer parents",
    )
    values, given = np.zeros((*shape, len(states[child]))), np.zeros(shape, bool)
    default: list[float] | None = None
    for at, statement in _statements(body, body_start):
        word = statement.split(None, 1)[0]
        if word == "property":
            continue
        if word == "table":
            entries = _numbers(source, at, statement[len(word) :], prod(values.shape), child)
            # The variable's own states change slowest.
            values[...] = np.moveaxis(np.reshape(entries, (len(states[child]), *shape)), 0, -1)
            given[...] = True
        elif word == "default":
            default = _numbers(source, at, statement[len(word) :], len(states[child]), child)
        elif row := ROW.fullmatch(statement):
            place = _place(row[1].strip(), [states[parent] for parent in parents])
            if place is None:
                raise _error(source, at, f"({_shown(row[1])}) are not states of {', '.join(parents) or 'no parents'}")
            if given[place]:
                raise _error(source, at, f"the row ({_shown(row[1])}) of {child} is there twice")
            values[place] = _numbers(source, at, row[2], len(states[child]), child)
            given[place] = True
        else:
            raise _error(source, at, f"{_short(statement)} is not a table, a default or a (row)")
    if not given.all():
        if default is None:
            missing = np.argwhere(~given)[0]
            row_name = ", ".join(states[parent][place] for parent, place in zip(parents, missing, strict=True))
            raise _error(source, start, f"{child} has no row for ({row_name}) and no default; add one of them")
        values[~given] = default
    return Table(values, parents, states[child])


def _place(text: str, states: Sequence[Sequence[str]]) -> tuple[int, ...] | None:
    """The index of each parent's state in the head of a row; None if the text names no states.

    Names of states can contain commas, so the text is compared with each state in turn.
    """
    if not states:
        return None if text else ()
    for place, state in enumerate(states[0]):
        for written in (state, "".join(map(_hide, f'"{state}"'))):
            rest = text.removeprefix(written)
            if rest == text:
                continue
            rest = rest.strip()
            if len(states) > 1:
                if not rest.startswith(","):
                    continue
                rest = rest[1:].strip()
            following = _place(rest, states[1:])
            if following is not None:
                return place, *following
    return None


def _numbers(source: str, at: int, text: str, expected: int, child: str) -> list[float]:
    words = text.replace(",", " ").split()
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        raise _error(source, at, f"{_short(text.strip())} must be numbers") from None
    if len(numbers) != expected:
        raise _error(source, at, f"{child} needs {expected} numbers here, given {len(numbers)}")
    return numbers


def _statements(body: str, start: int) -> Iterator[tuple[int, str]]:
    """The position of each statement, and the statement without its semicolon."""
    for found in STATEMENT.finditer(body):
        if found[1].strip():
            yield start + found.start(1), found[1].strip()


def _hidden(text: str) -> str:
    """The text with comments blanked out and quoted names hidden from the grammar; its length stays the same."""
    text = QUOTED.sub(lambda found: "".join(map(_hide, found[0])), text)
    return COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def _hide(character: str) -> str:
    return chr(HIDDEN + ord(character)) if ord(character) < 128 else character


def _shown(name: str) -> str:
    """A name as it was written, but without quotes and surrounding spaces."""
    plain = "".join(chr(ord(c) - HIDDEN) if HIDDEN <= ord(c) < HIDDEN + 128 else c for c in name).strip()
    return plain[1:-1] if len(plain) > 1 and plain[0] == plain[-1] == '"' else plain


def _short(text: str) -> str:
    """The beginning of a text, quoted, for an error."""
    shown = " ".join(_shown(text).split())
    return repr(shown if len(shown) < 40 else f"{shown[:37]}...")


def _error(source: str, at: int, what: str) -> UserError:
    """An error that begins with the number of the line at this position."""
    return UserError(f"line {source.count(chr(10), 0, at) + 1}: {what}")
