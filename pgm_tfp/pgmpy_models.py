"""Networks to and from pgmpy, and so from BIF, XMLBIF and UAI files. pgmpy is needed only where it is used."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data.errors import UserError
from pgm_tfp.conditionals import Table

if TYPE_CHECKING:
    from pgmpy.models import DiscreteBayesianNetwork

log = logging.getLogger(__name__)

OFF = 1e-12  # what adding up a row in another order can do is not worth a line
ROUNDING = 1e-3  # by how much the few digits of a file may put a row off
READERS = {".bif": "BIF", ".xmlbif": "XMLBIF", ".xml": "XMLBIF", ".uai": "UAI"}


def tables_of(model: DiscreteBayesianNetwork) -> dict[str, Table]:
    """A pgmpy model's tables, rows made to sum to one; the log says how many were off, and by how much.

    Raises:
        UserError: a variable has no table.
    """
    for variable in model.nodes:
        if model.get_cpds(variable) is None:
            raise UserError(f"{variable}: the pgmpy model has no table of it; add a TabularCPD")
    tables, worst = {}, {}
    for cpd in model.cpds:
        variable, *parents = cpd.variables
        # pgmpy's first axis is the variable's own.
        probabilities = np.moveaxis(np.asarray(cpd.values, np.float64), 0, -1)
        sums = probabilities.sum(-1, keepdims=True)
        # A row further off is no rounding, and the network's check will name it.
        rounding = np.abs(sums - 1.0) < ROUNDING
        off = np.abs(sums - 1.0).max(where=rounding, initial=0.0)
        if off > OFF:
            worst[variable] = off
            probabilities = np.divide(probabilities, sums, out=probabilities.copy(), where=rounding)
        tables[variable] = Table(probabilities, parents, cpd.state_names[variable])
    if worst:
        log.warning(
            "%d of %d tables had rows off one by up to %.1g: normalised", len(worst), len(tables), max(worst.values())
        )
    return tables


def model_of(tables: Mapping[str, Table]) -> DiscreteBayesianNetwork:
    """A pgmpy model with these tables; the states of every variable keep their names."""
    _require_pgmpy()
    from pgmpy.factors.discrete import TabularCPD
    from pgmpy.models import DiscreteBayesianNetwork

    model = DiscreteBayesianNetwork()
    model.add_nodes_from(tables)
    model.add_edges_from((parent, child) for child, table in tables.items() for parent in table.parents)
    for variable, table in tables.items():
        states = len(table.states)
        model.add_cpds(
            TabularCPD(
                variable,
                states,
                table.probabilities.reshape(-1, states).T,
                evidence=list(table.parents) or None,
                evidence_card=table.probabilities.shape[:-1] or None,
                state_names={name: list(tables[name].states) for name in (variable, *table.parents)},
            )
        )
    return model


def read_model(path: Path) -> DiscreteBayesianNetwork:
    """The model in a BIF, XMLBIF or UAI file.

    Raises:
        UserError: the file is absent, of another kind or cannot be read, or pgmpy is not installed.
    """
    if path.suffix.lower() not in READERS:
        raise UserError(f"{path} must end in one of {', '.join(READERS)}")
    if not path.is_file():
        raise UserError(f"no file {path}")
    _require_pgmpy()
    from pgmpy import readwrite

    kind = READERS[path.suffix.lower()]
    try:
        if kind == "UAI":
            model = model_of(_uai_tables(path.read_text()))
        else:
            model = getattr(readwrite, f"{kind}Reader")(str(path)).get_model()
    except Exception as reason:  # each of pgmpy's readers fails in its own way
        first = str(reason).partition("\n")[0]
        raise UserError(f"{path} cannot be read as {kind}: {first or type(reason).__name__}") from reason
    if not model.nodes:
        raise UserError(f"{path} cannot be read as {kind}: it holds no variable")
    return model


def _uai_tables(text: str) -> dict[str, Table]:
    """The tables in a UAI file; variable i is called var_i, its states are 0, 1, ...

    pgmpy 1.1.2 has a reader, but it puts a variable's parents in the order of a set, another at every start. The format
    lets the last variable of a table's scope change fastest, pgmpy writes the first: rows that sum to one tell.
    """
    kind, *words = re.sub("#.*", "", text).split() or [""]
    if kind.upper() != "BAYES":
        raise UserError(f"only Bayesian networks are; this begins with {kind!r}, not BAYES")
    rest = iter(words)

    def numbers(number: Callable[[str], Any]) -> list[Any]:
        return [number(word) for _, word in zip(range(int(next(rest, 0))), rest, strict=False)]

    sizes = numbers(int)
    scopes = [numbers(int) for _ in range(int(next(rest, 0)))]
    values = [np.asarray(numbers(float)) for _ in scopes]
    shapes = [[sizes[variable] for variable in scope] for scope in scopes]
    last_fastest = [flat.reshape(shape) for flat, shape in zip(values, shapes, strict=True)]
    first_fastest = [flat.reshape(shape[::-1]).T for flat, shape in zip(values, shapes, strict=True)]

    def off(tables: list[np.ndarray]) -> float:
        return max((np.abs(table.sum(-1) - 1.0).max() for table in tables), default=0.0)

    tables = min(last_fastest, first_fastest, key=off)
    return {
        f"var_{child}": Table(table, [f"var_{parent}" for parent in parents], range(sizes[child]))
        for (*parents, child), table in zip(scopes, tables, strict=True)
    }


def _require_pgmpy() -> None:
    try:
        import pgmpy  # noqa: F401
    except ImportError as reason:
        raise UserError("pgmpy is not installed; python -m pip install pgmpy==1.1.2") from reason
