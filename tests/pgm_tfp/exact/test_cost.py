"""What an answer takes is known, and refused if need be, before anything is computed."""

import math
import tracemalloc
from math import prod

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from pgm_tfp import BayesianNetwork, Conditional, MarkovNetwork, Potential, Table, catalogue, elimination, exact
from pgm_tfp.exact import batched
from pgm_tfp.exact.junction_tree import compiled
from pgm_tfp.learning import families, fit_em
from tests.pgm_tfp.oracles_exact import bayesian_networks, enumerated, log_of_sum, markov_networks, quickly
from tests.pgm_tfp.test_memory import no_limit_is_left  # noqa: F401  (a fixture)

GIGABYTE = 10**9


def grid(side, seed=0):
    """Binary variables on a square, neighbours joined."""
    random = np.random.default_rng(seed)
    places = [(i, j) for i in range(side) for j in range(side)]
    pairs = [((i, j), (i + 1, j)) for i, j in places if i + 1 < side]
    pairs += [((i, j), (i, j + 1)) for i, j in places if j + 1 < side]
    return MarkovNetwork({tuple(f"x{i},{j}" for i, j in pair): np.exp(random.uniform(-1, 1, (2, 2))) for pair in pairs})


def many_parents(variables=200, parents=4):
    """Binary variables with that many parents each, drawn from all earlier ones."""
    random = np.random.default_rng(0)
    edges = [
        (f"x{parent}", f"x{child}")
        for child in range(parents, variables)
        for parent in random.choice(child, parents, replace=False)
    ]
    return BayesianNetwork.from_edges(edges, [f"x{place}" for place in range(variables)])


def all_alike(network):
    """One row in which nothing is seen but the first variable."""
    return {next(iter(network.states)): [True]}


@pytest.fixture
def a_gigabyte():
    exact.set_memory_limit(GIGABYTE)


@pytest.fixture
def nothing_is_multiplied(monkeypatch):
    def refuse(*arguments):
        raise AssertionError("this has begun to compute")

    monkeypatch.setattr("pgm_tfp.potentials._times", refuse)
    monkeypatch.setattr("pgm_tfp.exact.junction_tree._multiplied", refuse)


LARGE = {"a 20 x 20 grid": grid(20), "200 variables of four parents": many_parents()}
ENTRIES = {
    "marginal": lambda network: exact.marginal(network, list(network.states)[-1]),
    "joint_marginal": lambda network: exact.joint_marginal(network, list(network.states)[-2:]),
    "log_evidence": lambda network: exact.log_evidence(network, dict.fromkeys(list(network.states)[-3:], True)),
    "most_probable": exact.most_probable,
    "marginal_map": lambda network: exact.marginal_map(network, list(network.states)[-2:]),
    "marginal_map of half": lambda network: exact.marginal_map(network, list(network.states)[::2]),
    "marginals": exact.marginals,
    "posteriors": lambda network: exact.posteriors(network, all_alike(network)),
    "information": lambda network: exact.conditional_mutual_information(
        network, list(network.states)[:1], list(network.states)[-1:]
    ),
    "joint": lambda network: network.joint(),
}


@pytest.mark.usefixtures("a_gigabyte", "nothing_is_multiplied")
@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("entry", ENTRIES)
def test_every_question_that_is_too_large_is_refused_before_anything_is_computed(name, entry):
    message = (
        r"takes tables of \d\S* cells, up to \d+ variables in one; they would take up to \S+ GB; .* limit is 1 GB;"
    )
    with pytest.raises(exact.TooLargeError, match=message) as caught:
        ENTRIES[entry](LARGE[name])
    assert isinstance(caught.value, UserError)
    assert "or raise the limit (exact.set_memory_limit, --memory-limit)" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("a_gigabyte", "nothing_is_multiplied")
def test_a_partition_function_and_an_e_step_that_are_too_large_are_refused():
    with pytest.raises(
        exact.TooLargeError, match=r"variable elimination takes tables of .*; log Z needs all variables"
    ):
        LARGE["a 20 x 20 grid"].log_partition  # noqa: B018  (a property)
    network = LARGE["200 variables of four parents"]
    with pytest.raises(exact.TooLargeError, match=r"an E step on a junction tree takes .*; learn a network of fewer"):
        fit_em(network, {name: [True] for name in list(network.states)[100:]})


@pytest.mark.usefixtures("a_gigabyte", "nothing_is_multiplied")
def test_a_joint_marginal_of_thirty_independent_variables_is_refused_for_its_table_alone():
    network = BayesianNetwork({f"x{place}": Table.of_true(0.5) for place in range(100)})
    with pytest.raises(
        exact.TooLargeError, match=r"joint distribution takes tables of 1.07e\+9 cells, up to 30 variables"
    ):
        exact.joint_marginal(network, list(network.states)[:30])
    with pytest.raises(exact.TooLargeError, match=r"joint distribution takes tables of 1.27e\+30 cells"):
        exact.joint_marginal(network, list(network.states))


@pytest.mark.usefixtures("a_gigabyte")
def test_what_evidence_and_irrelevance_make_cheap_is_answered():
    network = grid(20)
    column = {f"x{i},{j}": bool((i + j) % 3) for i in range(20) for j in range(20) if i % 3 == 1 or j % 3 == 1}
    together = exact.marginals(network, column)
    alone = exact.marginal(network, "x0,0", column)
    assert together["x0,0"] == pytest.approx(alone, abs=1e-12)
    assert together["x1,5"] == {False: 1.0, True: 0.0}
    large = LARGE["200 variables of four parents"]
    assert exact.marginal(large, "x3")[True] == pytest.approx(large.table("x3").probabilities[1])
    first = {f"x{place}": True for place in range(5)}
    assert exact.log_evidence(large, first) == pytest.approx(
        sum(math.log(large.table(name).probabilities[(1,) * 5 if name == "x4" else 1]) for name in first)
    )


def test_all_posteriors_on_a_tree_without_what_was_seen_agree_with_those_on_the_whole_tree():
    network, random = grid(4), np.random.default_rng(3)
    columns = {name: random.choice([True, False, None], 12).tolist() for name in network.states}
    columns["x0,0"] = [None] * 12
    whole = exact.posteriors(network, columns)
    evidence = {name: column[0] for name, column in columns.items() if column[0] is not None}
    soft = {**evidence, "x0,0": {False: 0.2, True: 0.7}}
    all_marginals = exact.marginals(network, soft)
    again = grid(4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batched, "_compiled_or_none", lambda network: None)
        for_each_row = exact.posteriors(again, columns)
        for name, marginal in exact.marginals(again, soft).items():
            assert marginal == pytest.approx(all_marginals[name], abs=1e-12)
        no_rows = exact.posteriors(again, {"x0,0": []})
    np.testing.assert_allclose(for_each_row.log_evidence, whole.log_evidence, atol=1e-10)
    for name in network.states:
        np.testing.assert_allclose(for_each_row.probabilities[name], whole.probabilities[name], atol=1e-12)
        assert no_rows.probabilities[name].shape == (0, 2)


@quickly
@given(st.one_of(bayesian_networks(), markov_networks(), markov_networks(spread=400.0)), st.data())
def test_marginals_without_a_tree_of_all_variables_agree_with_enumeration(network, data):
    truth = enumerated(network)
    possible = [states for states, weight in truth.logs.items() if weight > -math.inf]
    state = dict(zip(truth.variables, data.draw(st.sampled_from(possible)), strict=True))
    seen = data.draw(st.sets(st.sampled_from(truth.variables)))
    evidence = {name: state[name] for name in seen}
    truth = enumerated(network, evidence)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batched, "_compiled_or_none", lambda network: None)
        ours = exact.marginals(network, evidence)
        rows = exact.posteriors(
            network, {truth.variables[0]: [None], **{name: [state] for name, state in evidence.items()}}
        )
    for variable in network.states:
        assert ours[variable] == pytest.approx(truth.marginal(variable), abs=1e-10)
    assert rows.log_evidence[0] == pytest.approx(truth.log_evidence(), abs=1e-9)


def test_impossible_findings_are_told_where_without_some_of_them_all_would_be_too_large(monkeypatch):
    network = MarkovNetwork([Potential("AB", [[1.0, 0.0], [0.0, 1.0]]), Potential("BC", np.ones((2, 2)))])
    evidence = {"A": True, "B": False, "C": True}
    with pytest.raises(UserError, match="impossible evidence: A=True, B=False together"):
        exact.marginal(network, "C", evidence)
    original = elimination.check_sums

    def refuse_unless_all_is_seen(potentials, keep=(), remedy=""):
        if len(elimination.sizes_of(potentials)) > len(keep):
            raise exact.TooLargeError("too large")
        return original(potentials, keep, remedy)

    monkeypatch.setattr(elimination, "check_sums", refuse_unless_all_is_seen)
    with pytest.raises(UserError, match="impossible evidence: A=True, B=False, C=True together"):
        exact.marginal(MarkovNetwork(network.potentials()), "C", evidence)


@quickly
@given(st.one_of(bayesian_networks(), markov_networks()))
def test_the_cost_is_that_of_the_tree_that_is_built(network):
    cost = exact.cost(network)
    arrays = [array for (array,) in compiled(network).factors]
    assert cost.cells == sum(array.size for array in arrays) == compiled(network).tree.cells
    assert cost.largest_clique == max(array.ndim - 1 for array in arrays)
    assert cost.bytes >= 8 * cost.cells


def test_the_cost_of_a_chain_of_triangles_has_a_closed_form():
    triangles = nx.Graph([(f"x{i}", f"x{j}") for i in range(30) for j in range(i + 1, min(i + 3, 30))])
    cost = exact.cost(MarkovNetwork.from_edges(triangles.edges))
    assert (cost.cells, cost.largest_clique) == (28 * 2**3, 3)
    hundred = Potential([f"y{place}" for place in range(50)], np.ones((1,) * 50))
    assert exact.cost(MarkovNetwork([hundred]))[::2] == (1, 50)


def test_the_cost_of_what_no_machine_holds_is_exact_and_finite():
    network = many_parents(400)
    cost = exact.cost(network)
    assert cost.cells > 2**100
    assert isinstance(cost.cells, int)
    assert 2**cost.largest_clique < cost.cells < 400 * 2**cost.largest_clique
    assert 2**29 < exact.cost(grid(20)).cells < 2**31


def test_the_cost_of_continuous_variables_is_not_known():
    network = BayesianNetwork({"X": Conditional(lambda: None)})
    with pytest.raises(UserError, match="X has no table"):
        exact.cost(network)


def measured(work):
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def alternating(network):
    """Potentials whose products leave float64's range, so that all is computed with logarithms."""
    potentials = [
        Potential(potential.variables, potential.values * 10.0 ** (100 - 200 * (number % 2)))
        for number, potential in enumerate(network.potentials())
    ]
    return MarkovNetwork(potentials, network.states)


@pytest.mark.parametrize("make", [lambda: grid(12), lambda: alternating(grid(12)), lambda: many_parents(30)])
@pytest.mark.parametrize(
    "entry", ["marginal", "log_evidence", "most_probable", "marginal_map", "marginals", "posteriors"]
)
def test_no_answer_takes_more_memory_than_was_foreseen_nor_much_less(make, entry, monkeypatch):
    network, foreseen = make(), []
    monkeypatch.setattr(elimination, "check_memory", lambda what, needed, remedy: foreseen.append(needed))
    peak = measured(lambda: ENTRIES[entry](network))
    overhead = 300_000  # of the graph, the order and Python's own objects
    assert peak < max(foreseen) + overhead
    assert peak > max(foreseen) / 8


def test_no_e_step_takes_more_memory_than_was_foreseen(monkeypatch):
    network, foreseen = many_parents(30), []
    rows = {name: [True] for name in list(network.states)[::2]}
    monkeypatch.setattr(elimination, "check_memory", lambda what, needed, remedy: foreseen.append(needed))
    compiled_families = families.compiled_families(network, rows)
    tables = {name: table.probabilities for name, table in network.conditionals.items()}
    peak = measured(lambda: families.expected_counts(compiled_families, tables))
    assert foreseen[0] / 8 < peak < foreseen[0] + 300_000


@pytest.mark.parametrize("network", [catalogue.student(), catalogue.burglary()])
def test_an_answer_that_fits_exactly_is_given_and_with_a_byte_less_refused(network):
    needed = exact.cost(network).bytes
    exact.set_memory_limit(needed)
    assert exact.marginals(network)
    again = BayesianNetwork(network.conditionals)
    exact.set_memory_limit(needed - 1)
    with pytest.raises(exact.TooLargeError):
        exact.marginals(again)


def test_a_table_over_more_variables_than_numpy_has_axes_for_is_refused_however_small():
    ones = [Potential([f"x{place}", "y"], np.ones((1, 2))) for place in range(70)]
    wide = Potential([f"x{place}" for place in range(60)], np.ones((1,) * 60))
    network = MarkovNetwork([*ones, wide])
    assert exact.marginal(MarkovNetwork(ones), "y") == pytest.approx({False: 0.5, True: 0.5})
    with pytest.raises(exact.TooLargeError, match="takes a table of more than 60 variables"):
        exact.marginals(network)
    with pytest.raises(exact.TooLargeError, match="takes a table of more than 60 variables"):
        exact.joint_marginal(network, [f"x{place}" for place in range(61)])


def test_more_than_sixty_two_binary_variables_do_not_overflow():
    stars = BayesianNetwork(
        {"c": Table.of_true(0.3), **{f"x{place}": Table.of_true([0.2, 0.6], ["c"]) for place in range(100)}}
    )
    seen = {f"x{place}": place < 40 for place in range(100)}
    logs = [math.log(p) + 40 * math.log(q) + 60 * math.log(1 - q) for p, q in ((0.7, 0.2), (0.3, 0.6))]
    assert exact.log_evidence(stars, seen) == pytest.approx(log_of_sum(logs))
    rows = exact.posteriors(stars, {name: [state, None] for name, state in seen.items()})
    assert rows.probabilities["c"][0, 1] == pytest.approx(math.exp(logs[1] - log_of_sum(logs)))
    assert prod(map(len, stars.states.values())) == 2**101
    with pytest.raises(exact.TooLargeError, match=r"2.54e\+30 cells"):
        stars.joint()


def test_graphs_whose_tables_no_machine_holds_are_refused():
    with pytest.raises(
        exact.TooLargeError, match=r"the table of x, of 70 parents, would take up to .*; leave some of th"
    ):
        BayesianNetwork.from_edges([(f"p{place}", "x") for place in range(70)])
    names = [f"p{place}" for place in range(50)]
    edges = [(a, b) for number, a in enumerate(names) for b in names[:number]]
    with pytest.raises(exact.TooLargeError, match=r"the potential of a clique of 50 variables would take up to"):
        MarkovNetwork.from_edges(edges)
