"""Expected counts against one query at a time."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgm_tfp import BayesianNetwork, Table, exact
from pgm_tfp.catalogue import server_room, student
from pgm_tfp.exact import rows
from pgm_tfp.learning import blanked
from pgm_tfp.learning.families import compiled_families, expected_counts
from tests.pgm_tfp.learning.support_learning import arrays, few, rows_of
from tests.pgm_tfp.oracles_exact import bayesian_networks


def one_by_one(network, observations):
    """The sum over rows of p(family | row), a query each, and of log p(row)."""
    counts, log_weight = {}, 0.0
    for variable in network.conditionals:
        family = (*network.table(variable).parents, variable)
        shape = network.table(variable).probabilities.shape
        tables = [list(exact.joint_marginal(network, family, row).values()) for row in rows_of(observations)]
        counts[variable] = np.sum(tables, 0).reshape(shape)
    log_weight = sum(exact.log_evidence(network, row) for row in rows_of(observations))
    return counts, log_weight


@few
@given(bayesian_networks(), st.integers(0, 99), st.sampled_from([0.2, 0.6]), st.booleans())
def test_expected_counts_are_those_of_one_query_for_each_row_and_family(network, seed, share, anything_hidden):
    hidden = [list(network.conditionals)[seed % len(network.conditionals)]] if anything_hidden else []
    observations = blanked(network.sample(8, seed), share, seed, hidden)
    expected = expected_counts(compiled_families(network, observations), arrays(network))
    counts, log_weight = one_by_one(network, observations)
    assert expected.log_weight == pytest.approx(log_weight, abs=1e-10)
    seen = {variable for row in rows_of(observations) for variable in row}
    for variable in network.conditionals:
        if variable in seen:
            np.testing.assert_allclose(expected.counts[variable], counts[variable], atol=1e-10)
        else:  # nothing is counted where rows do not bear on a table
            assert not expected.counts[variable].any() or np.allclose(expected.counts[variable], counts[variable])


def test_a_hidden_variable_is_counted_where_a_descendant_of_it_was_seen_and_only_there():
    observations = blanked(server_room().sample(30, seed=1), 0.0, hidden=["T"])
    counts = expected_counts(compiled_families(server_room(), observations), arrays(server_room())).counts
    np.testing.assert_allclose(counts["T"], one_by_one(server_room(), observations)[0]["T"], atol=1e-10)
    del observations["M"]
    counts = expected_counts(compiled_families(server_room(), observations), arrays(server_room())).counts
    assert not counts["T"].any()
    assert not counts["M"].any()
    assert counts["O"].sum() == pytest.approx(30)


def test_rows_in_several_batches_make_one_sum(monkeypatch):
    observations = blanked(student().sample(200, seed=1), 0.4)
    whole = compiled_families(student(), observations)
    monkeypatch.setattr(rows, "CELLS_AT_ONCE", 200)
    batched = compiled_families(student(), observations)
    assert len(whole.batches) == 1
    assert len(batched.batches) > 10
    a, b = (expected_counts(each, arrays(student())) for each in (whole, batched))
    assert a.log_weight == pytest.approx(b.log_weight, rel=1e-13)
    for variable in student().conditionals:
        np.testing.assert_allclose(a.counts[variable], b.counts[variable], rtol=1e-12)


def test_weights_need_not_sum_to_one_nor_products_stay_in_the_range_of_numbers():
    observations = blanked(student().sample(20, seed=1), 0.4)
    compiled = compiled_families(student(), observations)
    plain = expected_counts(compiled, arrays(student()))
    tiny = {variable: 1e-150 * table for variable, table in arrays(student()).items()}
    scaled = expected_counts(compiled, tiny)
    assert scaled.log_weight == pytest.approx(plain.log_weight + 20 * 5 * np.log(1e-150), rel=1e-12)
    for variable in student().conditionals:
        np.testing.assert_allclose(scaled.counts[variable], plain.counts[variable], rtol=1e-9)


def test_a_finding_at_one_end_of_a_long_chain_reaches_the_other():
    names = [f"V{number}" for number in range(9)]
    flips = {name: Table.of_true([0.1, 0.8], parents=(parent,)) for parent, name in pairwise(names)}
    chain = BayesianNetwork({"V0": Table.of_true(0.5), **flips})
    for observations in ({"V8": [True, False, True]}, {"V0": [False, None], "V4": [True, None], "V8": [True, True]}):
        counts = expected_counts(compiled_families(chain, observations), arrays(chain)).counts
        for variable, expected in one_by_one(chain, observations)[0].items():
            np.testing.assert_allclose(counts[variable], expected, atol=1e-12)


def test_rows_of_very_different_weight_do_not_disturb_each_other():
    """One row is e^1600 times as probable as the other, and each is counted as it would be alone."""
    room = server_room()
    tables = {name: table * np.array([1.0, 1e-230]) for name, table in arrays(room).items()}
    together = {"O": [False, True], "S": [False, True], "M": [False, True]}
    alone = [{name: column[at : at + 1] for name, column in together.items()} for at in range(2)]
    counts, *parts = (expected_counts(compiled_families(room, seen), tables).counts for seen in (together, *alone))
    for variable in room.conditionals:
        assert counts[variable].sum() == pytest.approx(2.0)
        np.testing.assert_allclose(counts[variable], parts[0][variable] + parts[1][variable], atol=1e-12)
