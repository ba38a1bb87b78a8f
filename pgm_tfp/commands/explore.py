"""Open a page on this machine: observe variables, and every posterior moves."""

import argparse
from pathlib import Path

from common.installed import EXPLORER, require_packages
from pgm_tfp.catalogue import NETWORKS
from pgm_tfp.commands.shared import add_memory_limit, add_network, network_named


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    add_network(parser)
    add_memory_limit(parser)


def run(flags: argparse.Namespace) -> None:
    """Open a page on this machine: observe variables, and every posterior moves."""
    require_packages("python -m pgm_tfp explore", EXPLORER, "requirements-explore.txt")
    from common.page_server import serve
    from pgm_tfp.explorer.page import NetworkView
    from pgm_tfp.explorer.situation import opened

    network = network_named(flags.network)
    name = flags.network if flags.network in NETWORKS else Path(flags.network).name
    before = opened(network, name)
    serve(lambda: NetworkView(network, before, name).build(), "Network explorer")
