"""Example networks, each drawn in its docstring.

If the source gives no numbers, they were chosen for this project, and the docstring says so.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from pgm_tfp.conditionals import BINARY, Conditional, Table
from pgm_tfp.markov import MarkovNetwork
from pgm_tfp.networks import BayesianNetwork


def server_room() -> BayesianNetwork:
    """The assignment's server room (1.1).

        door stays open (O)     air conditioning fails (A)
           |          \\            /
           v           v          v
        siren (S)    temperature too high (T)
                          |
                          v
                     message (M)

    The hand-out gives no probabilities. The values here were chosen to be plausible for a well-kept room. The door is
    left open on one day in ten, the air conditioning fails on one day in fifty, and no device is perfect.
    """
    return BayesianNetwork(
        {
            "O": Table.of_true(0.10),
            "A": Table.of_true(0.02),
            # The temperature is too high without either cause on one day in a hundred. A broken air conditioning heats
            # the room more often than an open door does; both together nearly always do.
            "T": Table.of_true(
                [  # A works, A fails
                    [0.01, 0.80],  # door shut
                    [0.30, 0.95],  # door open
                ],
                parents=("O", "A"),
            ),
            # The controller misses one hot day in twenty. It sends a message without cause on one day in two hundred.
            "M": Table.of_true([0.005, 0.95], parents=("T",)),
            # The siren misses one open door in ten. It sounds at a shut door on one day in a thousand.
            "S": Table.of_true([0.001, 0.90], parents=("O",)),
        }
    )


def server_room_thermal() -> BayesianNetwork:
    """The server room with a temperature in degrees Celsius: a network of discrete and continuous variables.

        door stays open (O)     air conditioning fails (A)
           |          \\            /
           v           v          v
        siren (S)      temperature (C)
                     /       |       \\
                    v        v        v
           message (M)  reading (R)  latency (L)

    C is normally distributed around 21 degrees; the mean is 5 degrees higher with the door open, and 9 degrees higher
    without air conditioning. R is the reading of a sensor with a standard deviation of 0.8 degrees. The message becomes
    likely around 29 degrees. Above 27 degrees the processors run more slowly, and the servers' latency L, in
    milliseconds, rises. All numbers were chosen for this project.
    """
    from pgm_tfp.backend import tf, tfd

    mean = tf.constant([[21.0, 30.0], [26.0, 33.0]], tf.float64)  # door shut, open; air conditioning works, fails
    spread = tf.constant([[1.0, 2.5], [2.0, 2.5]], tf.float64)
    room = server_room()

    def temperature(door: Any, failure: Any) -> Any:
        cell = 2 * door + failure
        return tfd.Normal(tf.gather(tf.reshape(mean, [-1]), cell), tf.gather(tf.reshape(spread, [-1]), cell))

    return BayesianNetwork(
        {
            "O": room.conditionals["O"],
            "A": room.conditionals["A"],
            "S": room.conditionals["S"],
            "C": Conditional(temperature, ("O", "A")),
            "R": Conditional(lambda c: tfd.Normal(c, tf.constant(0.8, tf.float64)), ("C",)),
            "M": Conditional(lambda c: tfd.Bernoulli(logits=(c - 29.0) / 0.7), ("C",), states=BINARY),
            "L": Conditional(
                lambda c: tfd.Normal(40.0 + 6.0 * tf.nn.softplus(c - 27.0), tf.constant(4.0, tf.float64)), ("C",)
            ),
        }
    )


def two_measurements(first: float = 1.0, second: float = 1.0) -> BayesianNetwork:
    """The network of the assignment's 1.5: a standard normal z1, measured twice with these standard deviations.

            z1
           /  \\
          v    v
        x1      x2
    """
    from pgm_tfp.backend import tfd

    def measured(deviation: float) -> Conditional:
        return Conditional(lambda z: tfd.Normal(z, np.float64(deviation)), ("z1",))

    prior = Conditional(lambda: tfd.Normal(np.float64(0.0), np.float64(1.0)))
    return BayesianNetwork({"z1": prior, "x1": measured(first), "x2": measured(second)})


def assignment_markov_network() -> MarkovNetwork:
    """The assignment's Markov network (1.2). Its potentials are random, because the questions are about the graph.

    A - B ----- C - G - I
         \\    / |
          \\  /  |
           D -- E
            \\  /
             F - H
    """
    edges = "A-B B-C B-D C-D C-E D-E D-F E-F C-G F-H G-I"
    pairs = [(start, end) for start, end in (edge.split("-") for edge in edges.split())]
    return MarkovNetwork.from_edges(pairs, variables="ABCDEFGHI")


def assignment_bayesian_network() -> BayesianNetwork:
    """The assignment's Bayesian network (1.3). Its tables are random, because the questions are about the graph.

              x1
             /  \\
           x2    x3
          /  \\  /  \\
        x4    x5 -> x6
          \\        /
           +-> x7 <+

    All edges point downwards, except x5 -> x6, which points to the right.
    """
    children = {"x1": "x2 x3", "x2": "x4 x5", "x3": "x5 x6", "x5": "x6", "x4": "x7", "x6": "x7"}
    edges = [(parent, child) for parent, names in children.items() for child in names.split()]
    return BayesianNetwork.from_edges(edges, variables=[f"x{number}" for number in range(1, 8)])


def student() -> BayesianNetwork:
    """The student and the letter of recommendation (Koller & Friedman 2009, figure 3.4).

        difficulty (D)    intelligence (I)
                 \\        /         \\
                  v      v           v
                 grade (G)       SAT score (S)
                     |
                     v
                 letter (L)

    Grade 1 is the best. A letter is strong (True) or weak (False).
    """
    return BayesianNetwork(
        {
            "D": Table([0.6, 0.4], states=("easy", "hard")),
            "I": Table([0.7, 0.3], states=("low", "high")),
            "G": Table(
                [  # easy, hard
                    [[0.30, 0.40, 0.30], [0.05, 0.25, 0.70]],  # low intelligence
                    [[0.90, 0.08, 0.02], [0.50, 0.30, 0.20]],  # high intelligence
                ],
                parents=("I", "D"),
                states=(1, 2, 3),
            ),
            "S": Table.of_true([0.05, 0.8], parents=("I",)),
            "L": Table.of_true([0.9, 0.6, 0.01], parents=("G",)),
        }
    )


def burglary() -> BayesianNetwork:
    """The burglar alarm that earthquakes set off, too (Pearl 1988; numbers of Russell & Norvig 2010, figure 14.2).

        burglary (B)   earthquake (E)
                 \\      /
                  v    v
                 alarm (A)
                  /    \\
                 v      v
        John calls (J)  Mary calls (M)
    """
    return BayesianNetwork(
        {
            "B": Table.of_true(0.001),
            "E": Table.of_true(0.002),
            "A": Table.of_true([[0.001, 0.29], [0.94, 0.95]], parents=("B", "E")),
            "J": Table.of_true([0.05, 0.90], parents=("A",)),
            "M": Table.of_true([0.01, 0.70], parents=("A",)),
        }
    )


def sprinkler() -> BayesianNetwork:
    """Wet grass, caused by a sprinkler or by rain (Russell & Norvig 2010, figure 14.12).

               cloudy (C)
               /        \\
              v          v
        sprinkler (S)   rain (R)
              \\          /
               v        v
               wet grass (W)
    """
    return BayesianNetwork(
        {
            "C": Table.of_true(0.5),
            "S": Table.of_true([0.5, 0.1], parents=("C",)),
            "R": Table.of_true([0.2, 0.8], parents=("C",)),
            "W": Table.of_true([[0.0, 0.9], [0.9, 0.99]], parents=("S", "R")),
        }
    )


NETWORKS: dict[str, Callable[[], BayesianNetwork | MarkovNetwork]] = {
    "server_room": server_room,
    "student": student,
    "burglary": burglary,
    "sprinkler": sprinkler,
    "assignment_1_3": assignment_bayesian_network,
    "assignment_1_2": assignment_markov_network,
}
