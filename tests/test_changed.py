"""`make check` selects the tests of what changed, nearest first."""

import subprocess

import pytest

from tests.changed import Project, changed_files

PROJECT = Project()


@pytest.mark.parametrize(
    ("changed", "nearest"),
    [
        ("pgm_tfp/uai.py", "tests/pgm_tfp/test_uai.py"),
        ("vae_keras/gaussians.py", "tests/vae_keras/test_gaussians.py"),
        ("data/split.py", "tests/data/test_split.py"),
        ("pgm_tfp/exact/message_passing.py", "tests/pgm_tfp/exact/test_message_passing.py"),
        ("tests/common/test_files.py", "tests/common/test_files.py"),
        ("vae_keras/metrics/mig.py", "tests/vae_keras/metrics/test_mig.py"),
    ],
)
def test_the_test_of_a_module_comes_first(changed, nearest):
    order = PROJECT.order({changed})
    assert order[0] == nearest
    assert {"tests/test_imports.py", "tests/test_words.py"} <= set(order)


@pytest.mark.parametrize(
    ("changed", "reached"),
    [
        ("train.py", "tests/test_train.py"),  # runs it in a process of its own
        ("pgm_tfp/__main__.py", "tests/pgm_tfp/test_main.py"),
        ("README.md", "tests/test_readme.py"),  # names it
        ("docs/theory/1-1-bayesian-networks.md", "tests/docs/test_theory.py"),
        ("vae_keras/report/template.html.j2", "tests/vae_keras/report/test_document.py"),
        ("vae_keras/metrics/discrete.py", "tests/vae_keras/metrics/test_mig.py"),  # by way of mig.py
        ("tests/support.py", "tests/test_train.py"),
        ("tests/vae_keras/conftest.py", "tests/vae_keras/test_gaussians.py"),
    ],
)
def test_tests_that_use_a_file_in_any_way_are_among_those_of_a_change(changed, reached):
    assert reached in PROJECT.order({changed})


def test_a_test_that_no_import_leads_to_is_left_out():
    assert "tests/pgm_tfp/test_uai.py" not in PROJECT.order({"vae_keras/gaussians.py"})


def test_quick_tests_come_before_those_that_train():
    order = PROJECT.order({"vae_keras/run_folder.py"})
    assert order.index("tests/vae_keras/test_run_data.py") < order.index("tests/test_extension.py")


def test_changes_are_those_of_the_branch_and_of_the_working_tree(tmp_path):
    def git(*arguments):
        named = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *named, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "--initial-branch=main")
    for name in ("old.py", "changed.py", "ignored.txt"):
        (tmp_path / name).write_text("1")
    (tmp_path / ".gitignore").write_text("*.log")
    git("add", ".")
    git("commit", "-m", "1")
    git("checkout", "-b", "branch")
    (tmp_path / "committed é.py").write_text("2")
    git("add", ".")
    git("commit", "-m", "2")
    (tmp_path / "changed.py").write_text("3")
    (tmp_path / "new.py").write_text("4")
    (tmp_path / "a.log").write_text("5")
    assert changed_files("main", tmp_path) == {"committed é.py", "changed.py", "new.py"}
