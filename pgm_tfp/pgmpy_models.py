"""Networks to and from pgmpy models, and from BIF, XMLBIF and UAI files; only the models and XMLBIF need pgmpy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from common.errors import UserError
from pgm_tfp.bif import read_bif
from pgm_tfp.conditionals import Table, normalized_rows
from pgm_tfp.uai import Uai, read_uai

if TYPE_CHECKING:
    from pgmpy.models import DiscreteBayesianNetwork

READERS = {".bif": "BIF", ".xmlbif": "XMLBIF", ".xml": "XMLBIF", ".uai": "UAI"}


def tables_of(model: DiscreteBayesianNetwork) -> dict[str, Table]:
    """The tables of a pgmpy model, normalised as `conditionals.normalized_rows` does.

    Raises:
        UserError: a variable has no table.
    """
    for variable in model.nodes:
        if model.get_cpds(variable) is None:
            raise UserError(f"{variable}: the pgmpy model has no table for this variable; add a TabularCPD")
    tables = {}
    for cpd in model.cpds:
        variable, *parents = cpd.variables
        # In pgmpy the variable's own axis is the first.
        probabilities = np.moveaxis(np.asarray(cpd.values, np.float64), 0, -1)
        tables[variable] = Table(probabilities, parents, cpd.state_names[variable])
    return normalized_rows(tables)


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


def read_file(path: Path) -> dict[str, Table] | Uai:
    """The contents of a BIF, XMLBIF or UAI file: normalised tables by variable, or the Markov network of a UAI file.

    Raises:
        UserError: the file is absent, has another ending or cannot be read, or pgmpy is needed and not installed.
    """
    kind_of(str(path))
    return read_content(_content(path), str(path))


def kind_of(name: str) -> str:
    """The format of a file by the ending of its name.

    Raises:
        UserError: no format has this ending.
    """
    kind = READERS.get(Path(name).suffix.lower())
    if kind is None:
        raise UserError(f"{name} must end in one of {', '.join(READERS)}")
    return kind


def read_content(content: bytes, name: str) -> dict[str, Table] | Uai:
    """As `read_file`, for the content of a file and its name."""
    kind = kind_of(name)
    text = decoded(content, name, kind)
    if kind == "XMLBIF":
        _require_pgmpy()
    try:
        found = _read_xmlbif(text) if kind == "XMLBIF" else read_bif(text) if kind == "BIF" else read_uai(text, name)
    except UserError as reason:
        raise UserError(f"{name} cannot be read as {kind}: {reason}") from None
    if isinstance(found, Uai):
        if not found.states:
            raise UserError(f"{name} cannot be read as {kind}: the file has no variable")
        return found if found.tables is None else normalized_rows(found.tables)
    if not found:
        raise UserError(f"{name} cannot be read as {kind}: the file has no variable")
    return normalized_rows(found)


def read_text(path: Path, kind: str) -> str:
    """The text of a file; UserError if the file is absent or not in UTF-8."""
    return decoded(_content(path), str(path), kind)


def decoded(content: bytes, name: str, kind: str) -> str:
    """The content of a file as text; UserError if it is not in UTF-8."""
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as reason:
        raise UserError(
            f"{name} cannot be read as {kind}: the file is not in UTF-8 ({reason}); save it as UTF-8"
        ) from None


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise UserError(f"no file {path}")
    return path.read_bytes()


def read_model(path: Path) -> DiscreteBayesianNetwork:
    """The Bayesian network in a BIF, XMLBIF or UAI file as a pgmpy model.

    Raises:
        UserError: the file is absent, has another ending or cannot be read, or pgmpy is not installed.
    """
    found = read_file(path)
    if isinstance(found, Uai):
        raise UserError(f"{path} holds a Markov network; only a Bayesian network can become a pgmpy model")
    return model_of(found)


def _read_xmlbif(text: str) -> dict[str, Table]:
    from pgmpy.readwrite import XMLBIFReader

    try:
        return tables_of(XMLBIFReader(string=text).get_model())
    except UserError:
        raise
    except Exception as reason:  # pgmpy's reader fails in many ways
        raise UserError(str(reason).partition("\n")[0] or type(reason).__name__) from reason


def _require_pgmpy() -> None:
    try:
        import pgmpy  # noqa: F401
    except ImportError as reason:
        raise UserError("pgmpy is not installed; python -m pip install pgmpy==1.1.2") from reason
