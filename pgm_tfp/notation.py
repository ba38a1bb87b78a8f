"""What people type: "A | M=1, S=0" and its parts."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from common.errors import UserError, nearest
from pgm_tfp.exact import Network, check_variables
from pgm_tfp.states import State, find_state, places_of


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
    # The name of a state can hold a comma, as (0,10] does; a finding begins with a variable and its sign.
    for part in filter(None, (part.strip() for part in re.split(r",(?=[^,=]*=)", text))):
        variable, sign, state = (piece.strip() for piece in part.partition("="))
        if not sign:
            raise UserError(f"{part!r} is no finding; write a variable and its state: M=1")
        check_variables(network, [variable])
        if variable in findings:
            raise UserError(f"{variable} is named twice in {text.strip()!r}; once is enough")
        findings[variable] = read_state(network, variable, state)
    return findings


def read_state(network: Network, variable: str, text: str) -> State:
    """A state by its name, in the ways that `states.find_state` knows.

    Raises:
        UserError: the variable has no such state.
    """
    states = network.states[variable]
    place = find_state(states, places_of(states), text)
    if place is None:
        raise UserError(f"{variable} has no state {text!r}; {nearest(text, map(str, states))}")
    return states[place]


def written(findings: Mapping[str, State]) -> str:
    """Findings as text: M=True, S=False."""
    return ", ".join(f"{variable}={state}" for variable, state in findings.items())
