"""The processes that train a run together, one on each machine: who they are, and whether all of them are there.

TensorFlow reads from the environment variable TF_CONFIG which processes there are, the same on all, and which of them
this one is:

    {"cluster": {"worker": ["first.example:2222", "second.example:2222"]}, "task": {"type": "worker", "index": 0}}

A process that waits for another waits for ever in TensorFlow. So before anything else, worker 0 calls the roll: every
other worker connects to it. The connections stay open until training ends. Over them, the workers compare settings. A
worker that fails says why; one whose process ends closes its connection; a machine that vanishes falls silent. Then
worker 0 tells the others, and each ends with one line that names the worker.
"""

import contextlib
import json
import os
import queue
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from common.errors import UserError

WAIT = 300.0  # seconds in which all workers have to connect
HEARTBEAT = 5.0  # seconds between two signs of life
SILENCE = 60.0  # seconds without a sign of life after which a machine counts as gone
GREETING = 5.0  # seconds in which a process that connects has to say who it is
GRACE = 10.0  # seconds in which TensorFlow notices by itself that a worker is gone, before the process is ended
LONGEST_LINE = 1_000_000  # bytes; a stranger who connects cannot fill the memory
Settings = dict[str, str]


@dataclass(frozen=True)
class Cluster:
    """The workers of a run.

    Attributes:
        workers: host:port of each.
        index: the place of this process among them; worker 0 is the chief, which writes the run.
    """

    workers: tuple[str, ...]
    index: int

    @property
    def is_chief(self) -> bool:
        return self.index == 0

    def name(self, index: int) -> str:
        """The worker, in a sentence."""
        return f"worker {index} ({self.workers[index]})"

    def address(self, index: int) -> tuple[str, int]:
        """Host and port of a worker."""
        return _address(self.workers[index])


class _Task(msgspec.Struct):
    type: str
    index: int


class _TfConfig(msgspec.Struct):
    cluster: dict[str, list[str]]
    task: _Task


def read_cluster(environment: Mapping[str, str] = os.environ) -> Cluster:
    """The cluster that TF_CONFIG describes.

    Raises:
        UserError: TF_CONFIG is missing or malformed.
    """
    text = environment.get("TF_CONFIG", "")
    if not text:
        raise UserError(
            "--distribute multiworker: TF_CONFIG is not set; set it for each process as docs/distributed.md says, or "
            "start N processes on this machine with python -m vae_keras.launch N"
        )
    try:
        config = msgspec.json.decode(text, type=_TfConfig, strict=False)
    except (msgspec.DecodeError, UnicodeEncodeError) as reason:
        raise _malformed(str(reason)) from reason
    if set(config.cluster) != {"worker"} or config.task.type != "worker":
        jobs = sorted({*config.cluster, config.task.type} - {"worker"})
        raise _malformed(f"the job {jobs[0]!r} is unknown, the only one is 'worker'" if jobs else "no worker is named")
    workers = tuple(config.cluster["worker"])
    for worker in workers:
        _address(worker)
    if len(workers) < 2:
        raise _malformed(f"it names {len(workers)} worker, and a cluster has at least two")
    if len(set(workers)) < len(workers):
        raise _malformed("two workers have the same address")
    if not 0 <= config.task.index < len(workers):
        raise _malformed(f"the index of this worker is {config.task.index}, and there are {len(workers)} workers")
    return Cluster(workers, config.task.index)


def _malformed(reason: str) -> UserError:
    example = '{"cluster": {"worker": ["HOST:PORT", "HOST:PORT"]}, "task": {"type": "worker", "index": 0}}'
    return UserError(f"TF_CONFIG is malformed: {reason}; write it like {example}")


def _address(worker: str) -> tuple[str, int]:
    """Host and port of host:port."""
    try:
        parts = urlsplit(f"//{worker}")
        if parts.hostname and parts.port and parts.netloc == worker:
            return parts.hostname, parts.port
    except ValueError:
        pass
    raise _malformed(f"{worker!r} is not HOST:PORT, with a port from 1 to 65535")


class _Connection:
    """A connection to another worker, on which both send JSON line by line."""

    def __init__(self, opened: socket.socket):
        self._socket = opened
        self._file = opened.makefile("rb")
        self._sending = threading.Lock()

    def send(self, **message: Any) -> None:
        """Send a message. A closed connection is noticed where it is read."""
        with contextlib.suppress(OSError), self._sending:
            self._socket.sendall(json.dumps(message).encode() + b"\n")

    def receive(self, timeout: float) -> dict[str, Any] | None:
        """The next message; None if the other side closed the connection, is silent for too long, or is a stranger."""
        try:
            self._socket.settimeout(timeout)
            message = json.loads(self._file.readline(LONGEST_LINE))
            return message if isinstance(message, dict) else None
        except (OSError, ValueError, RecursionError):
            return None

    def is_open(self) -> bool:
        """Whether the other side has not closed the connection. It has sent nothing that was not read."""
        self._socket.settimeout(0)
        try:
            return bool(self._socket.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # ends a read in another thread
        self._file.close()
        self._socket.close()


class Team:
    """The connections among the workers of a run. `together` makes one.

    Args:
        cluster: the workers.
        connections: by the worker at the other end; all of them for worker 0, one for each other worker.
        end: ends this process with a line.
    """

    def __init__(self, cluster: Cluster, connections: dict[int, _Connection], end: Callable[[str], Any]):
        self.cluster, self.connections, self._end = cluster, connections, end
        self.reason, self._known, self._over = "", threading.Event(), threading.Event()
        self._told: dict[int, queue.Queue[dict[str, Any]]] = {index: queue.Queue() for index in connections}
        self._began = False
        for index in connections:
            threading.Thread(target=self._listen, args=(index,), daemon=True).start()
        threading.Thread(target=self._beat, daemon=True).start()

    def agree(self, settings: Settings) -> None:
        """Wait until all workers have come this far, and compare what has to be the same.

        Args:
            settings: by name, in a sentence.

        Raises:
            UserError: a worker has other settings, or it is gone.
        """
        if not self.cluster.is_chief:
            self.connections[0].send(settings=settings)
            problem = self._answer_of(0).get("problem", "")
        else:
            answers = {index: self._answer_of(index).get("settings", {}) for index in self.connections}
            problem = difference(self.cluster, settings, answers)
            for connection in self.connections.values():
                connection.send(problem=problem)
        if problem:
            raise UserError(problem)
        self._began = True

    def _answer_of(self, index: int) -> dict[str, Any]:
        """The next message of a worker, however long it takes while the worker is there."""
        while True:
            try:
                message = self._told[index].get(timeout=0.1)
            except queue.Empty:
                message = {"over": ""} if self._known.is_set() else {}
            if "over" in message:
                name = self.cluster.name(index)
                nothing = f"{name} has nothing to do; start all workers with the same flags and the same run"
                raise UserError(self._with_remedy() if self._known.is_set() else nothing)
            if message:
                return message

    def reason_to_stop(self, timeout: float) -> str:
        """Why training cannot go on, with the remedy; empty if there is no reason after this many seconds."""
        return self._with_remedy() if self._known.wait(timeout) else ""

    def _with_remedy(self) -> str:
        return f"{self.reason}; start all workers again{' with --resume' if self._began else ''}"

    def leave(self, reason: str = "") -> None:
        """Say goodbye to the others: training is over, or ended for this reason."""
        self._over.set()
        for connection in self.connections.values():
            connection.send(over=reason)
            connection.close()

    def _beat(self) -> None:
        while not self._over.wait(HEARTBEAT):
            for connection in self.connections.values():
                connection.send(alive=True)

    def _listen(self, index: int) -> None:
        connection = self.connections[index]
        while (message := connection.receive(SILENCE)) is not None:
            if "over" in message:
                if reason := message["over"]:
                    self._stop(str(reason))
                self._told[index].put(message)
                return
            if "alive" not in message:
                self._told[index].put(message)
        self._stop(f"{self.cluster.name(index)} is gone")

    def _stop(self, reason: str) -> None:
        """Note that training cannot go on, and end the process if it is still there after a while."""
        if self._over.is_set() or self._known.is_set():
            return
        self.reason = reason
        self._known.set()
        for connection in self.connections.values():
            connection.send(over=reason)
        if not self._over.wait(GRACE):
            self._end(self._with_remedy())


def _end_process(reason: str) -> None:
    """End this process, although its main thread waits in TensorFlow. Files are renamed when they are whole."""
    print(f"{Path(sys.argv[0]).name}: {reason}", file=sys.stderr, flush=True)
    os._exit(2)


@contextmanager
def together(cluster: Cluster, wait: float) -> Iterator[Team]:
    """While the block runs, all workers are there; if one ends, the block ends with an error that names it.

    Args:
        wait: seconds in which all workers have to connect.

    Raises:
        UserError: a worker is missing or ended; or the port of this one is in use.
    """
    connections = _called(cluster, wait) if cluster.is_chief else {0: _answered(cluster, wait)}
    team = Team(cluster, connections, _end_process)
    try:
        yield team
    except BaseException as error:
        # TensorFlow may notice that a worker is gone before its connection is closed, and says less about it.
        unexplained = isinstance(error, Exception) and not isinstance(error, UserError)
        gone = team.reason_to_stop(GRACE) if unexplained else ""
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        team.leave(gone or f"{cluster.name(cluster.index)} stopped: {said}")
        if gone:
            raise UserError(gone) from error
        raise
    team.leave()


def _called(cluster: Cluster, wait: float) -> dict[int, _Connection]:
    """The connections of worker 0 to the others, by their index, when all are there."""
    deadline = time.monotonic() + wait
    others = range(1, len(cluster.workers))
    connections: dict[int, _Connection] = {}
    problem = ""
    with _listening(cluster) as server:
        while len(connections) < len(others) and not problem and (left := deadline - time.monotonic()) > 0:
            server.settimeout(left)
            with contextlib.suppress(TimeoutError):
                connection = _Connection(server.accept()[0])
                hello = connection.receive(min(left, GREETING)) or {}
                index: Any = hello.get("index")
                # A worker may have ended while it waited, and started again.
                for place in [place for place, other in connections.items() if not other.is_open()]:
                    connections.pop(place).close()
                if hello.get("cluster") != list(cluster.workers) or index not in others:
                    connection.close()  # a stranger, or a worker of another cluster
                elif index in connections:
                    problem = (
                        f"two processes say that they are {cluster.name(index)}; give each its own index in TF_CONFIG"
                    )
                    connection.send(problem=problem)
                    connection.close()
                else:
                    connections[index] = connection
    if missing := [cluster.name(index) for index in others if index not in connections]:
        problem = problem or f"no word from {' and '.join(missing)} in {wait:g} s; start it, or correct TF_CONFIG"
    for connection in connections.values():
        connection.send(problem=problem)
    if problem:
        for connection in connections.values():
            connection.close()
        raise UserError(problem)
    return connections


def difference(cluster: Cluster, settings: Settings, others: Mapping[int, Settings]) -> str:
    """What another worker has, and worker 0 has not, in a sentence; empty if all have the same."""
    for index, has in others.items():
        for what in settings | has:
            if has.get(what) != settings.get(what):
                return (
                    f"{cluster.name(index)} has {what} {has.get(what)}, {cluster.name(0)} has {settings.get(what)}; "
                    "start all workers with the same"
                )
    return ""


def _answered(cluster: Cluster, wait: float) -> _Connection:
    """The connection of this worker to worker 0, when all are there."""
    deadline = time.monotonic() + wait
    chief = cluster.name(0)
    with _listening(cluster):  # so that a port in use is noticed before the others wait for this worker
        while (left := deadline - time.monotonic()) > 0:
            try:
                connection = _Connection(socket.create_connection(cluster.address(0), min(left, GREETING)))
            except OSError:
                time.sleep(min(left, 0.2))
                continue
            connection.send(cluster=list(cluster.workers), index=cluster.index)
            # Worker 0 may have started only now, and waits as long.
            answer = connection.receive(wait + GRACE) or {"problem": f"{chief} did not answer; look at its last line"}
            if answer.get("problem"):
                connection.close()
                raise UserError(str(answer["problem"]))
            return connection
    raise UserError(f"no word from {chief} in {wait:g} s; start it, or correct TF_CONFIG")


def _listening(cluster: Cluster) -> socket.socket:
    """A server on the port of this worker, on which TensorFlow listens later."""
    _, port = cluster.address(cluster.index)
    both = socket.has_dualstack_ipv6()
    try:
        return socket.create_server(
            ("", port), family=socket.AF_INET6 if both else socket.AF_INET, dualstack_ipv6=both, backlog=128
        )
    except OSError as reason:
        raise UserError(
            f"port {port} of {cluster.name(cluster.index)} cannot be used ({reason.strerror}); end the process that "
            "uses it, or name another port in TF_CONFIG"
        ) from reason
