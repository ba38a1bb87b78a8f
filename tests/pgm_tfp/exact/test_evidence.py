import math
import re

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from common.errors import UserError
from pgm_tfp import BayesianNetwork, MarkovNetwork, Potential, Table, catalogue, exact
from pgm_tfp.exact.evidence import check_variables, conditioned, impossible, named, read_evidence
from tests.pgm_tfp.oracles_exact import bayesian_networks, enumerated, long_chain, markov_networks, questions, quickly


def test_findings_are_read_into_indices_and_likelihoods():
    network = catalogue.student()
    findings = read_evidence(network, {"G": 3, "D": "hard", "I": {"high": 0.9, "low": 0.2}})
    assert findings.states == {"G": 2, "D": 1}
    assert [(soft.variables, soft.values.tolist()) for soft in findings.likelihoods] == [(("I",), [0.2, 0.9])]
    assert findings.variables() == {"G", "D", "I"}
    assert read_evidence(network, None).variables() == set()


def test_true_and_one_are_the_same_state_of_a_binary_variable():
    assert read_evidence(catalogue.burglary(), {"J": 1, "M": np.False_}).states == {"J": 1, "M": 0}


@pytest.mark.parametrize(
    ("evidence", "message"),
    [
        ({"Letter": True}, "^unknown variable Letter; known: D, I, G, S, L$"),
        ({"G": "A"}, "^G has no state A; its states: 1, 2, 3$"),
        ({"I": {"low": 1.0, "clever": 1.0}}, "^I has no state clever; its states: low, high$"),
        ({"I": {"low": 1.0}}, "^soft evidence on I needs a likelihood, zero or more, for each state: low, high$"),
        ({"I": {"low": 1.0, "high": -0.1}}, "^soft evidence on I needs"),
        ({"I": {"low": 0.0, "high": 0.0}}, "^soft evidence on I needs"),
        ({"I": {"low": math.nan, "high": 1.0}}, "^soft evidence on I needs"),
        ({"I": {"low": math.inf, "high": 1.0}}, "^soft evidence on I needs"),
    ],
)
def test_wrong_evidence_is_an_error_that_names_what_is_known(evidence, message):
    with pytest.raises(UserError, match=message):
        read_evidence(catalogue.student(), evidence)


def test_the_nearest_name_is_offered():
    network = BayesianNetwork.from_edges([("smoking", "cancer")])
    with pytest.raises(UserError, match="unknown variable cancr; did you mean cancer"):
        check_variables(network, ["smoking", "cancr"])


def test_soft_evidence_is_a_child_that_was_seen():
    """lambda(x) = p(seen | x): as good as a child with these probabilities (Pearl 1988, section 2.2.2)."""
    network = catalogue.sprinkler()
    likelihood = {False: 0.2, True: 0.7}
    with_child = BayesianNetwork({**network.conditionals, "report": Table.of_true(list(likelihood.values()), ["R"])})
    soft, seen = {"R": likelihood, "W": True}, {"report": True, "W": True}
    assert exact.log_evidence(network, soft) == pytest.approx(exact.log_evidence(with_child, seen))
    for variable in network.states:
        assert exact.marginal(network, variable, soft) == pytest.approx(exact.marginal(with_child, variable, seen))
    scaled = {state: 50 * value for state, value in likelihood.items()}
    assert exact.marginal(network, "R", {"R": scaled}) == pytest.approx(exact.marginal(network, "R", {"R": likelihood}))


@quickly
@given(questions(bayesian_networks()))
def test_barren_variables_are_left_out_and_make_no_difference(question):
    network, evidence = question
    findings = read_evidence(network, evidence)
    target = next(iter(network.states))
    few = conditioned(network, findings, [target])
    asked = {target, *findings.variables()}
    needed = asked | {name for name in network.graph for to in asked if _leads_to(network, name, to)}
    certain = len(findings.likelihoods) + (target in findings.states)
    assert len(few) == len(needed) + certain
    assert len(conditioned(network, findings)) == len(network.states) + len(findings.likelihoods)
    assert not {name for potential in few for name in potential.variables} & (set(findings.states) - {target})


def _leads_to(network, start, end):
    return any(child == end or _leads_to(network, child, end) for child in network.graph.successors(start))


def test_states_are_named_in_the_order_of_the_network():
    assert named(catalogue.student(), {"L": 1, "D": 0}) == {"D": "easy", "L": True}
    assert list(named(catalogue.student(), {"L": 1, "D": 0})) == ["D", "L"]


def test_the_error_names_exactly_the_findings_that_exclude_each_other():
    network = catalogue.sprinkler()
    evidence = {"C": True, "W": True, "S": False, "R": False}
    for ask in (exact.log_evidence, exact.most_probable, exact.marginals, lambda *a: exact.marginal(a[0], "C", a[1])):
        with pytest.raises(
            UserError, match=r"^impossible evidence: S=False, R=False, W=True together have probability"
        ):
            ask(network, evidence)


def test_a_single_impossible_finding_is_named_alone():
    network = BayesianNetwork({"A": Table([0.0, 1.0]), "B": Table.of_true([0.5, 0.5], ["A"])})
    with pytest.raises(UserError, match=r"^impossible evidence: A=False has probability zero; leave it out$"):
        exact.marginal(network, "B", {"B": True, "A": False})
    with pytest.raises(UserError, match=r"^impossible evidence: the soft finding on A has probability zero"):
        exact.marginal(network, "B", {"B": True, "A": {False: 1.0, True: 0.0}})
    markov = MarkovNetwork([Potential("AB", [[1.0, 0.0], [0.0, 1.0]])])
    with pytest.raises(UserError, match=r"^impossible evidence: A=True, the soft finding on B together"):
        exact.marginal(markov, "B", {"A": True, "B": {False: 1.0, True: 0.0}})


@quickly
@given(st.one_of(networks(share_of_zeros=[0.6]) for networks in (bayesian_networks, markov_networks)), st.data())
def test_what_is_blamed_is_impossible_and_without_any_part_of_it_possible(network, data):
    truth = enumerated(network)
    never = [states for states, weight in truth.logs.items() if weight == -math.inf]
    assume(never)
    evidence = dict(zip(truth.variables, data.draw(st.sampled_from(never)), strict=True))
    for name in data.draw(st.sets(st.sampled_from(truth.variables))):
        evidence[name] = {state: 2.0 * (state == evidence[name]) for state in network.states[name]}
    with pytest.raises(UserError) as caught:
        exact.log_evidence(network, evidence)
    listed = re.match(r"impossible evidence: (.*?)(?: together)? ha(?:ve|s) probability zero", str(caught.value))[1]
    parts = listed.split(", ")
    blamed = {part.removeprefix("the soft finding on ").split("=")[0] for part in parts}
    assert len(blamed) == len(parts)
    assert enumerated(network, {name: evidence[name] for name in blamed}).log_evidence() == -math.inf
    for spared in blamed:
        others = {name: evidence[name] for name in blamed - {spared}}
        assert enumerated(network, others).log_evidence() > -math.inf
    for part in parts:
        assert part in [f"{name}={finding}" for name, finding in evidence.items()] or part.startswith("the soft")


def test_the_culprits_among_hundreds_of_findings_are_found_with_few_questions():
    network, evidence = long_chain(200)
    findings = read_evidence(network, evidence)
    asked = []

    def possible(some):
        asked.append(some)
        return not {"x10", "x120"} <= set(some.states)

    error = impossible(network, findings, possible)
    assert str(error).startswith(f"impossible evidence: x10={evidence['x10']}, x120={evidence['x120']} together")
    assert len(asked) <= 20  # log2(100) for each culprit, and one more
