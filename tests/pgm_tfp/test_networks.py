import math

import numpy as np
import pytest
import scipy.special
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from pgm_tfp import BayesianNetwork, Conditional, Table, catalogue
from pgm_tfp.exact import TooLargeError
from tests.pgm_tfp.oracles_exact import bayesian_networks, enumerated, factors_of, quickly

HALF = Table.of_true(0.5)


def shop():
    """The weather W, the temperature X that goes with it, and whether ice cream sells out, Y: likely above 20."""
    import tensorflow as tf
    from tensorflow_probability import distributions as tfd

    means, deviations = tf.constant([10.0, 25.0], tf.float64), tf.constant([2.0, 4.0], tf.float64)
    return BayesianNetwork(
        {
            "Y": Conditional(lambda x: tfd.Bernoulli(logits=3.0 * (x - 20.0)), ["X"], ("left over", "sold out")),
            "X": Conditional(lambda w: tfd.Normal(tf.gather(means, w), tf.gather(deviations, w)), ["W"]),
            "W": Table([0.25, 0.75], states=("rain", "sun")),
        }
    )


@pytest.mark.parametrize(
    ("conditionals", "message"),
    [
        ({"B": Table.of_true([0.5, 0.5], ["Alrm"]), "Alarm": HALF}, "^B: unknown parent Alrm; did you mean Alarm?"),
        ({"A": Table(np.full((2, 2, 2), 0.5), ["B", "B"]), "B": HALF}, "^A: parents B, B must be named once each$"),
        (
            {"A": Table.of_true([0.5, 0.5], ["B"]), "B": Table.of_true([0.5, 0.5], ["A"])},
            "the edges form a cycle: A -> B -> A",
        ),
        ({"A": Table.of_true([0.5, 0.5], ["A"])}, "the edges form a cycle: A -> A"),
        ({"A": HALF, "B": Table.of_true([0.5, 0.5, 0.5], ["A"])}, r"^P\(B \| A\): expected .*\(2, 2\).* \(3, 2\)$"),
        ({"A": HALF, "B": Table([[0.5, 0.4], [0.5, 0.5]], ["A"])}, r"^P\(B \| A=False\): .*\[0.5, 0.4\] \(sum 0.9\)$"),
        ({"A": Table([0.5, 0.5], states=("x", "x"))}, "^A: states .* all different$"),
        (
            {"A": Conditional(lambda: None), "B": Table.of_true([0.5, 0.5], ["A"])},
            "^B: a table needs parents with states, and A is continuous; use a Conditional instead$",
        ),
    ],
)
def test_what_is_no_network_is_an_error_that_names_the_variable(conditionals, message):
    with pytest.raises(UserError, match=message):
        BayesianNetwork(conditionals)


@quickly
@given(bayesian_networks())
def test_variables_stand_parents_first_whatever_order_they_came_in(network):
    order = list(network.conditionals)
    assert order == list(network.graph) == list(network.states)
    assert all(order.index(parent) < order.index(child) for parent, child in network.graph.edges)
    assert {(p, c) for c, table in network.conditionals.items() for p in table.parents} == set(network.graph.edges)


@quickly
@given(bayesian_networks())
def test_the_joint_and_log_prob_are_the_product_of_the_tables(network):
    joint, expected = network.joint(), enumerated(network)
    assert joint.variables == tuple(network.conditionals)
    assert joint.values.sum() == pytest.approx(1.0)
    for (states, weight), probability in zip(expected.logs.items(), joint.values.flat, strict=True):
        assert probability == pytest.approx(math.exp(weight), abs=1e-14)
        assert network.log_prob(dict(zip(expected.variables, states, strict=True))) == pytest.approx(weight)


def test_a_joint_is_refused_where_it_would_take_more_memory_than_there_is():
    with pytest.raises(
        TooLargeError, match=r"a joint distribution takes tables of 1.13e\+15 cells, up to 50 variables"
    ):
        BayesianNetwork.from_edges([], [f"x{place}" for place in range(50)]).joint()


def test_potentials_of_some_variables_are_their_tables():
    network = catalogue.student()
    letter, grade = network.potentials(["L", "G"])
    assert (grade.variables, letter.variables) == (("I", "D", "G"), ("G", "L"))
    np.testing.assert_array_equal(grade.values, network.table("G").probabilities)


def test_the_factorization_is_the_formula_of_the_joint():
    assert catalogue.burglary().factorization() == "P(B) P(E) P(A | B, E) P(J | A) P(M | A)"
    assert repr(BayesianNetwork({"A": HALF})) == "BayesianNetwork(P(A))"


def test_random_tables_are_the_same_at_every_call_and_far_from_certainty():
    first, again, other = (BayesianNetwork.from_edges(["AB", "CB"], "D", seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.joint().values, again.joint().values)
    assert np.abs(first.joint().values - other.joint().values).max() > 0.001
    assert set(first.graph.edges) == {("A", "B"), ("C", "B")}
    assert list(first.states) == ["D", "A", "C", "B"]
    rows = np.concatenate([potential.values.ravel() for potential in first.potentials()])
    assert 0.1 <= rows.min() < rows.max() <= 0.9


def test_unknown_names_are_errors_with_the_nearest():
    network = catalogue.student()
    with pytest.raises(UserError, match="unknown variable Grade; known: D, I, G, S, L"):
        network.table("Grade")
    with pytest.raises(UserError, match=r"^G has no state 4; its states: 1, 2, 3$"):
        network.state_index("G", 4)
    assert [network.state_index("G", state) for state in (1, 2, 3)] == [0, 1, 2]
    whole = {"D": "hard", "I": "low", "G": 1, "S": True, "L": True}
    with pytest.raises(UserError, match="needs all variables: S is missing"):
        network.log_prob({name: state for name, state in whole.items() if name != "S"})
    with pytest.raises(UserError, match="unknown variable Z"):
        network.log_prob({**whole, "Z": 1})
    with pytest.raises(UserError, match="D has no state difficult; its states: easy, hard"):
        network.log_prob({**whole, "D": "difficult"})
    with pytest.raises(UserError, match="unknown variable Q"):
        network.do({"Q": True})


@pytest.mark.parametrize("name", ["sprinkler", "student"])
def test_samples_fall_into_every_cell_of_the_joint_as_often_as_they_should(name):
    network, n = catalogue.NETWORKS[name](), 40_000
    drawn, expected = network.sample(n, seed=1), enumerated(network)
    rows = list(zip(*(drawn[variable].tolist() for variable in expected.variables), strict=True))
    cells = {states: math.exp(weight) for states, weight in expected.logs.items()}
    marginals = [(v, state, p) for v in network.states for state, p in expected.marginal(v).items()]
    seen = [(np.mean(drawn[variable] == state), p) for variable, state, p in marginals]
    seen += [(rows.count(states) / n, p) for states, p in cells.items()]
    for frequency, p in seen:
        # within five standard errors; where the probability is zero, never
        assert abs(frequency - p) <= 5 * math.sqrt(p * (1 - p) / n)


def test_samples_are_states_and_the_same_for_the_same_seed():
    network = BayesianNetwork({"A": Table([0.5, 0.5], states=(1, "one")), **catalogue.student().conditionals})
    first, again, other = (network.sample(50, seed) for seed in (0, 0, 1))
    for name, states in network.states.items():
        assert first[name].tolist() == again[name].tolist()
        assert set(first[name].tolist()) <= set(states)
    assert any(first[name].tolist() != other[name].tolist() for name in network.states)
    network.log_prob({name: column[0] for name, column in first.items()})


@quickly
@given(bayesian_networks(), st.data())
def test_doing_leaves_out_the_factor_of_what_is_set(network, data):
    variable = data.draw(st.sampled_from(list(network.states)))
    state = data.draw(st.sampled_from(network.states[variable]))
    factors = [(scope, values) for scope, values in factors_of(network) if scope[-1] != variable]
    after = network.do({variable: state}).joint().over(tuple(network.states)).values
    for index in np.ndindex(after.shape):
        at = dict(zip(network.states, index, strict=True))
        truncated = math.prod(values[tuple(at[name] for name in scope)] for scope, values in factors)
        truncated *= network.states[variable][at[variable]] == state
        assert after[index] == pytest.approx(truncated, abs=1e-12)
    assert network.conditionals[variable].parents == tuple(network.graph.predecessors(variable))  # itself unchanged


def test_seeing_a_high_temperature_speaks_for_a_broken_air_conditioning_and_making_one_does_not():
    network = catalogue.server_room()
    seen = enumerated(network, {"T": True}).marginal("A")[True]
    made = enumerated(network.do({"T": True}), {"T": True}).marginal("A")[True]
    assert made == pytest.approx(0.02)
    assert seen > 0.2


@pytest.mark.parametrize("name", ["sprinkler", "student"])
def test_the_joint_distribution_of_tensorflow_probability_has_the_same_log_prob(name):
    import tensorflow_probability as tfp

    network = catalogue.NETWORKS[name]()
    joint = network.joint_distribution()
    assert isinstance(joint, tfp.distributions.JointDistribution)
    drawn = joint.sample(60, seed=3)
    ours = [
        network.log_prob({name: network.states[name][column[row]] for name, column in drawn.items()})
        for row in range(60)
    ]
    np.testing.assert_allclose(joint.log_prob(drawn), ours, rtol=1e-12)
    assert len(set(ours)) > 5


def test_what_never_happens_has_a_log_prob_of_minus_infinity():
    network = catalogue.sprinkler()
    joint = network.joint_distribution()
    never = {"C": 1, "S": 0, "R": 0, "W": 1}
    assert joint.log_prob(never).numpy() == network.log_prob(never) == -math.inf


def test_pinning_leaves_the_rest_of_the_joint():
    network = catalogue.sprinkler()
    pinned = network.joint_distribution().experimental_pin(W=1, S=0)
    rest = {"C": 1, "R": 1}
    assert pinned.unnormalized_log_prob(rest).numpy() == pytest.approx(network.log_prob({**rest, "W": 1, "S": 0}))


@pytest.mark.parametrize("name", ["wet grass", "1st", "class"])
def test_a_joint_distribution_needs_names_that_python_can_use(name):
    network = BayesianNetwork({name: HALF, "A": Table.of_true([0.5, 0.5], [name])})
    with pytest.raises(UserError, match=f"variable '{name}' must be a Python identifier"):
        network.joint_distribution()


def test_densities_and_tables_make_one_log_prob():
    network = shop()
    expected = math.log(0.75) + scipy.stats.norm.logpdf(20.3, 25.0, 4.0)
    expected += math.log(scipy.special.expit(3.0 * (20.3 - 20.0)))
    assert network.log_prob({"W": "sun", "X": 20.3, "Y": "sold out"}) == pytest.approx(expected, rel=1e-12)
    joint = network.joint_distribution().log_prob(W=1, X=np.float64(20.3), Y=1)
    assert joint.numpy() == pytest.approx(expected, rel=1e-12)


def test_numbers_are_reckoned_with_in_double_precision():
    from tensorflow_probability import distributions as tfd

    line = BayesianNetwork(
        {
            "X": Conditional(lambda: tfd.Normal(np.float64(0.0), np.float64(1.0))),
            "Y": Conditional(lambda x: tfd.Normal(3.0 * x, 1.0), ["X"]),
        }
    )
    expected = scipy.stats.norm.logpdf(0.1) + scipy.stats.norm.logpdf(0.7, 0.3)
    assert line.log_prob({"X": 0.1, "Y": 0.7}) == pytest.approx(expected, rel=1e-13)


def test_continuous_variables_are_drawn_given_their_parents_and_can_be_set():
    network, n = shop(), 20_000
    drawn = network.sample(n, seed=2)
    sun = drawn["W"] == "sun"
    assert abs(sun.mean() - 0.75) < 5 * math.sqrt(0.75 * 0.25 / n)
    assert scipy.stats.kstest(drawn["X"][sun], "norm", (25.0, 4.0)).pvalue > 1e-6
    assert scipy.stats.kstest(drawn["X"][~sun], "norm", (10.0, 2.0)).pvalue > 1e-6
    sold = scipy.special.expit(3.0 * (drawn["X"] - 20.0))
    assert abs(np.mean(drawn["Y"] == "sold out") - sold.mean()) < 5 * math.sqrt(sold.var() / n + 0.25 / n)
    np.testing.assert_array_equal(network.sample(20, seed=2)["X"], network.sample(20, seed=2)["X"])

    warmed = network.do({"X": 20.5})
    again = warmed.sample(n, seed=2)
    assert (again["X"] == 20.5).all()
    np.testing.assert_array_equal(again["W"], drawn["W"])
    assert abs(np.mean(again["Y"] == "sold out") - scipy.special.expit(1.5)) < 5 * math.sqrt(0.25 / n)
    assert warmed.log_prob({"W": "sun", "X": 20.5, "Y": "sold out"}) == pytest.approx(
        math.log(0.75) + math.log(scipy.special.expit(1.5))
    )
    assert warmed.log_prob({"W": "sun", "X": 20.4, "Y": "sold out"}) == -math.inf
    assert network.do({"Y": "left over"}).table("Y").parents == ()
    with pytest.raises(UserError, match="X has no table"):
        network.potentials()
