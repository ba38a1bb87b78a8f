"""Start N processes on this machine that train one run together: python -m vae_keras.launch N [flags of train.py].

It is made for trying out `--distribute multiworker`. The processes share the cores. The operations of a small network
do not fill several cores, so several processes can be faster than one (docs/distributed.md).
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

from common.command_line import Parser
from common.ranges import Range
from vae_keras.command_line import run_script

NAME = "python -m vae_keras.launch"
TRAIN = Path(__file__).resolve().parent.parent / "train.py"
PROCESSES = Range(2, 64)


def free_ports(count: int) -> list[int]:
    """Ports of this machine on which nobody listens at the moment."""
    with ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [server.getsockname()[1] for server in servers]


def environment(count: int) -> dict[str, str]:
    """What a process needs from its environment to share this machine with others: so many processes in all."""
    cores = str(max(1, (os.cpu_count() or 1) // count))
    threads = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), cores)
    # With one thread, TensorFlow computes steps outside of the main thread, where glibc asks the system for each large
    # array anew. That makes a step half as long again; these two settings keep the memory.
    return {**threads, "MALLOC_MMAP_MAX_": "0", "MALLOC_TOP_PAD_": "100000000", **os.environ}


def started(workers: list[str], index: int, arguments: list[str]) -> subprocess.Popen[str]:
    """The process of one worker."""
    task = {"type": "worker", "index": index}
    return subprocess.Popen(
        [sys.executable, str(TRAIN), "--distribute", "multiworker", *arguments],
        env={**environment(len(workers)), "TF_CONFIG": json.dumps({"cluster": {"worker": workers}, "task": task})},
        stdout=None if index == 0 else subprocess.PIPE,
        stderr=None if index == 0 else subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,  # Ctrl-C reaches this process, which passes it on, once
    )


def show(index: int, process: subprocess.Popen[str]) -> None:
    """Print the lines of a process, each with its worker."""
    for line in process.stdout or ():
        print(f"worker {index}: {line}", end="", flush=True)


def launch(count: int, arguments: list[str]) -> int:
    """Train with this many processes; the exit status of the first one that fails, or 0."""
    workers = [f"127.0.0.1:{port}" for port in free_ports(count)]
    processes: list[subprocess.Popen[str]] = []

    def pass_on(number: int, frame: object) -> None:
        for process in processes:
            process.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, pass_on)
    shown = []
    for index in range(count):
        processes.append(started(workers, index, arguments))
        shown.append(threading.Thread(target=show, args=(index, processes[index])))
        shown[-1].start()
    statuses = [process.wait() for process in processes]
    for thread in shown:
        thread.join()
    return next((status if status > 0 else 1 for status in statuses if status), 0)


def main(arguments: list[str] | None = None) -> int:
    """Run the launcher; its exit status."""
    typed = sys.argv[1:] if arguments is None else arguments
    parser = Parser(prog=NAME, description=__doc__)
    parser.add_argument("processes", type=int, metavar="N", help=f"number of processes, {PROCESSES.words}")

    def script() -> None:
        count = parser.flags(typed[:1]).processes
        if reason := PROCESSES.refusal(count):
            parser.error(f"N {reason}")
        sys.exit(launch(count, typed[1:]))

    return run_script(NAME, script)


if __name__ == "__main__":
    sys.exit(main())
