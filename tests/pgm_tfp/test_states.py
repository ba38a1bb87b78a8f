import math

import numpy as np
import pandas as pd
import pytest

from common.errors import UserError
from pgm_tfp import BayesianNetwork, Table, catalogue, exact
from pgm_tfp.learning import blanked, count, fit_dirichlet, fit_em
from pgm_tfp.states import BINARY, find_state, is_missing, listed, places_of


def place(states, written):
    return find_state(states, places_of(states), written)


@pytest.mark.parametrize(
    "written", [True, 1, 1.0, np.True_, "True", "true", " TRUE ", "1", "1.0", "yes", np.str_("Yes")]
)
def test_true_is_written_in_many_ways(written):
    assert place(BINARY, written) == 1


@pytest.mark.parametrize("written", [2, "2.0", "T", "truth", "", None, math.nan, pd.NA, [True], np.array([1, 0])])
def test_what_is_none_of_them_is_no_truth_value(written):
    assert place(BINARY, written) is None


def test_numbers_words_and_names_that_look_like_others_keep_apart():
    assert [place((1, 2, 3), written) for written in (2, 2.0, "2", "2.0", "2.5", "yes", True)] == [
        1,
        1,
        1,
        1,
        None,
        None,
        0,
    ]
    assert [place(("0", "1"), written) for written in ("1", 1, 1.0, "yes")] == [1, 1, 1, None]
    assert [place(("None", "Mild"), written) for written in ("None", None, math.nan, "none")] == [0, None, None, None]
    assert [place(("1", 1), written) for written in ("1", 1)] == [0, 1]
    assert place(("(0,10]", "a b"), " a b ") == 1


@pytest.mark.parametrize(
    ("value", "missing"),
    [(None, True), (math.nan, True), (np.float32("nan"), True), (pd.NA, True), (pd.NaT, True), (0, False), ("", False)],
)
def test_what_says_that_nothing_was_seen(value, missing):
    assert is_missing(value) is missing


def test_columns_of_every_kind_are_lists():
    for column in (
        [1, None], (1, None), range(1, 3), np.array([1, 2]), pd.Series([1, 2], index=[7, 3]), pd.Categorical([1, 2])
    ):  # fmt: skip
        assert listed(column)[0] == 1
        assert type(listed(column)) is list


FRAMES = {
    "as it is": lambda frame: frame,
    "an index that does not start at 0": lambda frame: frame.set_index(frame.index + 1000),
    "objects": lambda frame: frame.astype(object),
    "truth values with pandas.NA": lambda frame: frame.astype("boolean"),
    "whole numbers with pandas.NA": lambda frame: frame.astype("boolean").astype("Int64"),
    "floats with not-a-number": lambda frame: frame.astype("boolean").astype("Float64").astype(float),
    "words": lambda frame: frame.astype("boolean").astype("string"),
    "words of numbers": lambda frame: frame.astype("boolean").astype("Float64").astype(float).astype("string"),
    "levels": lambda frame: frame.astype("boolean").astype("category"),
    "a dictionary of columns": lambda frame: {name: frame[name] for name in frame},
    "as lists": lambda frame: frame.to_dict("list"),
}


def seen(gaps):
    columns = {name: column.tolist() for name, column in catalogue.server_room().sample(200, seed=1).items()}
    return blanked(columns, 0.2) if gaps else columns


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("kind", FRAMES)
def test_data_frames_are_taken_as_they_are(kind, gaps):
    network, columns = catalogue.server_room(), seen(gaps)
    frame = FRAMES[kind](pd.DataFrame(columns))
    expected, ours = exact.posteriors(network, columns), exact.posteriors(network, frame)
    np.testing.assert_array_equal(ours.log_evidence, expected.log_evidence)
    for name, probabilities in expected.probabilities.items():
        np.testing.assert_array_equal(ours.probabilities[name], probabilities)
    if gaps:
        settings = {"restarts": 1, "most_iterations": 3}
        assert fit_em(network, frame, **settings).log_likelihood == fit_em(network, columns, **settings).log_likelihood
    else:
        for name, counts in count(network, columns).items():
            np.testing.assert_array_equal(count(network, frame)[name], counts)
        assert fit_dirichlet(network, frame).log_evidence == pytest.approx(fit_dirichlet(network, columns).log_evidence)
    for name, column in blanked(frame, 0.5, seed=3, hidden=["A"]).items():
        theirs = blanked(columns, 0.5, seed=3, hidden=["A"])[name]
        assert [is_missing(state) for state in column] == [state is None for state in theirs]


def test_frames_of_words_and_numbers_of_other_networks():
    network = catalogue.student()
    frame = pd.DataFrame({"G": [3, None, 1], "I": ["high", None, "low"], "L": ["True", None, "0"]}, index=[5, 6, 8])
    ours = exact.posteriors(network, frame)
    for row, evidence in enumerate([{"G": 3, "I": "high", "L": True}, {}, {"G": 1, "I": "low", "L": False}]):
        assert ours.log_evidence[row] == pytest.approx(exact.log_evidence(network, evidence), abs=1e-12)


def test_what_is_wrong_with_a_frame_is_named_by_its_row():
    network = catalogue.student()
    with pytest.raises(UserError, match=r"row 1: I has no state hihg; did you mean high\?"):
        exact.posteriors(network, pd.DataFrame({"I": ["low", "hihg"]}, index=[10, 11]))
    with pytest.raises(UserError, match="column I is there twice; leave one of them out"):
        exact.posteriors(network, pd.DataFrame([["low", "high"]], columns=["I", "I"]))
    with pytest.raises(UserError, match="unknown variable 0; known: D, I, G, S, L"):
        exact.posteriors(network, pd.DataFrame([["low"]]))
    with pytest.raises(UserError, match="unknown variable note"):
        fit_dirichlet(network, pd.DataFrame({"note": ["x"]}))


def test_several_variables_where_one_is_wanted_name_the_function_for_several():
    network = catalogue.student()
    for several in (["D", "I"], ("D",)):
        with pytest.raises(UserError, match="joint_marginal"):
            exact.marginal(network, several)
    with pytest.raises(UserError, match="evidence"):
        exact.marginals(network, ["D"])


def test_evidence_is_read_like_a_cell():
    network = BayesianNetwork({"A": Table.of_true(0.25), "B": Table([0.5, 0.5], states=("1", "2"))})
    assert exact.log_evidence(network, {"A": "yes", "B": 2}) == pytest.approx(math.log(0.125))
    with pytest.raises(UserError, match="A has no state None; its states: False, True"):
        exact.log_evidence(network, {"A": None})
