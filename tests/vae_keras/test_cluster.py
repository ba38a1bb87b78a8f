import json
import socket
import threading
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from common.errors import UserError
from vae_keras import cluster as module
from vae_keras.cluster import Cluster, read_cluster, together
from vae_keras.launch import free_ports

TWO = {"cluster": {"worker": ["first:2222", "[::1]:2222"]}, "task": {"type": "worker", "index": 1}}


def config(**changes):
    return {"TF_CONFIG": json.dumps({**TWO, **changes})}


def test_the_workers_and_the_place_of_this_one_are_read():
    cluster = read_cluster(config())
    assert (cluster.workers, cluster.index, cluster.is_chief) == (("first:2222", "[::1]:2222"), 1, False)
    assert cluster.address(1) == ("::1", 2222)
    assert read_cluster(config(task={"type": "worker", "index": "0"})).is_chief  # TensorFlow takes text, too


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"TF_CONFIG": "{"},
        {"TF_CONFIG": "[]"},
        {"TF_CONFIG": '{"cluster": {"worker": ["a:1", "b:2"]}}'},
        config(cluster={"worker": ["first:2222"]}),
        config(cluster={"worker": ["first:2222", "first:2222"]}),
        config(cluster={"worker": ["first", "second:1"]}),
        config(cluster={"worker": ["first:0", "second:1"]}),
        config(cluster={"worker": ["first:70000", "second:1"]}),
        config(cluster={"worker": ["http://first:1", "second:1"]}),
        config(cluster={**TWO["cluster"], "ps": ["third:1"]}),
        config(cluster={}),
        config(task={"type": "worker", "index": 2}),
        config(task={"type": "worker", "index": -1}),
        config(task={"type": "chief", "index": 0}),
    ],
)
def test_a_malformed_cluster_is_refused(environment):
    with pytest.raises(UserError, match="TF_CONFIG"):
        read_cluster(environment)


values = st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3))
workers = st.lists(
    st.sampled_from(["a:1", "b:2", "c:3", "a", ":4", "d:99999", "e:x"]) | st.text(max_size=8), max_size=4
)


@given(st.fixed_dictionaries({"cluster": st.fixed_dictionaries({"worker": workers | values}), "task": values}) | values)
@example({"cluster": {"worker": ["[:1", "b:1"]}, "task": {"type": "worker", "index": 0}})
@example({"cluster": {"worker": ["a:1", "b:\ud800"]}, "task": {"type": "worker", "index": 0}})
def test_any_other_text_is_read_or_refused(value):
    try:
        cluster = read_cluster({"TF_CONFIG": json.dumps(value)})
    except UserError:
        return
    assert all(cluster.address(index)[1] > 0 for index in range(len(cluster.workers)))


class Worker(threading.Thread):
    """A worker in a thread: takes part until it is told to leave, or fails with `error`."""

    def __init__(self, workers, index, settings=None, wait=5.0, error=None):
        super().__init__()
        self.cluster, self.settings, self.seconds, self.error = Cluster(workers, index), settings or {}, wait, error
        self.refusal, self.inside, self.leaving = "", threading.Event(), threading.Event()
        self.start()

    def run(self):
        try:
            with together(self.cluster, self.seconds) as team:
                team.agree(self.settings)
                self.inside.set()
                self.leaving.wait(10)
                if self.error:
                    raise self.error
        except Exception as refusal:
            self.refusal = str(refusal)


@pytest.fixture
def addresses():
    return tuple(f"127.0.0.1:{port}" for port in free_ports(3))


@pytest.fixture
def ends(monkeypatch):
    """The lines with which processes were ended."""
    lines = []
    monkeypatch.setattr(module, "_end_process", lines.append)
    return lines


def connected(addresses):
    """A connection to worker 0, which may not listen yet."""
    for _ in range(100):
        try:
            return socket.create_connection(Cluster(addresses, 1).address(0))
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise AssertionError("worker 0 does not listen")


def left(workers):
    for worker in workers:
        worker.leaving.set()
        worker.join(20)
    return [worker.refusal for worker in workers]


def test_all_come_together_and_leave_one_after_the_other(addresses, ends):
    workers = [Worker(addresses, index, {"--lr": "0.1"}) for index in (2, 1, 0)]
    assert all(worker.inside.wait(10) for worker in workers)
    assert left(workers) == ["", "", ""]
    assert ends == []


def test_other_settings_are_refused_with_the_same_words_by_all(addresses, ends):
    workers = [Worker(addresses, index, {"--lr": "0.2" if index == 1 else "0.1"}) for index in range(3)]
    (refusal,) = set(left(workers))
    assert f"worker 1 ({addresses[1]}) has --lr 0.2" in refusal


def test_a_worker_that_fails_before_the_others_are_ready_is_named(addresses, ends):
    failing = Cluster(addresses[:2], 1)
    chief = Worker(addresses[:2], 0)
    with pytest.raises(UserError, match="no images"), together(failing, 5.0):
        raise UserError("no images in /faces")
    (refusal,) = left([chief])
    assert refusal == f"worker 1 ({addresses[1]}) stopped: no images in /faces; start all workers again"


def test_a_worker_that_ends_before_the_others_without_a_reason_is_named(addresses, ends):
    chief = Worker(addresses[:2], 0)
    with together(Cluster(addresses[:2], 1), 5.0):
        pass
    assert f"worker 1 ({addresses[1]})" in left([chief])[0]


def test_a_worker_may_start_again_while_the_others_are_missing(addresses, ends):
    chief = Worker(addresses, 0)
    line = connected(addresses)
    line.sendall(json.dumps({"cluster": list(addresses), "index": 1}).encode() + b"\n")
    time.sleep(0.3)
    line.close()
    workers = [chief, Worker(addresses, 1), Worker(addresses, 2)]
    assert all(worker.inside.wait(10) for worker in workers)
    assert left(workers) == ["", "", ""]


def test_two_processes_of_one_index_are_refused(addresses, ends):
    chief = Worker(addresses, 0)
    lines = [connected(addresses) for _ in range(2)]
    for line in lines:
        line.sendall(json.dumps({"cluster": list(addresses), "index": 1}).encode() + b"\n")
    assert f"two processes say that they are worker 1 ({addresses[1]})" in left([chief])[0]
    for line in lines:
        line.close()


@pytest.mark.parametrize("said", [b"[" * 300_000, b"GET / HTTP/1.1\n", b"\xff\n", b"{}\n", b"7\n", b""])
def test_a_stranger_does_not_count(addresses, ends, said):
    chief = Worker(addresses[:2], 0)
    with connected(addresses) as stranger:
        stranger.sendall(said)
        stranger.shutdown(socket.SHUT_WR)
        workers = [chief, Worker(addresses[:2], 1)]
        assert all(worker.inside.wait(10) for worker in workers)
    assert left(workers) == ["", ""]


def test_a_worker_of_another_cluster_does_not_count(addresses, ends):
    other = Worker((addresses[0], addresses[2], addresses[1]), 1, wait=2)
    workers = [Worker(addresses, index, wait=2) for index in (0, 1)]
    assert all("no word from worker 2" in refusal for refusal in left(workers))
    assert "did not answer" in left([other])[0]


@pytest.mark.parametrize("failing", [0, 2])
@pytest.mark.parametrize("error", [UserError("the disk is full"), RuntimeError("\nthe disk is full\nat node 7")])
def test_the_reason_of_one_worker_ends_the_others_in_one_line(addresses, ends, monkeypatch, failing, error):
    monkeypatch.setattr(module, "GRACE", 0.5)
    workers = [Worker(addresses, index, error=error if index == failing else None) for index in range(3)]
    assert all(worker.inside.wait(10) for worker in workers)
    workers[failing].leaving.set()
    workers[failing].join(10)
    deadline = time.monotonic() + 10
    while len(ends) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    reason = f"worker {failing} ({addresses[failing]}) stopped: the disk is full; start all workers again with --resume"
    assert ends == [reason, reason]
    left(workers)


def test_a_machine_that_falls_silent_counts_as_gone(addresses, ends, monkeypatch):
    for name, seconds in (("HEARTBEAT", 0.1), ("SILENCE", 1.0), ("GRACE", 0.1)):
        monkeypatch.setattr(module, name, seconds)
    workers = [Worker(addresses[:2], index) for index in range(2)]
    assert all(worker.inside.wait(10) for worker in workers)
    time.sleep(1.5)
    assert ends == []  # signs of life arrive
    monkeypatch.setattr(module, "HEARTBEAT", 100.0)
    time.sleep(2.0)
    assert any("is gone" in end for end in ends)
    left(workers)
