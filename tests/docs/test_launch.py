"""The recipes for clusters, with stand-ins for the commands that only a cluster has."""

import json
import signal
import subprocess
import time
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests.support import ROOT
from vae_keras.cluster import read_cluster

LAUNCH = ROOT / "docs" / "launch"
SAYS_WHAT_IT_GETS = """#!/usr/bin/env python3
import json, os, sys
print(json.dumps({"TF_CONFIG": os.environ["TF_CONFIG"], "arguments": sys.argv[1:]}))
"""
ARGUMENTS = ["--data", "/shared/two faces", "--run", "runs/a'b"]


@pytest.fixture
def checkout(tmp_path):
    """A folder with a Python that says what it gets, and a folder of commands."""
    for name, text in {".venv/bin/python": SAYS_WHAT_IT_GETS, "bin/python": SAYS_WHAT_IT_GETS}.items():
        add(tmp_path / name, text)
    return tmp_path


def add(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def workers_of(checkout, *command, **environment):
    """The cluster and the arguments of each process that the command starts, by the worker's index."""
    result = subprocess.run(
        command,
        cwd=checkout,
        env={"PATH": f"{checkout}/bin:/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    told = [json.loads(line) for line in result.stdout.splitlines()]
    return {(cluster := read_cluster(each)).index: (cluster.workers, each["arguments"]) for each in told}


def test_slurm_starts_a_worker_on_each_machine(checkout):
    add(
        checkout / "bin/scontrol",
        '#!/bin/sh\n[ "$*" = "show hostnames node[1-3]" ] && printf "node1\\nnode2\\nnode3\\n"',
    )
    add(
        checkout / "bin/srun",
        '#!/bin/sh\nshift; shift\nfor SLURM_PROCID in 0 1 2; do export SLURM_PROCID; "$@"; done',
    )
    workers = workers_of(
        checkout, str(LAUNCH / "slurm.sh"), *ARGUMENTS, SLURM_JOB_NODELIST="node[1-3]", SLURM_JOB_ID="123456"
    )
    addresses = ("node1:23456", "node2:23456", "node3:23456")
    expected = (addresses, ["train.py", "--distribute", "multiworker", *ARGUMENTS])
    assert workers == dict.fromkeys(range(3), expected)


def test_ssh_starts_a_worker_on_each_machine(checkout):
    # As ssh does, the stand-in gives one text to a shell that starts elsewhere.
    add(checkout / "bin/ssh", '#!/bin/sh\nshift; shift\ncd / && exec bash -c "$*"')
    workers = workers_of(checkout, str(LAUNCH / "ssh.sh"), "first.example,second.example", *ARGUMENTS)
    addresses = ("first.example:22222", "second.example:22222")
    assert workers == dict.fromkeys(range(2), (addresses, ["train.py", "--distribute", "multiworker", *ARGUMENTS]))


def test_ssh_ends_with_the_status_of_a_worker_that_fails(checkout):
    add(checkout / "bin/ssh", '#!/bin/sh\n[ "$2" = first ] || exit 2')
    script = [str(LAUNCH / "ssh.sh"), "first,second"]
    environment = {"PATH": f"{checkout}/bin:/usr/bin:/bin"}
    assert subprocess.run(script, cwd=checkout, env=environment, timeout=60, check=False).returncode == 2


def test_ssh_ends_its_connections_when_it_is_ended(checkout):
    add(checkout / "bin/ssh", '#!/bin/sh\necho $$ >>"$PIDS"; exec sleep 60')
    pids = checkout / "pids"
    environment = {"PATH": f"{checkout}/bin:/usr/bin:/bin", "PIDS": str(pids)}
    script = subprocess.Popen([str(LAUNCH / "ssh.sh"), "first,second"], cwd=checkout, env=environment)
    while not pids.exists() or len(pids.read_text().split()) < 2:
        time.sleep(0.05)
    script.send_signal(signal.SIGTERM)
    script.wait(10)
    for pid in pids.read_text().split():
        assert not Path(f"/proc/{pid}/cmdline").exists() or b"sleep" not in Path(f"/proc/{pid}/cmdline").read_bytes()


def test_ssh_without_flags_passes_none(checkout):
    add(checkout / "bin/ssh", '#!/bin/sh\nshift; shift\ncd / && exec bash -c "$*"')
    workers = workers_of(checkout, str(LAUNCH / "ssh.sh"), "first,second")
    assert workers[1][1] == ["train.py", "--distribute", "multiworker"]


@pytest.fixture
def manifest():
    service, job = yaml.safe_load_all((LAUNCH / "kubernetes.yaml").read_text(encoding="utf-8"))
    return service, job


def test_the_manifest_is_valid(manifest):
    for part in manifest:
        kubernetes_validate.validate(part, "1.31", strict=True)


def test_every_pod_of_the_manifest_is_a_worker_of_one_cluster(checkout, manifest):
    service, job = manifest
    pods, name = job["spec"]["completions"], f"{job['metadata']['name']}-{{}}.{service['metadata']['name']}:2222"
    assert job["spec"]["template"]["spec"]["subdomain"] == service["metadata"]["name"]
    container = job["spec"]["template"]["spec"]["containers"][0]
    for index in range(pods):
        command = [*container["command"], *container["args"]]
        workers = workers_of(checkout, *command, JOB_COMPLETION_INDEX=str(index))
        assert list(workers) == [index]
        addresses, arguments = workers[index]
        assert addresses == tuple(name.format(place) for place in range(pods))
        assert arguments[:3] == ["train.py", "--distribute", "multiworker"]
