"""Reads networks and evidence in the format of the UAI competitions. Variable i is called var_i, its states 0, 1, ...

A file lists the numbers of states, the scope of each table, and the tables. In each table the last variable of the
scope changes fastest; in a Bayesian network this is the child. Some programs write another order under the same header:

    pgmpy     the first variable changes fastest,
    pyAgrum   the child changes fastest, then the first parent, and the last parent slowest.

pgmpy's order is recognised, because its rows sum to one only if they are read that way. pyAgrum's order is not
recognised, because the child changes fastest there, too, so that rows sum to one in either reading.
"""

import logging
import re
from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from common.errors import UserError
from pgm_tfp.conditionals import ROUNDING, Table
from pgm_tfp.potentials import Potential

log = logging.getLogger(__name__)


class Uai(NamedTuple):
    """The contents of a UAI file.

    Attributes:
        tables: of a Bayesian network, by variable; None if the file holds a Markov network.
        potentials: of a Markov network; empty if the file holds a Bayesian network.
        states: by variable the names of its states.
    """

    tables: dict[str, Table] | None
    potentials: list[Potential]
    states: dict[str, range]


class _Words:
    """The words of a file, taken one after the other; comments are left out."""

    def __init__(self, text: str):
        self.left = re.sub("#.*", "", text).split()[::-1]

    def take(self, number: Callable[[str], Any], what: str) -> Any:
        """The next word as a number; `what` describes it in errors."""
        if not self.left:
            raise UserError(f"the file ends where {what} should be")
        word = self.left.pop()
        try:
            return number(word)
        except ValueError:
            raise UserError(f"{word!r} is where {what} should be") from None

    def list(self, number: Callable[[str], Any], what: str) -> list[Any]:
        """A number n, and the n words after it as numbers."""
        return [
            number_at
            for _ in range(self.take(_count, f"the number of {what}"))
            for number_at in [self.take(number, what)]
        ]


def read_uai(text: str, name: str) -> Uai:
    """The Bayesian or Markov network in the text of a UAI file.

    Logs a warning if the order of a table's entries is ambiguous.

    Args:
        name: of the file, for the warning.

    Raises:
        UserError: the text is not a UAI file.
    """
    words = _Words(text)
    kind = words.left.pop().upper() if words.left else ""
    if kind not in ("BAYES", "MARKOV"):
        raise UserError(f"the file begins with {kind!r}; it must begin with BAYES or MARKOV")
    sizes = words.list(_count, "states")
    scopes = [words.list(_count, "variables in a table") for _ in range(words.take(_count, "the number of tables"))]
    for scope in scopes:
        for variable in scope:
            if variable >= len(sizes):
                raise UserError(f"a table names variable {variable}; there are {len(sizes)} variables, counted from 0")
    values = []
    for place, scope in enumerate(scopes):
        flat, cells = words.list(float, f"entries of table {place}"), prod(sizes[variable] for variable in scope)
        if len(flat) != cells:
            raise UserError(f"table {place} has {len(flat)} entries; its variables have {cells} joint states")
        values.append(np.array(flat))
    if words.left:
        raise UserError(f"{words.left[-1]!r} is where the file should end")
    states = {_name(variable): range(size) for variable, size in enumerate(sizes)}
    if kind == "BAYES":
        return Uai(_tables(scopes, values, sizes, name), [], states)
    if re.search(r"#\s*\{[\d,\s]*\}", text):
        log.warning(
            "%s: pyAgrum seems to have written this file. pyAgrum confuses the order of a table's variables, and does "
            "not read its own file back correctly; export the Bayesian network as BIF instead",
            name,
        )
    potentials = [
        Potential(map(_name, scope), flat.reshape([sizes[variable] for variable in scope]))
        for scope, flat in zip(scopes, values, strict=True)
    ]
    without = set(range(len(sizes))).difference(*scopes)
    potentials += [Potential([_name(variable)], np.ones(sizes[variable])) for variable in sorted(without)]
    return Uai(None, potentials, states)


def read_uai_evidence(text: str) -> dict[str, int]:
    """The evidence in the text of an evidence file: by variable the number of its state.

    The file has the number of findings, then pairs of a variable and a state. In an older form, the number of cases
    comes first.

    Raises:
        UserError: the text is not an evidence file, or holds several cases.
    """
    words = _Words(text)
    # Pairs and their number are an odd number of words. One more is the number of cases.
    cases = words.take(_count, "the number of cases") if len(words.left) % 2 == 0 else 1
    if cases != 1:
        raise UserError(f"the file holds {cases} cases; write one case into a file")
    found: dict[str, int] = {}
    for _ in range(words.take(_count, "the number of findings")):
        variable, state = _name(words.take(_count, "a variable")), words.take(_count, "a state")
        if variable in found:
            raise UserError(f"{variable} is there twice; leave one of them out")
        found[variable] = state
    if words.left:
        raise UserError(f"{words.left[-1]!r} is where the file should end")
    return found


def _tables(
    scopes: Sequence[Sequence[int]], values: Sequence[np.ndarray], sizes: Sequence[int], name: str
) -> dict[str, Table]:
    shapes = [[sizes[variable] for variable in scope] for scope in scopes]
    if sorted(scope[-1] for scope in scopes if scope) != list(range(len(sizes))):
        raise UserError("a Bayesian network needs one table for each variable, with the variable last in its scope")
    last_fastest = [flat.reshape(shape) for flat, shape in zip(values, shapes, strict=True)]
    first_fastest = [flat.reshape(shape[::-1]).T for flat, shape in zip(values, shapes, strict=True)]

    def sums_to_one(tables: list[np.ndarray]) -> bool:
        return all((np.abs(table.sum(-1) - 1.0) < ROUNDING).all() for table in tables)

    read = last_fastest
    if not sums_to_one(last_fastest) and sums_to_one(first_fastest):
        read = first_fastest
    else:
        first_parent_fastest = [
            np.moveaxis(flat.reshape([*shape[-2::-1], shape[-1]]).T, 0, -1)
            for flat, shape in zip(values, shapes, strict=True)
        ]
        unclear = [
            _name(scope[-1])
            for scope, ours, theirs in zip(scopes, last_fastest, first_parent_fastest, strict=True)
            if not np.array_equal(ours, theirs)
        ]
        if sums_to_one(first_fastest):
            unclear += [
                _name(scope[-1])
                for scope, ours, theirs in zip(scopes, last_fastest, first_fastest, strict=True)
                if not np.allclose(ours, theirs, atol=ROUNDING) and _name(scope[-1]) not in unclear
            ]
        if unclear:
            log.warning(
                "%s: the order in which the parents of %s vary is ambiguous (%d of %d tables); read as the format "
                "says, the last parent fastest. pyAgrum and pgmpy write other orders: export from there as BIF instead",
                name,
                unclear[0],
                len(unclear),
                len(scopes),
            )
    return {
        _name(child): Table(table, map(_name, parents), range(sizes[child]))
        for (*parents, child), table in zip(scopes, read, strict=True)
    }


def _name(variable: int) -> str:
    return f"var_{variable}"


def _count(word: str) -> int:
    if not (word.isascii() and word.isdigit()):
        raise ValueError
    return int(word)
