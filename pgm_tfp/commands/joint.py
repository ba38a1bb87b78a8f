"""Print the joint distribution, one row for each joint state."""

import argparse
import math

import numpy as np
from rich.table import Table

from common.errors import UserError
from pgm_tfp.commands.shared import add_memory_limit, add_network, network_named, show
from pgm_tfp.memory import counted

MOST_ROWS = 2**20  # in a printed table


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    add_network(parser)
    add_memory_limit(parser)


def run(flags: argparse.Namespace) -> None:
    """Print the joint distribution, one row for each joint state."""
    network = network_named(flags.network)
    count = math.prod(map(len, network.states.values()))
    if count > MOST_ROWS:
        raise UserError(f"a joint distribution of {counted(count)} rows is too long to print; query some variables")
    table = network.joint()
    rows = Table(*table.variables, f"P({', '.join(table.variables)})")
    states = [network.states[variable] for variable in table.variables]
    for index, probability in np.ndenumerate(table.values):
        rows.add_row(*(str(known[at]) for known, at in zip(states, index, strict=True)), f"{probability:.9f}")
    show(rows)
