"""Write a log of draws from a network."""

import argparse

from common.command_line import check_file
from common.errors import UserError
from pgm_tfp import exact
from pgm_tfp.commands.shared import add_log, add_memory_limit, add_network, add_seed, directed
from pgm_tfp.memory import check_memory, counted
from pgm_tfp.observations import write_log

SIMULATED = 150  # bytes that a simulated cell takes in memory, as a number, as a state and in lists


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    add_log(parser)
    add_network(parser)
    parser.add_argument("--rows", type=int, default=1_000, metavar="N", help="rows to write (default 1000)")
    parser.add_argument(
        "--blank", type=float, default=0.0, metavar="SHARE", help="the share of cells left blank (default 0)"
    )
    parser.add_argument("--hide", default="", metavar="NAMES", help="variables that get no column, such as T,A")
    add_seed(parser)
    add_memory_limit(parser)


def run(flags: argparse.Namespace) -> None:
    """Write a log of draws from a network."""
    from pgm_tfp.learning import blanked

    check_file(flags.log, "the log")
    network = directed(flags.network)
    hidden = [name.strip() for name in flags.hide.split(",") if name.strip()]
    exact.check_variables(network, hidden)
    if len(hidden) == len(network.conditionals):
        raise UserError("--hide names every variable; leave out one")
    check_memory(
        f"--rows {counted(flags.rows)}", flags.rows * len(network.conditionals) * SIMULATED, "simulate fewer rows"
    )
    columns = {name: column.tolist() for name, column in network.sample(flags.rows, flags.seed).items()}
    seen = {name: column for name, column in columns.items() if name not in hidden}
    write_log(flags.log, blanked(seen, flags.blank, flags.seed))
    print(f"{flags.log}: {flags.rows:,} rows of {', '.join(seen)}")
