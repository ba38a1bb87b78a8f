"""Approximate methods: against the definition on small networks, and honest about themselves where they fail."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from common.errors import UserError
from pgm_tfp import BayesianNetwork, MarkovNetwork, Potential, Table, catalogue, exact
from pgm_tfp.approximate import METHODS, Estimate, UnreliableError, answers, gibbs, infer, marginal
from pgm_tfp.approximate.approximation import question
from pgm_tfp.approximate.gibbs import blocks_of, plan
from pgm_tfp.approximate.possibility import is_possible
from pgm_tfp.approximate.propagation import factor_graph, free_energy, propagate, variable_beliefs
from pgm_tfp.approximate.tree_reweighted import random_forests, upper_bound
from pgm_tfp.results import Result
from tests.pgm_tfp.oracles_exact import bayesian_networks, enumerated, markov_networks, pgmpy_model, questions

carefully = settings(max_examples=25, deadline=None)
MANY = 5.0  # standard errors; an honest answer is farther away once in two million times
SAMPLERS = ("likelihood_weighting", "gibbs")


def grid(side, coupling, mixed=False, field=0.1, seed=0):
    """An Ising grid: couplings of one strength, and weak random fields."""
    random, potentials = np.random.default_rng(seed), {}
    for i in range(side):
        for j in range(side):
            potentials[f"{i},{j}",] = np.exp(field * random.normal() * np.array([-1, 1]))
            for down, right in ((0, 1), (1, 0)):
                if i + down < side and j + right < side:
                    sign = random.choice([-1, 1]) if mixed else 1
                    weights = np.exp(sign * coupling * np.array([[1, -1], [-1, 1]]))
                    potentials[f"{i},{j}", f"{i + down},{j + right}"] = weights
    return MarkovNetwork(potentials)


def fits(method, network):
    return method != "likelihood_weighting" or isinstance(network, BayesianNetwork)


def log_weight(network, evidence):
    """log (p(evidence) Z), by definition."""
    log_z = network.log_partition if isinstance(network, MarkovNetwork) else 0.0
    return enumerated(network, evidence).log_evidence() + log_z


def check_probabilities(found, joint):
    for variable in joint.variables:
        errors = found.standard_error(variable)
        assert sum(found.marginal(variable).values()) == pytest.approx(1.0)
        for state, probability in joint.marginal(variable).items():
            assert abs(found.marginal(variable)[state] - probability) <= MANY * errors[state] + 1e-9


@carefully
@given(questions(), st.sampled_from(SAMPLERS))
def test_a_sampler_that_vouches_for_its_answer_is_near_the_definition(asked, method):
    network, evidence = asked
    assume(fits(method, network))
    joint = enumerated(network, evidence)
    if joint.log_evidence() == -math.inf:
        with pytest.raises(UserError):
            marginal(network, joint.variables[0], evidence, method)
        return
    found = infer(network, evidence, method, error=0.02)
    assert isinstance(found, Result)
    event(f"{method} answers: {found.converged}")
    if found.converged:
        check_probabilities(found, joint)
        if method == "likelihood_weighting":
            assert found.log_evidence.kind == "estimated"
            assert abs(found.log_evidence.value - joint.log_evidence()) <= MANY * found.log_evidence.error + 1e-9


@carefully
@given(questions())
def test_gibbs_reaches_every_possible_state_where_tables_have_zeros(asked):
    network, evidence = asked
    joint = enumerated(network, evidence)
    assume(joint.log_evidence() > -math.inf)
    about = question(network, evidence)
    for block in blocks_of(about, plan(about)):
        names = [about.hidden[member] for member in block.members]
        found = {tuple(network.states[n][s] for n, s in zip(names, row, strict=True)) for row in block.states.T}
        possible = {states for states, weight in joint.grouped(names).items() if weight > -math.inf}
        assert possible == found


def tree(network):
    """The same variables and states, each with its first parent only, by the first row for all others."""
    tables = {}
    for name, table in network.conditionals.items():
        kept = table.parents[:1]
        rows = table.probabilities[(slice(None),) * len(kept) + (0,) * (len(table.parents) - len(kept))]
        tables[name] = Table(rows, kept, table.states)
    return BayesianNetwork(tables)


@carefully
@given(questions(networks=bayesian_networks().map(tree)))
def test_without_loops_propagation_is_exact_and_knows_it(asked):
    network, evidence = asked
    joint = enumerated(network, evidence)
    if joint.log_evidence() == -math.inf:
        with pytest.raises(UserError):
            infer(network, evidence, "loopy")
        return
    found = infer(network, evidence, "loopy")
    assert found.converged
    assert found.log_evidence.kind == "known"
    assert found.log_evidence.value == pytest.approx(joint.log_evidence(), abs=found.log_evidence.error)
    assert found.largest_error() == 0.0
    for variable in joint.variables:
        assert found.marginal(variable) == pytest.approx(joint.marginal(variable), abs=1e-6)


@carefully
@given(questions())
def test_the_sum_lies_between_the_bounds(asked):
    network, evidence = asked
    expected = log_weight(network, evidence)
    assume(expected > -math.inf)
    try:
        found = infer(network, evidence, "tree_reweighted")
    except UserError:  # mean field, the lower bound, does not find a start without impossible states
        weights = [values for potential in network.potentials() for values in potential.values.flat]
        weights += [value for finding in evidence.values() if isinstance(finding, dict) for value in finding.values()]
        assert min(weights) == 0.0
        return
    low = found.log_weight.value
    assert low - 1e-6 <= expected <= low + found.log_weight.error + 1e-6


@carefully
@given(markov_networks())
def test_the_upper_bound_holds_before_the_messages_converge(network):
    asked = question(network)
    forests = random_forests(asked.potentials, np.random.default_rng(0))
    graph = factor_graph(asked.potentials, asked.hidden, forests.appearances.tolist())
    random = np.random.default_rng(1)
    for state in itertools.islice(propagate(graph, 1, random=random), 3):
        assert network.log_partition <= upper_bound(asked, graph, forests, state)


@pytest.mark.parametrize(("coupling", "mixed"), [(0.1, False), (0.5, True), (1.0, False), (1.0, True), (2.0, True)])
def test_the_sum_of_a_grid_lies_between_the_bounds(coupling, mixed):
    network = grid(6, coupling, mixed)
    found = infer(network, method="tree_reweighted")
    low = found.log_weight.value
    assert low <= network.log_partition <= low + found.log_weight.error
    assert found.log_weight.error < (0.03 if coupling == 0.1 else 0.5) * network.log_partition


@carefully
@given(markov_networks(share_of_zeros=(0.0,)))
def test_fixed_points_of_propagation_are_locally_consistent(network):
    asked = question(network)
    graph = factor_graph(asked.potentials, asked.hidden)
    *_, state = propagate(graph, 100)
    assume(state.converged)
    beliefs, energy = variable_beliefs(graph, state), free_energy(graph, state)
    for group, log_factor_beliefs in zip(graph.groups, energy.log_factor_beliefs, strict=True):
        for axis, members in enumerate(group.members):
            others = tuple(other for other in range(group.axes) if other != axis)
            margins = np.exp(log_factor_beliefs).sum(others)
            for place, member in enumerate(members):
                np.testing.assert_allclose(margins[:, place], beliefs[member], atol=1e-6)
    if graph.forest:
        assert energy.value == pytest.approx(network.log_partition, abs=1e-6)


def test_loopy_propagation_agrees_with_an_independent_implementation():
    # A loop of three binary variables, messages written out (Koller & Friedman 2009, equation 11.9).
    random = np.random.default_rng(3)
    tables = {pair: np.exp(random.normal(size=(2, 2))) for pair in (("a", "b"), ("b", "c"), ("c", "a"))}
    messages = {(x, y): np.ones(2) for pair in tables for x, y in (pair, pair[::-1])}
    for _ in range(500):
        for (x, y), table in tables.items():
            for sender, receiver, weights in ((x, y, table), (y, x, table.T)):
                (other,) = {"a", "b", "c"} - {sender, receiver}
                message = messages[other, sender] @ weights
                messages[sender, receiver] = message / message.sum()
    found = infer(MarkovNetwork(tables), method="loopy")
    for name in "abc":
        belief = np.prod([message for (_, receiver), message in messages.items() if receiver == name], 0)
        np.testing.assert_allclose([*found.marginal(name).values()], belief / belief.sum(), atol=1e-7)


def test_messages_that_do_not_settle_are_no_answer():
    network = grid(10, 2.0, mixed=True)
    found = infer(network, method="loopy")
    assert not found.converged
    with pytest.raises(UnreliableError, match=r"loopy has no reliable answer: .* rounds"):
        marginal(network, "0,0", method="loopy")


@pytest.mark.parametrize("method", SAMPLERS)
def test_intervals_hold_as_often_as_they_say(method):
    room, evidence = catalogue.server_room(), {"M": True, "S": False}
    held = []
    for seed in range(100):
        found = infer(room, evidence, method, seed=seed, error=0.02)
        assert found.converged
        for variable in "OAT":
            expected = exact.marginal(room, variable, evidence)[True]
            error = found.standard_error(variable)[True]
            held.append(abs(found.marginal(variable)[True] - expected) <= 1.96 * error)
    # 300 intervals; binomial standard deviation 1.3 %, doubled because those of one run are correlated
    assert 0.90 <= np.mean(held) <= 0.99


def rare(probability, otherwise):
    """A rare cause of what was seen: the posterior of the cause is near one half or more."""
    return BayesianNetwork({"cause": Table.of_true(probability), "alarm": Table.of_true([otherwise, 1.0], ["cause"])})


@pytest.mark.parametrize("otherwise", [1e-8, 1e-6])
def test_likelihood_weighting_does_not_answer_about_what_its_draws_miss(otherwise):
    # Draws without the cause have equal weights, so the effective sample size alone shows nothing.
    network, evidence = rare(1e-7, otherwise), {"alarm": True}
    found = infer(network, evidence)
    assert not found.converged
    with pytest.raises(UnreliableError, match="likelihood_weighting has no reliable answer"):
        marginal(network, "cause", evidence)
    expected = exact.marginal(network, "cause", evidence)
    for method in ("gibbs", "loopy"):
        assert marginal(network, "cause", evidence, method).probabilities == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("seed", range(4))
def test_an_error_counts_what_the_draws_may_have_missed(seed):
    # A likelihood ratio of 10^4 passes the check; the cause may be missed, and the error says so.
    network, evidence = rare(1e-7, 1e-4), {"alarm": True}
    found = infer(network, evidence, seed=seed)
    expected = exact.marginal(network, "cause", evidence)[True]
    assert abs(found.marginal("cause")[True] - expected) <= MANY * found.standard_error("cause")[True]
    known = exact.log_evidence(network, evidence)
    assert abs(found.log_evidence.value - known) <= MANY * found.log_evidence.error


def test_gibbs_chains_start_in_different_regions():
    # Two regions of equal weight: c false and the others free, or c true and all others true.
    table = [[0.5, 0.5], [1e-30, 1.0]]
    network = MarkovNetwork({("c", f"x{number}"): table for number in range(60)})
    assert exact.marginal(network, "c")[True] == pytest.approx(0.5)
    with pytest.raises(UnreliableError, match="chains disagree"):
        marginal(network, "c", method="gibbs")


OTHER = [[0.0, 1.0], [1.0, 0.0]]
LOOP = {("a", "b"): OTHER, ("b", "c"): OTHER, ("c", "a"): OTHER}
COINS = {name: Table.of_true(0.5) for name in "abc"}
DIFFERENT = {f"{x}{y}": Table.of_true(OTHER, parents=[x, y]) for x, y in LOOP}
RARE = BayesianNetwork({"x": Table.of_true(0.3), "y": Table.of_true([0.0, 1.0], ["x"])})


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("network", "evidence", "variable"),
    [
        (MarkovNetwork(LOOP), {}, "a"),
        (BayesianNetwork({**COINS, **DIFFERENT}), dict.fromkeys(DIFFERENT, True), "a"),
        (RARE, {"x": True, "y": False}, "x"),
        (RARE, {"x": False, "y": {False: 0.0, True: 1.0}}, "y"),
        (MarkovNetwork({("a",): [1.0, 0.0], ("b",): [0.0, 1.0], ("a", "b"): np.eye(2)}), {}, "a"),
    ],
    ids=["odd loop", "three coins", "all observed", "soft", "tree"],
)
def test_impossible_evidence_has_no_answer(method, network, evidence, variable):
    if fits(method, network):
        with pytest.raises(UserError):
            marginal(network, variable, evidence, method)


def test_evidence_may_be_very_improbable():
    n = 8_000
    children = {f"y{number}": Table.of_true([0.49, 0.51], ["c"]) for number in range(n)}
    star = BayesianNetwork({"c": Table.of_true(0.4), **children})
    found = infer(star, {f"y{number}": number % 2 == 0 for number in range(n)}, "loopy")
    assert found.marginal("c")[True] == pytest.approx(0.4)
    assert found.log_evidence.value == pytest.approx(n / 2 * math.log(0.49 * 0.51))


def test_a_zero_counts_more_than_many_large_weights():
    spread = {("c", f"y{number}"): [[1e5, 1e5], [1.0, 1.0]] for number in range(1_000)}
    found = infer(MarkovNetwork({("c",): [0.0, 1.0], **spread}), method="loopy")
    assert found.marginal("c")[True] == pytest.approx(1.0)
    assert found.log_evidence.value == pytest.approx(0.0, abs=1e-5)


def test_an_unknown_error_is_not_hidden_by_a_known_one():
    found = infer(catalogue.server_room(), {"O": True}, "mean_field")
    assert math.isnan(found.largest_error())
    assert found.largest_error(["O"]) == 0.0


def test_rare_evidence_with_equal_weights_is_no_problem():
    network = BayesianNetwork({"x": Table.of_true(0.3), "y": Table.of_true([2e-6, 1e-6], ["x"])})
    probabilities, errors = marginal(network, "x", {"y": True})
    expected = exact.marginal(network, "x", {"y": True})[True]
    assert abs(probabilities[True] - expected) <= MANY * errors[True]


def test_chains_that_stay_apart_are_no_answer():
    # Two states of equal weight, and a wall between them that single steps do not cross.
    wall = 1e-30
    network = MarkovNetwork({("x", "y"): [[1.0, wall], [wall, 1.0]], ("y", "z"): [[1.0, wall], [wall, 1.0]]})
    found = infer(network, method="gibbs")
    assert not found.converged
    with pytest.raises(UnreliableError, match="chains disagree"):
        marginal(network, "x", method="gibbs")


def test_the_first_half_of_each_chain_is_thrown_away():
    asked = question(MarkovNetwork({("x",): [0.5, 0.5]}))
    sampler = gibbs.compiled(asked)

    def segment(share):
        return [np.broadcast_to(np.array([1.0 - share, share])[None, :, None], (1, 2, gibbs.CHAINS))]

    found = gibbs._answer(asked, sampler, [segment(0.0)] * 4 + [segment(1.0)] * 4, length=1)
    assert found.marginal("x") == {False: 0.0, True: 1.0}


def test_starts_of_propagation_that_end_apart_are_no_answer():
    with pytest.raises(UnreliableError, match="converged to other probabilities"):
        marginal(grid(8, 1.0), "0,0", method="loopy")


def test_gibbs_moves_several_variables_at_once_where_a_table_has_zeros():
    # y is always equal to x, so neither can change alone.
    network = BayesianNetwork(
        {"x": Table.of_true(0.3), "y": Table.of_true([0.0, 1.0], ["x"]), "z": Table.of_true([0.2, 0.9], ["y"])}
    )
    found = infer(network, {"z": True}, "gibbs")
    assert found.converged
    check_probabilities(found, enumerated(network, {"z": True}))


def test_gibbs_refuses_a_block_that_is_too_large():
    bits = {f"x{number}": Table.of_true(0.5) for number in range(14)}
    chain = {f"y{number}": Table.of_true([[0, 1], [1, 0]], [f"x{number}", f"y{number - 1}"]) for number in range(1, 14)}
    parity = BayesianNetwork({**bits, "y0": Table.of_true([0.0, 1.0], ["x0"]), **chain})
    with pytest.raises(UserError, match="gibbs: tables with zeros join"):
        infer(parity, {"y13": True}, "gibbs")


def test_propagation_says_if_it_is_not_known_whether_the_evidence_is_possible():
    # All twenty coins are true: too rare for the draws, and too many joint states to list.
    tables = {f"x{number}": Table.of_true(0.5) for number in range(20)}
    tables |= {"a0": Table.of_true([0.0, 1.0], ["x0"]), "y0": Table.of_true([0.0, 1.0], ["x0"])}
    for number in range(1, 20):
        tables[f"a{number}"] = Table.of_true([[0, 0], [0, 1]], [f"x{number}", f"a{number - 1}"])
        tables[f"y{number}"] = Table.of_true([[0, 1], [1, 0]], [f"x{number}", f"y{number - 1}"])
    network, evidence = BayesianNetwork(tables), {"a19": True, "y19": False}
    assert is_possible(question(network, evidence)) is None
    assert not infer(network, evidence, "loopy").converged
    assert is_possible(question(network, {"y19": False})) is True


@pytest.mark.parametrize("method", METHODS)
def test_one_seed_gives_one_answer(method):
    room = catalogue.server_room()
    one, same = (infer(room, {"M": True}, method, seed=5) for _ in range(2))
    assert repr(one) == repr(same)  # NaN is not equal to itself
    if method in SAMPLERS:
        assert infer(room, {"M": True}, method, seed=6).marginals != one.marginals


@pytest.mark.parametrize("method", METHODS)
def test_observed_variables_are_certain_and_soft_findings_count(method):
    room = catalogue.server_room()
    evidence = {"M": True, "T": {False: 0.2, True: 0.9}}
    found = infer(room, evidence, method)
    assert found.marginal("M") == {False: 0.0, True: 1.0}
    assert found.standard_error("M") == {False: 0.0, True: 0.0}
    expected = exact.marginal(room, "T", evidence)[True]
    assert found.marginal("T")[True] == pytest.approx(expected, abs=0.15 if method == "mean_field" else 0.03)
    probabilities, errors = estimate = marginal(room, "M", evidence, method)
    assert isinstance(estimate, Estimate)
    assert probabilities == {False: 0.0, True: 1.0}
    assert errors == {False: 0.0, True: 0.0}


def test_a_question_about_one_variable_leaves_out_what_does_not_matter():
    network = BayesianNetwork(
        {"a": Table.of_true(0.3), "b": Table.of_true([0.1, 0.8], ["a"]), "leaf": Table.of_true([0.4, 0.5], ["b"])}
    )
    found = infer(network, {"a": True}, about=["b"])
    assert set(found.marginals) == {"a", "b"}
    with pytest.raises(UserError, match="no answer about leaf"):
        found.marginal("leaf")


def test_answers_become_better_and_time_can_be_given():
    room, evidence = catalogue.server_room(), {"M": True, "S": False}
    for method in SAMPLERS:
        errors = [answer.largest_error() for answer in answers(room, evidence, method, error=0.001)]
        assert len(errors) > 3
        assert errors[-1] < 0.5 * errors[0]
    found = infer(room, evidence, "gibbs", error=1e-9, seconds=0.3)
    assert found.converged
    assert found.largest_error() > 0.0


def test_wrong_use_is_told():
    room = catalogue.server_room()
    for wrong, match in (
        (lambda: infer(room, method="gibs"), "no method is named gibs; did you mean gibbs"),
        (lambda: marginal(room, "X"), "unknown variable X"),
        (lambda: infer(room, {"M": "perhaps"}), "M has no state perhaps"),
        (lambda: infer(grid(2, 0.5)), "take gibbs"),
        (lambda: infer(catalogue.server_room_thermal(), method="gibbs"), "continuous"),
        (lambda: infer(room, seed=-1), "seed -1 must be from 0"),
        (lambda: infer(room, error=math.nan), "error must be 0 or more"),
        (lambda: infer(room, method=None), "no method is named None"),
    ):
        with pytest.raises(UserError, match=match):
            wrong()


@pytest.mark.parametrize("name", ["asia", "child", "insurance", "alarm"])
@pytest.mark.parametrize("method", SAMPLERS)
def test_known_networks_are_answered_within_their_errors(name, method):
    network = BayesianNetwork.from_pgmpy(pgmpy_model(name))
    seen = [variable for variable in network.graph if not network.graph.out_degree(variable)][:2]
    drawn = network.sample(1, seed=3)
    evidence = {variable: drawn[variable].tolist()[0] for variable in seen}
    found = infer(network, evidence, method, error=0.01)
    assert found.converged
    misses = 0
    for variable, probabilities in exact.marginals(network, evidence).items():
        for state, probability in probabilities.items():
            error = found.standard_error(variable)[state]
            misses += abs(found.marginal(variable)[state] - probability) > MANY * error + 1e-9
    assert not misses


@pytest.mark.parametrize("method", METHODS)
def test_potentials_of_many_children_are_answered(method):
    random = np.random.default_rng(0)
    children = {f"c{number}": Table.of_true(random.uniform(0.3, 0.7, 2), ["cause"]) for number in range(400)}
    star = BayesianNetwork({"cause": Table.of_true(0.4), **children})
    evidence = {f"c{number}": True for number in range(8)}
    # Mean field would let the unseen children pull their cause towards certainty.
    about = ["cause", "c399"] if method == "mean_field" else None
    found = infer(star, evidence, method, about)
    expected = exact.marginal(star, "cause", evidence)[True]
    assert found.converged
    assert found.marginal("cause")[True] == pytest.approx(expected, abs=0.03)


def test_a_potential_without_variables_counts():
    found = infer(MarkovNetwork([Potential((), 3.0), Potential(("x",), [1.0, 2.0])]), method="loopy")
    assert found.log_weight.value == pytest.approx(math.log(9.0))
