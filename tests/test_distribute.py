"""Real processes that train one run together, on ports of this machine."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack

import numpy as np
import pytest

from tests.support import ROOT, run_python
from vae_keras.launch import free_ports
from vae_keras.run_folder import Run, read_history
from vae_keras.runs import load_run

SETTINGS = ["--data", "faces:40", "--image-size", "32", "--latent-dim", "4", "--batch-size", "9", "--seed", "3"]
SOON = 20.0  # seconds in which the others of a dead worker end: 10 for TensorFlow, and the end of a process


def start(workers, index, *arguments, cwd, script=("train.py",)):
    """A worker as its machine would start it."""
    config = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
    return subprocess.Popen(
        [sys.executable, str(ROOT / script[0]), *script[1:], "--distribute", "multiworker", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CONFIG": json.dumps(config)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
    )


def start_all(count, arguments, cwd):
    """Workers with the same flags, but for what `arguments` adds for each index."""
    workers = [f"127.0.0.1:{port}" for port in free_ports(count)]
    return workers, [start(workers, index, *arguments(index), cwd=cwd) for index in range(count)]


def ended(processes, timeout=120.0):
    """Exit status, standard output and standard error of each."""
    try:
        outputs = [process.communicate(timeout=timeout) for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [(process.returncode, out, error.strip()) for process, (out, error) in zip(processes, outputs, strict=True)]


def statuses(results):
    return [status for status, _, _ in results]


def weights(run):
    vae = load_run(run, "last")
    return [np.asarray(weight) for weight in (*vae.weights, *vae.optimizer.variables)]


def trained_alone(folder, *arguments):
    result = run_python(str(ROOT / "train.py"), *SETTINGS, *arguments, "--run", "alone", cwd=folder)
    assert result.returncode == 0, result.stderr
    return weights(folder / "alone")


def assert_equal_to_rounding(ours, others):
    for one, other in zip(ours, others, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


HARD = ["--epochs", "3", "--objective", "factor_vae", "--weight-averaging", "0.1", "--clipping", "2", "--flip"]


def test_two_processes_end_with_the_weights_of_one(tmp_path):
    launched = run_python("-m", "vae_keras.launch", "2", *SETTINGS, *HARD, "--run", str(tmp_path / "two"), cwd=ROOT)
    assert launched.returncode == 0, launched.stderr
    assert re.search(r"^worker 1: finished", launched.stdout, re.MULTILINE)
    assert_equal_to_rounding(weights(tmp_path / "two"), trained_alone(tmp_path, *HARD))
    for ours, others in zip(*(read_history(Run(tmp_path / name)) for name in ("two", "alone")), strict=True):
        assert ours == pytest.approx(others, rel=1e-4)


def test_a_killed_worker_ends_the_others_and_the_run_goes_on_with_another_number_of_workers(tmp_path):
    run = tmp_path / "run"
    settings = [*SETTINGS, "--epochs", "12"]
    workers, processes = start_all(2, lambda index: [*settings, "--run", "run"], tmp_path)
    while not (run / "checkpoints").is_dir() or not list((run / "checkpoints").glob("*.keras")):
        assert all(process.poll() is None for process in processes)
        time.sleep(0.02)
    os.kill(processes[1].pid, signal.SIGKILL)
    killed = time.monotonic()
    status, _, line = ended(processes)[0]
    assert time.monotonic() - killed < SOON
    assert status == 2
    assert line == f"train.py: worker 1 ({workers[1]}) is gone; start all workers again with --resume"
    workers = [f"127.0.0.1:{port}" for port in free_ports(3)]
    processes = [
        start(
            workers, index, "--resume", "--run", "run",
            cwd=tmp_path, script=("tests/trained_by_worker.py", f"{index}.npz"),
        )
        for index in range(3)
    ]  # fmt: skip
    assert statuses(ended(processes)) == [0, 0, 0]
    assert_equal_to_rounding(weights(run), trained_alone(tmp_path, "--epochs", "12"))
    of_workers = [np.load(tmp_path / f"{index}.npz") for index in range(3)]
    for name in of_workers[0].files:
        np.testing.assert_array_equal(of_workers[1][name], of_workers[0][name])
        np.testing.assert_array_equal(of_workers[2][name], of_workers[0][name])


def test_a_signal_to_one_worker_stops_all_after_the_epoch(tmp_path):
    _, processes = start_all(2, lambda index: [*SETTINGS, "--epochs", "5000", "--run", "run"], tmp_path)
    while not (tmp_path / "run" / "history.csv").exists():
        assert all(process.poll() is None for process in processes)
        time.sleep(0.02)
    processes[1].send_signal(signal.SIGTERM)
    results = ended(processes)
    assert statuses(results) == [0, 0]
    assert "stopped; go on with python train.py --resume" in results[0][1]
    assert "stopped" in results[1][1]


def one_line(text):
    """The line of an error, without what was said before about the images."""
    assert text.startswith("train.py: ")
    assert "\n" not in text
    return text


def test_an_error_of_worker_0_before_training_ends_the_others(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text("{}")
    workers, processes = start_all(2, lambda index: [*SETTINGS, "--run", "run"], tmp_path)
    results = ended(processes, timeout=30)
    assert statuses(results) == [2, 2]
    assert one_line(results[0][2]).startswith("train.py: run is a run already")
    assert one_line(results[1][2]).startswith(f"train.py: worker 0 ({workers[0]}) stopped: run is a run already")


def test_workers_with_other_settings_end_in_the_same_line(tmp_path):
    rates = ["0.001", "0.001", "0.002"]
    workers, processes = start_all(3, lambda index: [*SETTINGS, "--lr", rates[index], "--run", "run"], tmp_path)
    results = ended(processes)
    assert statuses(results) == [2, 2, 2]
    (line,) = {one_line(text) for _, _, text in results}
    assert f"worker 2 ({workers[2]}) has --lr 0.002, worker 0 ({workers[0]}) has 0.001" in line
    assert not (tmp_path / "run").exists()


def test_a_machine_with_one_device_is_refused_before_anything_is_written(tmp_path):
    result = run_python(str(ROOT / "train.py"), *SETTINGS, "--distribute", "mirrored", "--run", "run", cwd=tmp_path)
    assert result.returncode == 2
    assert "--distribute mirrored" in one_line(result.stderr.strip())
    assert not (tmp_path / "run").exists()


def test_float16_is_refused(tmp_path):
    arguments = ["--distribute", "mirrored", "--precision", "float16", "--run", "run"]
    result = run_python(str(ROOT / "train.py"), *SETTINGS, *arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert "--precision float16" in one_line(result.stderr.strip())


@pytest.mark.parametrize("missing", [0, 2])
def test_a_missing_worker_is_named_by_all_others(tmp_path, missing):
    workers = [f"127.0.0.1:{port}" for port in free_ports(3)]
    arguments = [*SETTINGS, "--wait", "5", "--run", "run"]
    processes = [start(workers, index, *arguments, cwd=tmp_path) for index in range(3) if index != missing]
    results = ended(processes)
    assert statuses(results) == [2, 2]
    for _, _, text in results:
        assert f"no word from worker {missing} ({workers[missing]}) in 5 s" in one_line(text)
    assert not (tmp_path / "run").exists()


def test_a_port_in_use_is_named_and_the_others_learn_that_this_worker_is_missing(tmp_path):
    with ExitStack() as stack:
        workers, servers = [], []
        for _ in range(2):
            servers.append(stack.enter_context(socket.create_server(("127.0.0.1", 0))))
            workers.append(f"127.0.0.1:{servers[-1].getsockname()[1]}")
        servers[0].close()
        processes = [start(workers, index, *SETTINGS, "--wait", "5", cwd=tmp_path) for index in range(2)]
        (_, _, missing), (_, _, busy) = results = ended(processes)
    assert statuses(results) == [2, 2]
    assert f"port {workers[1].split(':')[1]} of worker 1" in one_line(busy)
    assert f"no word from worker 1 ({workers[1]})" in one_line(missing)
