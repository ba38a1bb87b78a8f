"""Approximate inference: do its intervals hold, how fast is it beside two baselines, and how far does it reach?

python -m benchmarks.approximate_inference calibration|baselines|large|engines [SEEDS]

calibration: on known networks with two findings, 200 seeds for each sampler: how often the interval of each probability
    has the exact value. Finished cells are in benchmarks/approximate_inference.json and are not computed again; the
    figure docs/images/calibration.png comes from this file.
baselines: the error of all probabilities after a given time, beside pgmpy's likelihood weighting and pyAgrum's samplers
    and loopy propagation, each in the same run on the same tables. Run it beside nothing else.
large: networks that exact inference refuses, and a grid that it just solves: seconds, and what each method says.
engines: the time of a Gibbs sweep in NumPy and in TensorFlow, on the same arrays.
"""

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table as Printed
from scipy.stats import norm

from benchmarks.exact_inference import load, pyagrum_engine
from benchmarks.limited import Outcome, run_limited
from benchmarks.tables import markdown_table
from common.errors import UserError
from common.figures import COLOURS, open_axes, title_and_caption
from common.files import atomic_write, read_json, write_text
from pgm_tfp import BayesianNetwork, MarkovNetwork, Table, catalogue, exact
from pgm_tfp.approximate import METHODS, Approximation, gibbs, infer
from pgm_tfp.approximate.approximation import question as question_of
from pgm_tfp.exact import Network

RESULTS = Path(__file__).with_name("approximate_inference.json")
FIGURE = Path(__file__).parent.parent / "docs" / "images" / "calibration.png"
SAMPLERS = ("likelihood_weighting", "gibbs")
KNOWN = ("server room", "asia", "cancer", "child", "alarm", "insurance")
SEEDS = 200
ERROR = 0.01  # the standard error at which a sampler stops in the calibration
LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
COMMON = (0.01, 0.99)  # probabilities between these are neither rare nor nearly certain
COMPARED = ("child", "alarm")
TIMES = (0.3, 3.0)  # seconds
MOST_SECONDS, GIGABYTES = 120.0, 8.0  # limits of a baseline
GRID_SIDE, EXACT_SIDE, FOUR_PARENTS, CHILDREN = 30, 15, 200, 5_000
COUPLINGS = (0.1, 0.5, 2.0)
FIELD = 0.1
SWEEPS = 200

Evidence = dict[str, Any]
Answers = dict[str, list[float]]  # for each variable the probabilities of its states


def question(name: str) -> tuple[BayesianNetwork, Evidence]:
    """A known network, and the states of two leaves in one draw of it."""
    if name == "server room":
        return catalogue.server_room(), {"M": True, "S": False}
    network = load(name)
    drawn = network.sample(1, seed=3)
    leaves = [variable for variable in network.graph if not network.graph.out_degree(variable)][:2]
    return network, {variable: drawn[variable].tolist()[0] for variable in leaves}


def calibrate(name: str, method: str, seeds: int) -> dict[str, Any]:
    """How many intervals of a sampler hold the exact probability, by nominal level."""
    network, evidence = question(name)
    expected, scores, common, vouched, doubt = exact.marginals(network, evidence), [], [], 0, ""
    for seed in range(seeds):
        try:
            found = infer(network, evidence, method, seed=seed, error=ERROR)
        except UserError as reason:
            return {"seeds": seeds, "vouched": 0, "doubt": str(reason)}
        if not found.converged:
            doubt = found.doubt
            continue
        vouched += 1
        for variable, states in expected.items():
            for state, probability in states.items():
                error = found.standard_error(variable)[state]
                if error > 0.0 and 0.0 < probability < 1.0:
                    scores.append(abs(found.marginal(variable)[state] - probability) / error)
                    common.append(COMMON[0] < probability < COMMON[1])
    within = np.array(scores)[:, None] < norm.ppf(0.5 + np.array(LEVELS) / 2) if scores else np.zeros((0, len(LEVELS)))
    return {
        "seeds": seeds,
        "vouched": vouched,
        "doubt": doubt,
        "intervals": len(scores),
        "held": within.mean(0).tolist() if scores else [],
        "common": int(np.sum(common)),
        "held_common": within[np.array(common)].mean(0).tolist() if any(common) else [],
    }


def calibration(seeds: int) -> None:
    """Compute the cells that are missing, and print and draw all of them."""
    results: dict[str, Any] = read_json(RESULTS) if RESULTS.exists() else {}
    for name in KNOWN:
        for method in SAMPLERS:
            if results.get(f"{name}/{method}", {}).get("seeds", 0) >= seeds:
                continue
            started = time.perf_counter()
            cell = calibrate(name, method, seeds)
            cell["seconds"] = (time.perf_counter() - started) / seeds
            results[f"{name}/{method}"] = cell
            write_text(RESULTS, json.dumps(results, indent=1) + "\n")
    print(markdown_of(results))
    with atomic_write(FIGURE) as temporary:
        figure_of(results).savefig(temporary, dpi=150)


def markdown_of(results: dict[str, Any]) -> str:
    """The table of the docs: how often intervals of 95 % hold."""
    headings = ("network", "method", "runs that answer", "95 % intervals that hold", "of those for 0.01 < p < 0.99")
    rows = []
    at = LEVELS.index(0.95)
    for name in KNOWN:
        for method in SAMPLERS:
            cell = results.get(f"{name}/{method}")
            if not cell:
                continue
            held = f"{100 * cell['held'][at]:.1f} % of {cell['intervals']:,}" if cell.get("held") else "-"
            common = f"{100 * cell['held_common'][at]:.1f} % of {cell['common']:,}" if cell.get("held_common") else "-"
            rows.append((name, f"`{method}`", f"{cell['vouched']} of {cell['seeds']}", held, common))
    return markdown_table(headings, rows)


def figure_of(results: dict[str, Any]) -> Figure:
    """The share of intervals that hold the exact probability, against the share that should."""
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    for axes, method in zip(figure.subplots(1, 2, sharey=True), SAMPLERS, strict=True):
        axes.plot([0.45, 1], [0.45, 1], color="#888888", linewidth=1, label="as often as they should")
        for name, colour in zip(KNOWN, COLOURS, strict=False):
            cell = results.get(f"{name}/{method}", {})
            if cell.get("held_common"):
                axes.plot(LEVELS, cell["held_common"], "o-", color=colour, markersize=4, linewidth=1.2, label=name)
        open_axes(axes, "both")
        axes.set_title(method, fontsize=10)
        axes.set_xlabel("nominal level of the interval")
        axes.legend(fontsize=8, loc="upper left")
    figure.axes[0].set_ylabel("share of intervals that hold the exact value")
    title_and_caption(
        figure,
        "Intervals of the samplers hold about as often as they say",
        f"Probabilities between {COMMON[0]} and {COMMON[1]} of all hidden variables, two findings, {SEEDS} seeds.",
    )
    return figure


def ours(network: BayesianNetwork, evidence: Evidence, seconds: float, method: str) -> Answers:
    """All probabilities by one of our methods, after so many seconds."""
    found = infer(network, evidence, method, seconds=seconds)
    return {name: [*found.marginal(name).values()] for name in network.states}


def of_pyagrum(network: BayesianNetwork, evidence: Evidence, seconds: float, engine: str) -> Answers:
    """All probabilities by one of pyAgrum's approximate engines, with a limit on its time."""
    import pyagrum

    owner = pyagrum_engine(network)  # the network lives as long as this engine
    asked = getattr(pyagrum, engine)(owner.BN())
    asked.setMaxTime(seconds)
    asked.setEpsilon(1e-9)
    asked.setMinEpsilonRate(1e-9)
    asked.setEvidence({name: network.state_index(name, state) for name, state in evidence.items()})
    asked.makeInference()
    return {name: asked.posterior(name).toarray().tolist() for name in network.states}


def of_pgmpy(network: BayesianNetwork, evidence: Evidence, seconds: float) -> Answers:
    """All probabilities by pgmpy's likelihood weighting, in batches until the time is over."""
    from pgmpy.factors.discrete import State
    from pgmpy.sampling import BayesianModelSampling

    sampler, weights = (
        BayesianModelSampling(network.to_pgmpy()),
        {n: np.zeros(len(s)) for n, s in network.states.items()},
    )
    findings, started, seed = [State(*pair) for pair in evidence.items()], time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        drawn = sampler.likelihood_weighted_sample(evidence=findings, size=2_000, seed=seed, show_progress=False)
        seed += 1
        for name, states in network.states.items():
            for at, state in enumerate(states):
                weights[name][at] += drawn["_weight"][drawn[name] == state].sum()
    return {name: (row / row.sum()).tolist() for name, row in weights.items()}


BASELINES: dict[str, Callable[[BayesianNetwork, Evidence, float], Answers]] = {
    "pgmpy, likelihood weighting": of_pgmpy,
    **{
        f"pyAgrum, {engine}": partial(of_pyagrum, engine=engine)
        for engine in ("WeightedSampling", "ImportanceSampling", "GibbsSampling", "LoopyBeliefPropagation")
    },
}


def timed(answer: Callable[[BayesianNetwork, Evidence, float], Answers], name: str, seconds: float) -> dict[str, Any]:
    """The answers about a known network, and the seconds that they took."""
    network, evidence = question(name)
    started = time.perf_counter()
    answers = answer(network, evidence, seconds)
    return {"answers": answers, "seconds": time.perf_counter() - started}


def baselines() -> None:
    """Print the largest and the mean error of all probabilities, by method and time; baselines in own processes."""
    printed = Printed("network", "method", *(f"{seconds:g} s: largest, mean error (time)" for seconds in TIMES))
    for name in COMPARED:
        network, evidence = question(name)
        expected = {variable: [*states.values()] for variable, states in exact.marginals(network, evidence).items()}
        rows: dict[str, list[Outcome]] = {}
        for method in ("likelihood_weighting", "gibbs", "loopy"):
            try:
                outcomes = [Outcome(timed(partial(ours, method=method), name, seconds), "") for seconds in TIMES]
            except UserError as reason:
                outcomes = [Outcome(None, str(reason))]
            rows[f"ours, {method}"] = outcomes
        for method in BASELINES:
            command = [sys.executable, "-W", "ignore", "-m", "benchmarks.approximate_inference", "answer", method, name]
            rows[method] = [run_limited([*command, str(seconds)], MOST_SECONDS, GIGABYTES) for seconds in TIMES]
        for method, outcomes in rows.items():
            cells = [outcome.reason if outcome.answer is None else _errors(outcome, expected) for outcome in outcomes]
            printed.add_row(name, method, *cells)
    Console(width=200).print(printed)


def _errors(outcome: Outcome, expected: Answers) -> str:
    found, seconds = outcome.answer["answers"], outcome.answer["seconds"]
    errors = np.concatenate([np.abs(np.subtract(found[name], known)) for name, known in expected.items()])
    return f"{errors.max():.4f}, {errors.mean():.5f} ({seconds:.1f} s)"


def grid(side: int, coupling: float, mixed: bool, seed: int = 0) -> MarkovNetwork:
    """A square of binary variables with weak random fields; couplings of one sign, or of both at random."""
    random, potentials = np.random.default_rng(seed), {}
    for row in range(side):
        for column in range(side):
            here = f"{row},{column}"
            potentials[here,] = np.exp(FIELD * random.normal() * np.array([-1, 1]))
            for down, right in ((0, 1), (1, 0)):
                if row + down < side and column + right < side:
                    sign = random.choice([-1, 1]) if mixed else 1
                    weights = np.exp(sign * coupling * np.array([[1, -1], [-1, 1]]))
                    potentials[here, f"{row + down},{column + right}"] = weights
    return MarkovNetwork(potentials)


def of_four_parents(count: int) -> tuple[BayesianNetwork, Evidence]:
    """Binary variables with four random parents each, and three of the last ones seen."""
    random, tables = np.random.default_rng(0), {}
    for place in range(count):
        parents = [f"x{at}" for at in random.choice(place, min(place, 4), replace=False)] if place else []
        tables[f"x{place}"] = Table.of_true(random.uniform(0.05, 0.95, (2,) * len(parents)), parents)
    return BayesianNetwork(tables), {f"x{count - back}": True for back in (1, 5, 10)}


def one_cause(children: int) -> tuple[BayesianNetwork, Evidence]:
    """One binary cause of many children, and one in fifty of them seen."""
    random = np.random.default_rng(0)
    tables = {f"c{at}": Table.of_true(random.uniform(0.3, 0.7, 2), ["cause"]) for at in range(children)}
    return BayesianNetwork({"cause": Table.of_true(0.4), **tables}), {f"c{at}": True for at in range(0, children, 50)}


def large() -> None:
    """Print what each method says about large networks, and after how many seconds."""
    cases: list[tuple[str, Network, Evidence]] = [
        (f"{FOUR_PARENTS} variables of four parents", *of_four_parents(FOUR_PARENTS)),
        (f"{CHILDREN:,} children of one cause", *one_cause(CHILDREN)),
    ]
    for side in (EXACT_SIDE, GRID_SIDE):
        for coupling in COUPLINGS:
            for mixed in (False, True):
                signs = "of both signs" if mixed else "of one sign"
                cases.append((f"{side} x {side}, couplings {coupling:g} {signs}", grid(side, coupling, mixed), {}))
    printed = Printed("network", "method", "seconds", "largest standard error", "log (p(evidence) Z)", "doubt")
    for name, network, evidence in cases:
        for method in METHODS:
            if method == "likelihood_weighting" and isinstance(network, MarkovNetwork):
                continue
            started = time.perf_counter()
            found = infer(network, evidence, method)
            taken = time.perf_counter() - started
            error = found.largest_error()
            printed.add_row(
                name,
                method,
                f"{taken:.1f}",
                "unknown" if np.isnan(error) else f"{error:.4f}",
                _weight(found),
                found.doubt,
            )
        if isinstance(network, MarkovNetwork) and name.startswith(f"{EXACT_SIDE} x"):
            printed.add_row(name, "exact", "", "", f"{network.log_partition:.3f}", "")
    Console(width=200).print(printed)


def engines() -> None:
    """Print the time of one Gibbs sweep of a grid in NumPy and in TensorFlow, medians of many."""
    import tensorflow as tf

    network = grid(EXACT_SIDE, 0.5, mixed=True)
    sampler, random = gibbs.compiled(question_of(network)), np.random.default_rng(0)
    start = random.integers(2, size=(EXACT_SIDE**2, gibbs.CHAINS))
    weights = tf.constant(sampler.log_weights)

    def steps_in_numpy(codes: np.ndarray) -> None:
        for sweep in sampler.sweeps:
            gibbs.draw(sampler, sweep, codes, random)

    @tf.function
    def steps_in_tensorflow(codes: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        for number, sweep in enumerate(sampler.sweeps):
            rows, columns = sweep.strides.nonzero()
            strided = tf.gather(codes, columns) * sweep.strides.data[:, None]
            moved = tf.math.unsorted_segment_sum(strided, rows, len(sweep.offsets))
            places = (moved + sweep.offsets[:, None])[:, None] + sweep.shifts[:, :, None]
            owners = np.repeat(np.arange(len(sweep.blocks)), np.diff([*sweep.first, len(sweep.offsets)]))
            logits = tf.math.segment_sum(tf.gather(weights, places), owners)
            cumulative = tf.cumsum(tf.exp(logits - tf.reduce_max(logits, 1, keepdims=True)), 1)
            uniform = tf.random.stateless_uniform((len(sweep.blocks), 1, gibbs.CHAINS), seed + number, dtype=tf.float64)
            chosen = tf.reduce_sum(tf.cast(cumulative[:, :-1] <= uniform * cumulative[:, -1:], tf.int64), 1)
            codes = tf.tensor_scatter_nd_update(codes, sweep.members[:, None], chosen)
        return codes

    taken: dict[str, list[float]] = {"NumPy": [], "TensorFlow": []}
    codes, tensor = start.copy(), tf.constant(start)
    for number in range(SWEEPS + 1):
        started = time.perf_counter()
        steps_in_numpy(codes)
        taken["NumPy"].append(time.perf_counter() - started)
        started = time.perf_counter()
        tensor = steps_in_tensorflow(tensor, tf.constant([number, 0]))
        taken["TensorFlow"].append(time.perf_counter() - started)
    numpy, tensorflow = (median(times[1:]) for times in taken.values())  # the first call traces the graph
    print(
        f"a Gibbs sweep of {EXACT_SIDE} x {EXACT_SIDE}, {gibbs.CHAINS} chains: NumPy {1000 * numpy:.2f} ms, TensorFlow "
        f"{tensorflow / numpy:.2f} times as long; mean states {codes.mean():.3f} and {tensor.numpy().mean():.3f}"
    )


def _weight(found: Approximation) -> str:
    kind, value, error = found.log_weight
    if kind == "bounded":
        return f"{value:.3f} to {value + error:.3f}"
    return {"unknown": "unknown", "known": f"{value:.3f}"}.get(kind, f"{value:.3f}, standard error {error:.3f}")


def main() -> None:
    """Run one part, or all."""
    part = sys.argv[1] if len(sys.argv) > 1 else "all"
    if part == "answer":  # in the process of a baseline
        _, _, method, name, seconds = sys.argv
        print(json.dumps(timed(BASELINES[method], name, float(seconds))))
        return
    if part in ("all", "calibration"):
        calibration(int(sys.argv[2]) if len(sys.argv) > 2 else SEEDS)
    if part in ("all", "baselines"):
        baselines()
    if part in ("all", "large"):
        large()
    if part in ("all", "engines"):
        engines()


if __name__ == "__main__":
    main()
