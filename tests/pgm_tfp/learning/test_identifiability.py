"""What is said to be open against known results, and against derivatives of the whole distribution of what is seen."""

import re

import numpy as np
import pytest

from common.errors import UserError
from pgm_tfp import BayesianNetwork, Table
from pgm_tfp.catalogue import server_room, student
from pgm_tfp.learning import predictive_log_likelihood, unidentified
from pgm_tfp.learning.family_arrays import random_probabilities, with_probabilities
from tests.pgm_tfp.learning.support_learning import arrays, furthest


def latent_class(states, leaves, leaf_states=2, root_states=None):
    """H with some leaves, below a seen root R where it has states."""
    flat = {"H": Table(np.full(states, 1 / states), states=range(states))}
    if root_states:
        flat = {
            "R": Table(np.full(root_states, 1 / root_states), states=range(root_states)),
            "H": Table(np.full((root_states, states), 1 / states), ["R"], range(states)),
        }
    leaf = Table(np.full((states, leaf_states), 1 / leaf_states), ["H"], range(leaf_states))
    return BayesianNetwork({**flat, **{f"L{number}": leaf for number in range(leaves)}})


def decided_and_free(sentence):
    if every := re.search(r"rows determine all (\d+) free parameters in ", sentence):
        return int(every[1]), int(every[1])
    some = re.search(r"rows determine (\d+) of the (\d+) free parameters in ", sentence)
    return int(some[1]), int(some[2])


@pytest.mark.parametrize(
    ("network", "hidden", "decided", "free"),
    [
        (latent_class(2, 1), "H", 1, 3),  # one number is all that a binary child has
        (latent_class(2, 2), "H", 3, 5),
        (latent_class(2, 3), "H", 7, 7),  # just enough children
        (latent_class(3, 4), "H", 13, 14),  # Goodman 1974: fewer than the 15 of four children, and still not all
        (latent_class(3, 5), "H", 17, 17),
        # A matrix P(L | R) of rank k = P(H | R) P(L | H) has as many factorisations as k (k - 1) free parameters.
        (latent_class(2, 1, 10, 10), "H", 28 - 2, 28),
        (latent_class(3, 1, 6, 6), "H", 27 - 6, 27),
        (latent_class(1, 2), "H", 2, 2),
        (server_room(), "T", 4, 6),  # P(M | O, A) has four numbers
        (student(), "G", 4, 11),
    ],
)
def test_known_numbers(network, hidden, decided, free):
    assert decided_and_free(unidentified(network, [hidden])[hidden]) == (decided, free)


def test_the_sentences():
    said = unidentified(server_room(), ["T", "S"])
    assert list(said) == ["T", "S"]
    assert said["S"] == "No seen variable descends from S: the prior alone determines its table."
    assert said["T"] == (
        "The states of T can be named in any of 2 orders without any change in the probability of what is seen; rows "
        "determine 4 of the 6 free parameters in P(T | O, A) P(M | T); the prior and the start determine the rest."
    )
    assert unidentified(latent_class(3, 5), ["H"])["H"] == (
        "The states of H can be named in any of 6 orders without any change in the probability of what is seen; rows "
        "determine all 17 free parameters in P(H) P(L0 | H) P(L1 | H) P(L2 | H) P(L3 | H) P(L4 | H), up to a choice "
        "among finitely many solutions."
    )
    assert unidentified(latent_class(1, 2), ["H"])["H"].startswith("H has one state; rows determine all 2 ")
    assert unidentified(server_room(), []) == {}


def test_what_descends_from_nothing_seen_says_so_however_far():
    said = unidentified(server_room(), ["M", "T", "A"])
    assert list(said) == ["A", "T", "M"]
    assert all(sentence.startswith("No seen variable descends from") for sentence in said.values())


def test_the_room_without_thermometer_can_be_mistaken_for_another():
    """Let T be the message itself, and the message never err: no row tells this room from the other."""
    table = arrays(server_room())
    message = table["T"] @ table["M"]  # P(M | O, A)
    other = with_probabilities(server_room(), {**table, "T": message, "M": np.eye(2)})
    assert furthest(other, server_room()) > 0.04
    rows = server_room().sample(500, seed=1)
    del rows["T"]
    room, mistaken = (predictive_log_likelihood(network, rows) for network in (server_room(), other))
    assert mistaken == pytest.approx(room, rel=1e-12)


def numbers_decided(network, hidden, seed=0, step=1e-5):
    """The rank of the derivatives of p(all that is seen) by every table's logits, from differences of the joint."""
    logits = {name: np.log(table) for name, table in random_probabilities(network, np.random.default_rng(seed)).items()}
    axes = tuple(axis for axis, variable in enumerate(network.conditionals) if variable in hidden)

    def log_seen(shift, name, index):
        moved = {**logits, name: logits[name].copy()}
        moved[name][index] += shift
        tables = {each: np.exp(table) / np.exp(table).sum(-1, keepdims=True) for each, table in moved.items()}
        return np.log(with_probabilities(network, tables).joint().values.sum(axes)).ravel()

    columns = [
        (log_seen(step, name, index) - log_seen(-step, name, index)) / (2 * step)
        for name, table in logits.items()
        for index in np.ndindex(table.shape)
    ]
    values = np.linalg.svd(np.stack(columns), compute_uv=False)
    return int((values > 1e-6 * values[0]).sum())


EDGES = [(a, b) for b in range(5) for a in range(b)]


@pytest.mark.parametrize("seed", range(12))
def test_the_numbers_decided_are_the_rank_of_the_whole_distributions_derivatives(seed):
    random = np.random.default_rng(seed)
    edges = [(f"V{a}", f"V{b}") for a, b in EDGES if random.random() < 0.45]
    network = BayesianNetwork.from_edges(edges, [f"V{number}" for number in range(5)])
    hidden = [f"V{number}" for number in random.permutation(5)[: random.integers(1, 4)]]
    parts = {}
    for sentence in unidentified(network, hidden).values():
        if "rows determine" in sentence:
            tables = re.search(r"free parameters in (.*\))", sentence)[1]
            parts[tables] = decided_and_free(sentence)[0]
    owners = {name for tables in parts for name in re.findall(r"P\((\w+)", tables)}
    # Tables of seen variables that no hidden variable touches are decided: one number for each binary row.
    rest = sum(table[..., 0].size for name, table in arrays(network).items() if name not in {*owners, *hidden})
    assert sum(parts.values()) + rest == numbers_decided(network, hidden)


def test_what_cannot_be_said_is_named():
    with pytest.raises(UserError, match="unknown variable H"):
        unidentified(server_room(), ["H"])
    with pytest.raises(UserError, match="the tables around H have 82 entries and 1048576 seen joint states, too many"):
        unidentified(latent_class(2, 20), ["H"])
