"""Training with one and with two workers of one core each: images a second, and what the second worker loses.

python -m benchmarks.scaling [SECONDS]

Each worker is a process on a core of its own with 32 images of each batch, so two workers train on batches of 64. One
worker alone is ordinary training, as is one process with both cores and batches of 64. They are measured in turns; the
result is the median of the rounds. The time of adding up the gradients is measured apart: the same number of bytes,
summed over both workers. The results go to benchmarks/scaling.json. The last table is a projection to more machines,
not a measurement: a step of two workers without the sum of their gradients, and rings of N machines. A ring sends
2 (N - 1) / N times the bytes through each network card, in 2 (N - 1) rounds (Patarasuk & Yuan 2009, section 3).
"""

import json
import os
import statistics
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from benchmarks.tables import markdown_table

SIDE, ROWS = 64, 32
NETWORKS = {
    "table": {"architecture": "table", "channels": 1, "likelihood": "bernoulli"},
    "residual": {"architecture": "residual", "channels": 3, "likelihood": "learned_gaussian"},
}
ROUNDS, SECONDS, WARM_UP = 3, 8.0, 5
MACHINES = (2, 4, 16, 64)
MESSAGES = 4  # of a step: the gradients, the latents and terms of the batch, and twice how many rows each worker has
BYTES_A_SECOND, LATENCY = 10e9 / 8, 50e-6  # of a network card with 10 Gbit/s, and of a message in a data centre
DATA_SETS = {"CelebA": 202_599, "FFHQ": 70_000}
RESULTS = Path(__file__).with_suffix(".json")


def measure(network: str, seconds: float, rows: int) -> None:
    """In a worker: train for some seconds, and print images a second, bytes of gradients and seconds of their sum.

    Args:
        rows: in a batch of all workers.
    """
    from vae_keras.cluster import read_cluster
    from vae_keras.command_line import start_tensorflow

    start_tensorflow()
    import keras
    import numpy as np
    import tensorflow as tf

    import vae_keras
    from data.pipelines import training_batches
    from vae_keras.distributed import Devices, multi_worker
    from vae_keras.replicas import all_sum

    devices = multi_worker(read_cluster()) if "TF_CONFIG" in os.environ else Devices()
    settings = dict(NETWORKS[network])
    shape = (SIDE, SIDE, settings.pop("channels"))
    with devices.scope():
        vae = vae_keras.build_vae(shape, 24, **settings)
        vae.compile(keras.optimizers.Adam(1e-4), jit_compile=False)
        vae.optimizer.build(vae.trainable_variables)
    devices.prepare(vae)
    vae.make_train_function()
    images = np.random.default_rng(0).integers(0, 256, (512, *shape), np.uint8)
    batches = iter(devices.batches(lambda share: training_batches(images, rows, 0, 10_000, share=share)))
    if devices.count == 1:
        step, data = tf.function(vae.train_step, reduce_retracing=True), batches
        batches = iter(lambda: next(data), None)
    else:
        step = None
    taken, begun = 0, 0.0
    while True:
        if taken == WARM_UP:
            begun = time.perf_counter()
        vae.train_function(batches) if step is None else step(next(batches))
        taken += 1
        # All workers have to take the same number of steps, so worker 0 decides.
        over = taken > WARM_UP and time.perf_counter() - begun > seconds
        if taken % 10 == 0 and devices.any_asks(over and devices.is_chief):
            break
    rate = (taken - WARM_UP) * rows / (time.perf_counter() - begun)
    size = 4 * sum(int(np.prod(weight.shape)) for weight in vae.trainable_variables)
    summing = 0.0
    if devices.count > 1:
        values = tf.zeros(size // 4)
        total = tf.function(lambda: devices.strategy.run(all_sum, args=(values,)))
        total()
        begun = time.perf_counter()
        for _ in range(20):
            total()
        summing = (time.perf_counter() - begun) / 20
    print(json.dumps({"rate": rate, "bytes": size, "summing": summing}), flush=True)


def workers(count: int, network: str, seconds: float, cores: int = 1) -> dict[str, float]:
    """The numbers of worker 0, with so many workers, each on cores of its own."""
    from vae_keras.launch import environment, free_ports

    addresses = [f"127.0.0.1:{port}" for port in free_ports(count)]
    processes = []
    for index in range(count):
        cluster = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        own = environment((os.cpu_count() or 1) // cores)
        processes.append(
            subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "benchmarks.scaling",
                    "--worker",
                    network,
                    str(seconds),
                    str(ROWS * count * cores),
                ],
                env={**own, "TF_CONFIG": json.dumps(cluster)} if count > 1 else own,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        if hasattr(os, "sched_setaffinity"):
            every = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(processes[-1].pid, {every[(index + core) % len(every)] for core in range(cores)})
    outputs = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        raise SystemExit("a worker failed")
    return json.loads(outputs[0].splitlines()[-1])


def projected(row: dict[str, float], machines: int) -> float:
    """Images a second of so many machines, from the numbers of two workers."""
    step = 2 * ROWS / row["images a second, two workers"] - row["milliseconds of summing gradients"] / 1000
    rounds = 2 * (machines - 1)
    ring = rounds / machines * 1e6 * row["megabytes of gradients"] / BYTES_A_SECOND + MESSAGES * rounds * LATENCY
    return machines * ROWS / (step + ring)


def measured_table(results: dict[str, dict[str, float]]) -> str:
    """The table of the documentation."""
    columns = list(next(iter(results.values())))
    rows = ([name, *(f"{row[column]:,}" for column in columns)] for name, row in results.items())
    return markdown_table(["network", *columns], rows)


def projected_table(results: dict[str, dict[str, float]]) -> str:
    """The projection to more machines, for the documentation."""
    epochs = [f"an epoch of {name} ({count:,} images)" for name, count in DATA_SETS.items()]
    rows = []
    for name, row in results.items():
        for machines in MACHINES:
            rate = projected(row, machines)
            times = (f"{timedelta(seconds=round(count / rate))}" for count in DATA_SETS.values())
            rows.append([name, str(machines), f"{rate:,.0f}", *times])
    return markdown_table(["network", "machines", "images a second", *epochs], rows)


def main() -> None:
    """Measure both networks, print the projections, write the results."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    results = {}
    for network in NETWORKS:
        rounds = [
            (workers(1, network, seconds), workers(2, network, seconds), workers(1, network, seconds, cores=2))
            for _ in range(ROUNDS)
        ]
        alone, both, wide = (statistics.median(turn[place]["rate"] for turn in rounds) for place in range(3))
        summing = statistics.median(two["summing"] for _, two, _ in rounds)
        size = int(rounds[0][1]["bytes"])
        results[network] = {
            "images a second, one worker": round(alone, 1),
            "images a second, two workers": round(both, 1),
            "share lost by two": round(1 - both / (2 * alone), 3),
            "images a second, one process with both cores": round(wide, 1),
            "megabytes of gradients": round(size / 1e6, 2),
            "milliseconds of a step of one worker": round(1000 * ROWS / alone, 1),
            "milliseconds of summing gradients": round(1000 * summing, 1),
        }
    print(measured_table(results))
    print(f"projected, not measured:\n{projected_table(results)}")
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        measure(sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
