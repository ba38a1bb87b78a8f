import math
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from pgm_tfp import BayesianNetwork, Conditional, MarkovNetwork, Potential, Table, catalogue, exact
from tests.pgm_tfp.oracles_exact import (
    enumerated,
    forward,
    log_of_sum,
    long_chain,
    markov_networks,
    pgmpy_model,
    questions,
    quickly,
)

WIDE = markov_networks(spread=400.0)  # potentials from 1e-174 to 1e174: few products of three stay within float64


def some_of(data, network):
    return data.draw(st.lists(st.sampled_from(list(network.states)), min_size=1, max_size=3, unique=True))


def raises_or(answer, truth):
    """The answer; where the evidence is impossible, that the question is an error."""
    if truth.log_evidence() > -math.inf:
        return answer()
    with pytest.raises(UserError, match="impossible evidence"):
        answer()
    return None


@quickly
@given(st.one_of(questions(), questions(WIDE)))
def test_marginals_of_single_variables_agree_with_enumeration(question):
    network, evidence = question
    truth = enumerated(network, evidence)
    for variable in network.states:  # observed ones, too
        ours = raises_or(lambda variable=variable: exact.marginal(network, variable, evidence), truth)
        if ours is not None:
            assert ours == pytest.approx(truth.marginal(variable), abs=1e-10)
            assert tuple(ours) == network.states[variable]


@quickly
@given(st.one_of(questions(), questions(WIDE)), st.data())
def test_joint_marginals_agree_with_enumeration(question, data):
    network, evidence = question
    variables = some_of(data, network)
    truth = enumerated(network, evidence)
    ours = raises_or(lambda: exact.joint_marginal(network, variables, evidence), truth)
    if ours is not None:
        assert ours == pytest.approx(truth.posterior(variables), abs=1e-10)


@quickly
@given(st.one_of(questions(), questions(WIDE)))
def test_log_evidence_agrees_with_enumeration(question):
    network, evidence = question
    truth = enumerated(network, evidence)
    ours = raises_or(lambda: exact.log_evidence(network, evidence), truth)
    if ours is not None:
        assert ours == pytest.approx(truth.log_evidence(), abs=1e-9)


@quickly
@given(st.one_of(questions(), questions(WIDE)))
def test_the_most_probable_explanation_is_as_probable_as_any(question):
    network, evidence = question
    truth = enumerated(network, evidence)
    ours = raises_or(lambda: exact.most_probable(network, evidence), truth)
    if ours is not None:
        assignment, log_probability = ours
        assert list(assignment) == list(network.graph)
        assert log_probability == pytest.approx(max(truth.logs.values()), abs=1e-9)
        assert truth.logs[tuple(assignment[name] for name in truth.variables)] == pytest.approx(
            log_probability, abs=1e-9
        )
        if not any(isinstance(finding, dict) for finding in evidence.values()):
            assert network.log_prob(assignment) == pytest.approx(log_probability, abs=1e-9)
            assert {name: assignment[name] for name in evidence} == evidence


@quickly
@given(st.one_of(questions(), questions(WIDE)), st.data())
def test_the_marginal_map_is_as_probable_as_any(question, data):
    network, evidence = question
    variables = some_of(data, network)
    truth = enumerated(network, evidence)
    ours = raises_or(lambda: exact.marginal_map(network, variables, evidence), truth)
    if ours is not None:
        assignment, log_probability = ours
        groups = truth.grouped(variables)
        assert set(assignment) == set(variables)
        assert log_probability == pytest.approx(max(groups.values()), abs=1e-9)
        assert groups[tuple(assignment[name] for name in variables)] == pytest.approx(log_probability, abs=1e-9)


def test_the_marginal_map_is_not_what_the_most_probable_explanation_says():
    network = BayesianNetwork(
        {"A": Table([0.4, 0.6]), "B": Table([[1.0, 0.0, 0.0], [0.3, 0.35, 0.35]], ["A"], states=(0, 1, 2))}
    )
    assert exact.most_probable(network)[0] == {"A": False, "B": 0}
    assert exact.marginal_map(network, ["A"]) == ({"A": True}, pytest.approx(math.log(0.6)))


def test_no_evidence_has_probability_one():
    assert exact.log_evidence(catalogue.student()) == 0.0
    assert exact.log_evidence(catalogue.student(), {}) == 0.0
    assert exact.log_evidence(catalogue.assignment_markov_network()) == pytest.approx(0.0, abs=1e-12)


def test_findings_of_a_chain_below_the_smallest_float_have_a_finite_logarithm():
    network, evidence = long_chain()
    ahead, behind = forward(network, evidence), forward(network, evidence, backwards=True)
    expected = log_of_sum(ahead[-1].tolist())
    assert expected < math.log(sys.float_info.min) - 50
    assert exact.log_evidence(network, evidence) == pytest.approx(expected, rel=1e-12)
    for place in (1, 777, 1499):
        posterior = np.exp(ahead[place] + behind[place] - expected)
        np.testing.assert_allclose(list(exact.marginal(network, f"x{place}", evidence).values()), posterior, atol=1e-10)
    assignment, log_probability = exact.most_probable(network, evidence)
    assert network.log_prob(assignment) == pytest.approx(log_probability, rel=1e-12)


@pytest.mark.parametrize("rare", [1e-200, 1e-160])  # products that are zero, and that have lost most of their digits
def test_one_clique_whose_product_underflows_is_reckoned_in_logarithms(rare):
    network = BayesianNetwork(
        {
            "A": Table.of_true(0.3),
            "B": Table.of_true([rare, 2 * rare], ["A"]),
            "C": Table.of_true([rare, 3 * rare], ["A"]),
        }
    )
    seen = {"B": True, "C": True}
    assert exact.marginal(network, "A", seen) == pytest.approx({False: 0.28, True: 0.72})
    assert exact.joint_marginal(network, ["B", "A"], seen)[True, True] == pytest.approx(0.72)
    assert exact.log_evidence(network, seen) == pytest.approx(math.log(2.5) + 2 * math.log(rare), rel=1e-14)
    assert exact.marginal_map(network, ["A"], seen) == (
        {"A": True},
        pytest.approx(math.log(1.8) + 2 * math.log(rare), rel=1e-14),
    )


def test_findings_that_first_speak_loudly_for_one_state_and_then_against_it_balance():
    # Hidden copies of one fair coin; a thousand findings for False, then as many for True.
    tables = {"z0": Table([0.5, 0.5])}
    for place in range(1, 2000):
        tables[f"z{place}"] = Table(np.eye(2), [f"z{place - 1}"])
    copies = BayesianNetwork(tables)
    said = {f"z{place}": {False: 0.9, True: 0.1} if place < 1000 else {False: 0.1, True: 0.9} for place in range(2000)}
    assert exact.marginal(copies, "z5", said)[True] == pytest.approx(0.5, abs=1e-9)
    assert exact.log_evidence(copies, said) == pytest.approx(1000 * math.log(0.09))
    assert exact.marginals(copies, said)["z1500"][True] == pytest.approx(0.5, abs=1e-9)


def test_what_has_no_part_in_the_question_need_not_be_a_table():
    network = BayesianNetwork(
        {"A": Table.of_true(0.2), "B": Table.of_true([0.1, 0.7], ["A"]), "X": Conditional(lambda b: None, ["B"])}
    )
    assert exact.marginal(network, "A", {"B": True})[True] == pytest.approx(0.14 / 0.22)
    for refused in (
        lambda: exact.marginal(network, "X"),
        lambda: exact.marginal(network, "A", {"X": 1.0}),
        lambda: exact.marginal_map(network, ["X"]),
    ):
        with pytest.raises(UserError, match="X is continuous; exact inference needs variables with states"):
            refused()
    for refused in (lambda: exact.most_probable(network), lambda: exact.marginals(network)):
        with pytest.raises(UserError, match="X has no table"):
            refused()


def test_unknown_and_repeated_names_are_errors():
    network = catalogue.student()
    for ask in (exact.joint_marginal, exact.marginal_map):
        with pytest.raises(UserError, match="unknown variable Q; known: D, I, G, S, L"):
            ask(network, ["G", "Q"])
    with pytest.raises(UserError, match="unknown variable Q"):
        exact.log_evidence(network, {"Q": True})
    with pytest.raises(UserError, match=r"G has no state 7; its states: 1, 2, 3"):
        exact.most_probable(network, {"G": 7})
    with pytest.raises(UserError, match="variables G, G must be named once each"):
        exact.joint_marginal(network, ["G", "G"])


def test_potentials_that_exclude_every_state_are_blamed_themselves():
    nothing = MarkovNetwork([Potential("A", [0.0, 1.0]), Potential("A", [1.0, 0.0])])
    for ask in (exact.log_evidence, exact.most_probable, exact.marginals, lambda network: exact.marginal(network, "A")):
        with pytest.raises(UserError, match="the potentials exclude every joint state"):
            ask(nothing)


@pytest.mark.parametrize("name", ["asia", "cancer", "earthquake", "survey", "sachs", "child", "alarm", "insurance"])
def test_all_posteriors_agree_with_pgmpy_on_its_networks(name):
    from pgmpy.inference import VariableElimination

    network = BayesianNetwork.from_pgmpy(pgmpy_model(name))
    names = sorted(network.states)
    drawn = network.sample(1, seed=4)
    seen = np.random.default_rng(0).choice(names, 3, replace=False).tolist()
    evidence = {variable: str(drawn[variable][0]) for variable in seen}
    theirs = VariableElimination(network.to_pgmpy())  # its own files' rows are off by up to 1e-7
    together = exact.marginals(network, evidence)
    for variable in set(names) - set(seen):
        factor = theirs.query([variable], evidence=evidence, show_progress=False)
        expected = {state: factor.get_value(**{variable: state}) for state in network.states[variable]}
        assert together[variable] == pytest.approx(expected, abs=1e-10)
        assert exact.marginal(network, variable, evidence) == pytest.approx(expected, abs=1e-10)


def test_no_single_change_improves_the_most_probable_explanation_of_the_alarm():
    network = BayesianNetwork.from_pgmpy(pgmpy_model("alarm"))
    evidence = {"CVP": "HIGH", "BP": "LOW", "EXPCO2": "ZERO"}
    best, log_probability = exact.most_probable(network, evidence)
    assert network.log_prob(best) == pytest.approx(log_probability, rel=1e-12)
    assert {name: best[name] for name in evidence} == evidence
    for variable in set(network.states) - set(evidence):
        for state in network.states[variable]:
            assert network.log_prob({**best, variable: state}) <= log_probability + 1e-12
