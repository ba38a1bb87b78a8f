"""Write the posterior of every variable for each row of a log."""

import argparse

from common.command_line import check_file, folder_path
from common.errors import UserError
from pgm_tfp.commands.shared import add_log, add_memory_limit, add_network, network_named
from pgm_tfp.diagnosis import diagnosed, write_diagnosis
from pgm_tfp.observations import read_log


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    add_log(parser)
    add_network(parser)
    parser.add_argument(
        "--out", type=folder_path, metavar="FILE", help="the CSV file to write (default: LOG_posteriors.csv)"
    )
    add_memory_limit(parser)


def run(flags: argparse.Namespace) -> None:
    """Write the posterior of every variable for each row of a log."""
    network = network_named(flags.network)
    out = flags.out or flags.log.with_name(f"{flags.log.stem}_posteriors.csv")
    check_file(out, "--out")
    log = read_log(flags.log, network)
    if out.resolve() == flags.log.resolve():
        raise UserError(f"--out {out} is the log itself; name another file")
    write_diagnosis(out, log, network, diagnosed(log, network))
    print(f"{out}: {len(log.rows):,} rows, observed: {', '.join(log.observed)}")
