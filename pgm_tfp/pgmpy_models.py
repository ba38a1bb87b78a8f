"""Networks to and from pgmpy, and so from BIF, XMLBIF and UAI files. pgmpy is needed only where it is used."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from data.errors import UserError
from pgm_tfp.conditionals import Table

if TYPE_CHECKING:
    from pgmpy.models import DiscreteBayesianNetwork

log = logging.getLogger(__name__)

OFF = 1e-12  # what adding up a row in another order can do is not worth a line
READERS = {".bif": "BIF", ".xmlbif": "XMLBIF", ".xml": "XMLBIF", ".uai": "UAI"}


def tables_of(model: DiscreteBayesianNetwork) -> dict[str, Table]:
    """A pgmpy model's tables, rows made to sum to one; the log says how many were off, and by how much."""
    tables, worst = {}, {}
    for cpd in model.cpds:
        variable, *parents = cpd.variables
        # pgmpy's first axis is the variable's own.
        probabilities = np.moveaxis(np.asarray(cpd.values, np.float64), 0, -1)
        sums = probabilities.sum(-1, keepdims=True)
        off = np.abs(sums - 1.0).max()
        if off > OFF:
            worst[variable] = off
            # A row further off is no rounding, and the network's check will name it.
            probabilities = np.where(np.abs(sums - 1.0) < 1e-3, probabilities / sums, probabilities)
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
    reader = getattr(readwrite, f"{kind}Reader")
    try:
        return reader(str(path)).get_model()
    except Exception as reason:  # each of pgmpy's readers fails in its own way
        first = str(reason).partition("\n")[0]
        raise UserError(
            f"{path} cannot be read as {READERS[path.suffix.lower()]}: {first or type(reason).__name__}"
        ) from reason


def _require_pgmpy() -> None:
    try:
        import pgmpy  # noqa: F401
    except ImportError as reason:
        raise UserError("pgmpy is not installed; python -m pip install pgmpy==1.1.2") from reason
