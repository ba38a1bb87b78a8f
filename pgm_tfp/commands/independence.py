"""Say whether a network's graph asserts an independence, and why."""

import argparse

from pgm_tfp import exact
from pgm_tfp.commands.shared import add_memory_limit, add_network, add_out, network_named, save
from pgm_tfp.independence import Independence
from pgm_tfp.independence.explanation import explained
from pgm_tfp.plots import graph_panels
from pgm_tfp.plots.independence_panels import panels_of

MOST_PANELS = 12  # in one figure


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument("statement", help='an independence, such as "S _|_ M | O"')
    add_network(parser)
    add_out(parser)
    add_memory_limit(parser)


def run(flags: argparse.Namespace) -> None:
    """Say whether a network's graph asserts an independence, and why."""
    network, statement = network_named(flags.network), Independence.parse(flags.statement)
    print("\n".join(explained(network, statement)))
    given = f" | {', '.join(sorted(statement.given))}" if statement.given else ""
    try:
        nats = exact.conditional_mutual_information(network, statement.x, statement.y, statement.given)
        information = f"I({', '.join(sorted(statement.x))}; {', '.join(sorted(statement.y))}{given}) = {nats:.6f} nats"
    except exact.TooLargeError as reason:  # the graph's answer stands without the numbers
        information = f"not computed: {reason}"
    print(f"in numbers: {information}")
    caption = "Grey: observed variables. Blue: an active trail. Orange: a blocked trail; the thick circles block it."
    panels = panels_of(network, statement)
    if len(panels) > MOST_PANELS:
        caption += f" Shown are {MOST_PANELS} of {len(panels)} trails, active trails first."
    save(graph_panels(panels[:MOST_PANELS], statement.symbols(), caption), flags.out / "independence.png")
