"""Reads networks from BIF, XMLBIF and UAI files, and evidence from UAI files."""

from pathlib import Path

from common.errors import UserError
from pgm_tfp.conditionals import Table
from pgm_tfp.exact import Network, check_variables
from pgm_tfp.markov import MarkovNetwork
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.pgmpy_models import read_content, read_file, read_text
from pgm_tfp.states import State
from pgm_tfp.uai import Uai, read_uai_evidence


def read_network(path: Path) -> Network:
    """The network in a BIF, XMLBIF or UAI file; a UAI file can hold a Markov network.

    Raises:
        UserError: the file is absent, has another ending or cannot be read, or its tables do not make a network.
    """
    return _network(read_file(path), str(path))


def network_in(content: bytes, name: str) -> Network:
    """The network in the content of a file; the ending of the file's name says which format it has.

    Raises:
        UserError: as `read_network`.
    """
    return _network(read_content(content, name), name)


def _network(found: dict[str, Table] | Uai, name: str) -> Network:
    try:
        return MarkovNetwork(found.potentials, found.states) if isinstance(found, Uai) else BayesianNetwork(found)
    except UserError as reason:
        raise UserError(f"{name}: {reason}") from None


def read_evidence_file(path: Path, network: Network) -> dict[str, State]:
    """The evidence in a UAI evidence file (.evid), by variable the state that was seen.

    The file numbers variables and states from 0. It applies to networks from UAI files, whose variables are called
    var_0, var_1, ...

    Raises:
        UserError: the file is absent or cannot be read, or the network has no such variable or state.
    """
    text = read_text(path, "UAI evidence")
    try:
        numbers = read_uai_evidence(text)
    except UserError as reason:
        raise UserError(f"{path} cannot be read as UAI evidence: {reason}") from None
    found = {}
    for variable, number in numbers.items():
        try:
            check_variables(network, [variable])
        except UserError as reason:
            raise UserError(f"{path}: {reason}") from None
        states = network.states[variable]
        if number >= len(states):
            raise UserError(f"{path}: {variable} has {len(states)} states, counted from 0, and no state {number}")
        found[variable] = states[number]
    return found
