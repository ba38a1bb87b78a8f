"""A baseline that fails or reaches a limit has a reason instead of an answer, and the benchmark goes on."""

import sys

import numpy as np
import pytest

from benchmarks.exact_inference import findings, load, main, pgmpy_baseline
from benchmarks.limited import run_limited
from pgm_tfp import exact


def outcome(program, seconds=60.0, gigabytes=2.0):
    return run_limited([sys.executable, "-c", program], seconds, gigabytes)


def test_the_answer_is_the_last_printed_line():
    assert outcome('print("a line of a library"); print("[1, 2.5]")') == ([1, 2.5], "")


@pytest.mark.parametrize(
    ("program", "limits", "reason"),
    [
        ("bytearray(4 * 10**9)", {}, "takes more than 2 GB"),
        ("import numpy; numpy.ones(10**10)", {}, "takes more than 2 GB"),
        ("import time; time.sleep(60)", {"seconds": 0.5}, "takes more than 0.5 s"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", {}, "ended by SIGSEGV"),
        ("import absent_package", {}, "ModuleNotFoundError: No module named 'absent_package'"),
        ("raise SystemExit(3)", {}, "exit status 3"),
        ("pass", {}, "exit status 0"),
    ],
)
def test_a_command_without_an_answer_has_a_reason(program, limits, reason):
    assert outcome(program, **limits) == (None, reason)


def test_a_baseline_answers_the_same_question():
    network = load("asia")
    evidence = {name: network.states[name][state] for name, state in findings(network).items()}
    answer = pgmpy_baseline("asia")
    assert answer["seconds"] > 0.0
    assert set(answer["answers"]) == set(network.states) - set(evidence)
    for name, theirs in answer["answers"].items():
        np.testing.assert_allclose(theirs, list(exact.marginals(network, evidence)[name].values()), atol=1e-10)


def test_a_row_is_printed_even_if_all_baselines_fail(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("benchmarks.exact_inference.many_rows", lambda flags: None)
    monkeypatch.setattr("benchmarks.exact_inference.RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(sys, "argv", ["exact_inference", "cancer", "--gigabytes", "0.05"])
    main()
    _, _, row, *notes = capsys.readouterr().out.splitlines()
    assert row.split()[:3] == ["cancer", "5", "16"]
    assert [note.split(":")[0].strip() for note in notes] == ["pyagrum", "pgmpy"]
