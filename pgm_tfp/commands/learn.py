"""Learn a network's tables from a log."""

import argparse

from pgm_tfp.commands.shared import (
    add_log,
    add_memory_limit,
    add_network,
    add_out,
    add_seed,
    directed,
    load_tensorflow,
    print_section,
    working,
)
from pgm_tfp.observations import read_log


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    add_log(parser)
    parser.add_argument(
        "--prior-counts",
        type=float,
        default=1.0,
        metavar="A",
        help="times that each state counts as seen before the log; more pulls the tables towards uniform (default 1)",
    )
    add_network(parser)
    add_seed(parser)
    add_out(parser)
    add_memory_limit(parser)


def run(flags: argparse.Namespace) -> None:
    """Learn a network's tables from a log."""
    load_tensorflow()
    from pgm_tfp.learning_report import learn_tables, write_tables

    network = directed(flags.network)
    log = read_log(flags.log, network)
    with working("learning"):
        result = learn_tables(network, log.observed, flags.prior_counts, flags.seed)
    print_section(result.section, flags.out)
    write_tables(flags.out / "tables.csv", result.entries)
    print(f"written: {flags.out / 'tables.csv'}")
