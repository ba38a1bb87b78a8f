"""The density that surrogates approximate is the network's."""

import numpy as np
import pytest
import tensorflow as tf

from common.errors import UserError
from pgm_tfp import BayesianNetwork, catalogue, exact
from pgm_tfp.variational import target


@pytest.mark.parametrize("network", [catalogue.server_room(), catalogue.student(), BayesianNetwork.from_edges(["ab"])])
def test_the_weights_of_all_states_add_up_to_the_evidence(network):
    variable = list(network.states)[-1]
    evidence = {variable: network.states[variable][0]}
    weights = target(network, evidence).log_weights
    assert float(tf.reduce_logsumexp(weights)) == pytest.approx(exact.log_evidence(network, evidence), abs=1e-12)


def test_the_joint_density_is_that_of_the_network():
    network = catalogue.server_room_thermal()
    drawn = network.sample(20, seed=1)
    for row in range(20):
        known = {name: column[row] for name, column in drawn.items() if name != "C"}
        density = target(network, known).log_density(tf.constant([[drawn["C"][row]]]))
        assert float(density[0]) == pytest.approx(network.log_prob({**known, "C": drawn["C"][row]}), abs=1e-9)


def test_discrete_variables_are_summed_out_of_a_density():
    network, evidence = catalogue.server_room_thermal(), {"M": True, "R": 30.0, "L": 55.0, "S": False}
    posterior, at = target(network, evidence), 29.3
    assert (posterior.discrete, posterior.continuous) == (("O", "A"), ("C",))
    by_hand = [
        network.log_prob({**evidence, "C": at, "O": door, "A": failure})
        for door in (False, True)
        for failure in (False, True)
    ]
    assert float(posterior.log_density(tf.constant([[at]], tf.float64))[0]) == pytest.approx(
        np.logaddexp.reduce(by_hand)
    )


@pytest.mark.parametrize(
    ("evidence", "message"),
    [
        ({"X": True}, "unknown variable X"),
        ({"M": "perhaps"}, "M has no state perhaps"),
        (dict.fromkeys("OATMS", True), "names every variable"),
    ],
)
def test_wrong_evidence_is_named(evidence, message):
    with pytest.raises(UserError, match=message):
        target(catalogue.server_room(), evidence)
