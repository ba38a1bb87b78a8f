"""Graphical models: networks, independence with reasons, and exact inference.

Modules are loaded when a name is first used. So `python -m pgm_tfp` can report missing packages before it imports them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pgm_tfp import approximate, catalogue, exact, independence, markov
    from pgm_tfp.conditionals import Conditional, Table
    from pgm_tfp.markov import MarkovNetwork
    from pgm_tfp.networks import BayesianNetwork
    from pgm_tfp.potentials import Potential

_MODULES = ("approximate", "catalogue", "exact", "independence", "markov")
_HOMES = {
    "BayesianNetwork": "networks",
    "Conditional": "conditionals",
    "MarkovNetwork": "markov",
    "Potential": "potentials",
    "Table": "conditionals",
}

__all__ = [
    "BayesianNetwork",
    "Conditional",
    "MarkovNetwork",
    "Potential",
    "Table",
    "approximate",
    "catalogue",
    "exact",
    "independence",
    "markov",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
