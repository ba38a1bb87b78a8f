"""Reads queries and findings as people type them, such as "A | M=1, S=0"."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from common.errors import UserError, nearest
from pgm_tfp.exact import Network, check_variables
from pgm_tfp.states import State, find_state, places_of


class Query(NamedTuple):
    """A question: p(variables | evidence)."""

    variables: list[str]
    evidence: dict[str, State]


def read_query(network: Network, text: str) -> Query:
    """The query in a text such as "A | M=1, S=0", "A, O | M=1" or "A".

    Raises:
        UserError: the text is not a query, or a variable or a state is unknown.
    """
    asked, _, given = text.partition("|")
    variables = [name.strip() for name in asked.split(",") if name.strip()]
    if not variables or any("=" in name for name in variables):
        raise UserError(f"{text!r} is not a query; write the variables asked about, then the findings: A | M=1, S=0")
    check_variables(network, variables)
    return Query(variables, read_findings(network, given))


def read_findings(network: Network, text: str) -> dict[str, State]:
    """The findings in a text such as "M=1, S=0", by variable.

    Raises:
        UserError: a part is not a finding, a variable is named twice, or a variable or a state is unknown.
    """
    findings: dict[str, State] = {}
    # A state's name can contain commas, such as (0,10]. The last comma before an equals sign separates two findings.
    for part in filter(None, (part.strip() for part in re.split(r",(?=[^,=]*=)", text))):
        variable, sign, state = (piece.strip() for piece in part.partition("="))
        if not sign:
            raise UserError(f"{part!r} is not a finding; write a variable and its state: M=1")
        check_variables(network, [variable])
        if variable in findings:
            raise UserError(f"{variable} is named twice in {text.strip()!r}; name it once")
        findings[variable] = read_state(network, variable, state)
    return findings


def read_state(network: Network, variable: str, text: str) -> State:
    """The state that a text names; `states.find_state` says how states can be written.

    Raises:
        UserError: the variable has no such state.
    """
    states = network.states[variable]
    place = find_state(states, places_of(states), text)
    if place is None:
        raise UserError(f"{variable} has no state {text!r}; {nearest(text, map(str, states))}")
    return states[place]


def written(findings: Mapping[str, State]) -> str:
    """Findings as text, such as M=True, S=False."""
    return ", ".join(f"{variable}={state}" for variable, state in findings.items())
