"""The independencies that a graph asserts, with reasons, and the comparison of graphs by their independencies."""

from pgm_tfp.independence.directed import Node, TooManyTrailsError, Trail, d_separated, shortest_trails, trails
from pgm_tfp.independence.maps import (
    Verdict,
    i_equivalent,
    immoralities,
    independencies,
    is_i_map,
    is_minimal_i_map,
    is_perfect_map,
    local_independencies,
    markov_blanket,
    pairwise_independencies,
    without,
)
from pgm_tfp.independence.statements import Independence, closure, elementary
from pgm_tfp.independence.undirected import Separation, separated, separation

__all__ = [
    "Independence",
    "Node",
    "Separation",
    "TooManyTrailsError",
    "Trail",
    "Verdict",
    "closure",
    "d_separated",
    "elementary",
    "i_equivalent",
    "immoralities",
    "independencies",
    "is_i_map",
    "is_minimal_i_map",
    "is_perfect_map",
    "local_independencies",
    "markov_blanket",
    "pairwise_independencies",
    "separated",
    "separation",
    "shortest_trails",
    "trails",
    "without",
]
