"""Networks and evidence in the format of the UAI competitions; variable i is called var_i, its states 0, 1, ...

A file lists numbers of states, the scope of each table, and the tables; in each the last variable of the scope changes
fastest. A network's child is last in its scope. Some programs write another order under the same header:

    pgmpy     lets the first variable change fastest,
    pyAgrum   lets the child change fastest, then the first parent, and the last parent slowest.

Rows that sum to one tell pgmpy's order. They cannot tell pyAgrum's, because the child comes first in both.
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
    """What a UAI file holds.

    Attributes:
        tables: of a Bayesian network, by variable; None in a file of a Markov network.
        potentials: of a Markov network.
        states: by variable.
    """

    tables: dict[str, Table] | None
    potentials: list[Potential]
    states: dict[str, range]


class _Words:
    """The words of a file, one after the other."""

    def __init__(self, text: str):
        self.left = re.sub("#.*", "", text).split()[::-1]

    def take(self, number: Callable[[str], Any], what: str) -> Any:
        """The next word as a number."""
        if not self.left:
            raise UserError(f"it ends where {what} should stand")
        word = self.left.pop()
        try:
            return number(word)
        except ValueError:
            raise UserError(f"{word!r} stands where {what} should") from None

    def list(self, number: Callable[[str], Any], what: str) -> list[Any]:
        """A number of words, and that many words."""
        return [
            number_at
            for _ in range(self.take(_count, f"the number of {what}"))
            for number_at in [self.take(number, what)]
        ]


def read_uai(text: str, name: str) -> Uai:
    """A Bayesian or a Markov network; a warning says where the order of a table cannot be told.

    Args:
        name: of the file, for the warning.

    Raises:
        UserError: the text is no UAI file.
    """
    words = _Words(text)
    kind = words.left.pop().upper() if words.left else ""
    if kind not in ("BAYES", "MARKOV"):
        raise UserError(f"it begins with {kind!r}, not with BAYES or MARKOV")
    sizes = words.list(_count, "states")
    scopes = [words.list(_count, "variables in a table") for _ in range(words.take(_count, "the number of tables"))]
    for scope in scopes:
        for variable in scope:
            if variable >= len(sizes):
                raise UserError(f"a table names variable {variable}; there are {len(sizes)}, counted from 0")
    values = []
    for place, scope in enumerate(scopes):
        flat, cells = words.list(float, f"entries of table {place}"), prod(sizes[variable] for variable in scope)
        if len(flat) != cells:
            raise UserError(f"table {place} has {len(flat)} entries; its variables have {cells} joint states")
        values.append(np.array(flat))
    if words.left:
        raise UserError(f"{words.left[-1]!r} stands where the file should end")
    states = {_name(variable): range(size) for variable, size in enumerate(sizes)}
    if kind == "BAYES":
        return Uai(_tables(scopes, values, sizes, name), [], states)
    if re.search(r"#\s*\{[\d,\s]*\}", text):
        log.warning(
            "%s: pyAgrum seems to have written this file, and it mixes up the order of a table's variables, for "
            "its own reader, too; export the Bayesian network as BIF instead",
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
    """The state of each variable that an evidence file says was seen: its number, then pairs of variable and state.

    An older form has the number of such lines before them.

    Raises:
        UserError: the text is no evidence file, or holds several cases.
    """
    words = _Words(text)
    # Pairs and their number are an odd number of words. One more is the number of cases.
    cases = words.take(_count, "the number of cases") if len(words.left) % 2 == 0 else 1
    if cases != 1:
        raise UserError(f"it holds {cases} cases; write one case into a file")
    found: dict[str, int] = {}
    for _ in range(words.take(_count, "the number of findings")):
        variable, state = _name(words.take(_count, "a variable")), words.take(_count, "a state")
        if variable in found:
            raise UserError(f"{variable} is there twice; leave one of them out")
        found[variable] = state
    if words.left:
        raise UserError(f"{words.left[-1]!r} stands where the file should end")
    return found


def _tables(
    scopes: Sequence[Sequence[int]], values: Sequence[np.ndarray], sizes: Sequence[int], name: str
) -> dict[str, Table]:
    shapes = [[sizes[variable] for variable in scope] for scope in scopes]
    if sorted(scope[-1] for scope in scopes if scope) != list(range(len(sizes))):
        raise UserError("a Bayesian network needs one table for each variable, the variable last in its scope")
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
                "%s: the numbers do not tell in which order the parents of %s vary (%d of %d tables); read as the "
                "format says, the last fastest. pyAgrum and pgmpy write other orders: export from there as BIF instead",
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
