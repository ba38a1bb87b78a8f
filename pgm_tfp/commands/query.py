"""Print the probabilities of some variables given findings about others."""

import argparse
import math
from time import monotonic

from rich.table import Table

from common.command_line import folder_path
from common.errors import UserError
from pgm_tfp import approximate, exact
from pgm_tfp.commands.shared import add_memory_limit, add_network, add_out, network_named, save, show, working
from pgm_tfp.exact import Network
from pgm_tfp.network_files import read_evidence_file
from pgm_tfp.networks import BayesianNetwork
from pgm_tfp.notation import Query, read_query, written
from pgm_tfp.plots import probability_bars
from pgm_tfp.results import LogEvidence


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument("query", help='variables and findings, such as "A | M=1, S=0"')
    parser.add_argument(
        "--evidence",
        type=folder_path,
        metavar="FILE",
        help="a UAI evidence file (.evid) with more findings, for a network from a UAI file",
    )
    parser.add_argument(
        "--method",
        choices=approximate.METHODS,
        help="an approximate method, for a network that is too large for an exact answer (default: exact)",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        metavar="S",
        help="with --method: the time to use (default: until the standard errors are at most 0.005, or about 10 s)",
    )
    parser.add_argument("--seed", type=int, metavar="N", help="with --method: the seed of random numbers (default 0)")
    add_network(parser)
    add_out(parser)
    add_memory_limit(parser)


def run(flags: argparse.Namespace) -> None:
    """Print the probabilities of some variables given findings about others."""
    for name in ("seconds", "seed"):
        if flags.method is None and getattr(flags, name) is not None:
            raise UserError(f"--{name} is for approximate answers; add --method {approximate.DEFAULT}, or leave it out")
    network = network_named(flags.network)
    asked = read_query(network, flags.query)
    if flags.evidence:
        findings = read_evidence_file(flags.evidence, network)
        if twice := [name for name in findings if name in asked.evidence]:
            raise UserError(f"{twice[0]} is in the query and in --evidence {flags.evidence}; leave it out of one")
        asked = asked._replace(evidence={**asked.evidence, **findings})
    if flags.method:
        _approximate(network, asked, flags)
        return
    try:
        _exact(network, asked, flags)
    except exact.TooLargeError as reason:
        method = approximate.DEFAULT if isinstance(network, BayesianNetwork) else "gibbs"
        raise exact.TooLargeError(f"{reason}; for an approximate answer pass --method {method}") from reason


def _exact(network: Network, asked: Query, flags: argparse.Namespace) -> None:
    given = _given(asked)
    table = Table(*asked.variables, f"P({', '.join(asked.variables)}{given})")
    for states, probability in exact.joint_marginal(network, asked.variables, asked.evidence).items():
        table.add_row(*map(str, states), f"{probability:.6f}")
    show(table)
    if not asked.evidence:
        return
    nats = exact.log_evidence(network, asked.evidence)
    print(f"P({written(asked.evidence)}) = {math.exp(nats):.6g}, log evidence {nats:.6f} nats")
    situations = {
        name: {variable: exact.marginal(network, variable, evidence) for variable in asked.variables}
        for name, evidence in (("nothing seen", {}), (written(asked.evidence), asked.evidence))
    }
    caption = "Exact probabilities before and after the evidence."
    save(probability_bars(situations, f"{', '.join(asked.variables)}{given}", caption), flags.out / "query.png")


def _approximate(network: Network, asked: Query, flags: argparse.Namespace) -> None:
    found = _inferred(network, asked, flags)
    if not found.converged:
        raise approximate.unreliable(found)
    given = _given(asked)
    for variable in asked.variables:
        table = Table(variable, f"P({variable}{given})", "standard error")
        errors = found.standard_error(variable)
        for state, probability in found.marginal(variable).items():
            table.add_row(str(state), f"{probability:.6f}", _error(errors[state]))
        show(table)
    print(f"by {flags.method}: {found.work}")
    if asked.evidence:
        print(f"log evidence {_in_words(found.log_evidence)}")
    elif not isinstance(network, BayesianNetwork):
        print(f"log Z {_in_words(found.log_weight)}")
    situations = {
        written(asked.evidence) or "nothing seen": {name: dict(found.marginal(name)) for name in asked.variables}
    }
    largest = found.largest_error(asked.variables)
    said = "their errors are unknown" if math.isnan(largest) else f"standard errors of at most {largest:.1g}"
    caption = f"Approximate probabilities by {flags.method}; {said}."
    save(probability_bars(situations, f"{', '.join(asked.variables)}{given}", caption), flags.out / "query.png")


def _inferred(network: Network, asked: Query, flags: argparse.Namespace) -> approximate.Approximation:
    """The last answer of the method; Ctrl-C ends it and keeps the answer so far."""
    started, last = monotonic(), None
    better = approximate.answers(
        network, asked.evidence, flags.method, asked.variables, seed=flags.seed or 0, seconds=flags.seconds
    )
    try:
        with working(flags.method) as status:
            for answer in better:
                last = answer
                status.update(f"{flags.method}: {answer.work}; Ctrl-C shows the answer so far")
    except KeyboardInterrupt:
        if last is None:
            raise
        print(f"stopped by Ctrl-C after {monotonic() - started:.1f} s")
    assert last is not None  # every method yields an answer or raises
    return last


def _given(asked: Query) -> str:
    return f" | {written(asked.evidence)}" if asked.evidence else ""


def _error(error: float) -> str:
    if math.isnan(error):
        return "unknown"
    return f"{error:.6f}" if error else "exact"


def _in_words(log_evidence: LogEvidence) -> str:
    kind, value, error = log_evidence
    if kind == "known":
        return f"{value:.6f} nats"
    if kind == "estimated":
        return f"{value:.6f} nats, standard error {error:.2g}"
    if kind == "bounded":
        return f"at least {value:.6f} nats" + (f", at most {value + error:.6f}" if math.isfinite(error) else "")
    return "is not known by this method"
