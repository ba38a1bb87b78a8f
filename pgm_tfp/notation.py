"""What people type: "A | M=1, S=0" and its parts."""

from collections.abc import Mapping
from typing import NamedTuple

from data.errors import UserError, nearest
from pgm_tfp.conditionals import BINARY, State
from pgm_tfp.exact import Network, check_variables

YES_AND_NO: Mapping[str, State] = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


class Query(NamedTuple):
    """p(variables | evidence)."""

    variables: list[str]
    evidence: dict[str, State]


def read_query(network: Network, text: str) -> Query:
    """Read "A | M=1, S=0" or "A, O | M=1" or "A".

    Raises:
        UserError: the text is no query, or a variable or a state is unknown.
    """
    asked, _, given = text.partition("|")
    variables = [name.strip() for name in asked.split(",") if name.strip()]
    if not variables or any("=" in name for name in variables):
        raise UserError(f"{text!r} is no query; write the variables asked about, then the findings: A | M=1, S=0")
    check_variables(network, variables)
    return Query(variables, read_findings(network, given))


def read_findings(network: Network, text: str) -> dict[str, State]:
    """Read "M=1, S=0".

    Raises:
        UserError: a part is no finding, a variable is named twice, or a variable or a state is unknown.
    """
    findings: dict[str, State] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        variable, sign, state = (piece.strip() for piece in part.partition("="))
        if not sign:
            raise UserError(f"{part!r} is no finding; write a variable and its state: M=1")
        check_variables(network, [variable])
        if variable in findings:
            raise UserError(f"{variable} is named twice in {text.strip()!r}; once is enough")
        findings[variable] = read_state(network, variable, state)
    return findings


def read_state(network: Network, variable: str, text: str) -> State:
    """A state by its name; of a variable that is false or true also 0 and 1, no and yes, in capitals or not.

    Raises:
        UserError: the variable has no such state.
    """
    states = network.states[variable]
    by_name: dict[str, State] = {str(state): state for state in states}
    if text in by_name:
        return by_name[text]
    if states == BINARY and text.lower() in YES_AND_NO:
        return YES_AND_NO[text.lower()]
    raise UserError(f"{variable} has no state {text!r}; {nearest(text, by_name)}")


def written(findings: Mapping[str, State]) -> str:
    """Findings as text: M=True, S=False."""
    return ", ".join(f"{variable}={state}" for variable, state in findings.items())
