"""The student edition leaves out the answers, and tests notice each missing answer; what a submission holds."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

from common.errors import UserError
from course import student_edition, submission
from course.questions import QUESTIONS
from course.regions import END, find_regions, without
from course.student_edition import CHECKLIST, CODE, PAGE, check_free, edition_files, marked_regions
from course.tree import code_files
from tests.support import ROOT

ALONE = (
    "the KL in closed form",
    "a Bayesian network as a Markov network",
    "the log weights of minibatch-stratified sampling",
)
MASKED = "the decoder of the table"  # its tests fail at the encoder first


def read(path):
    return path.read_bytes().decode()


class Edition(NamedTuple):
    source: Path
    folder: Path
    found: dict

    @property
    def code(self):
        return self.folder / CODE

    def copied_with(self, folder, answers):
        """A copy of the edition's code with these answers filled in."""
        shutil.copytree(self.code, folder)
        for path, here in self.found.items():
            text = read(folder / path)
            for region in here:
                if region.asked in answers:
                    assert text.count(region.stub) == 1
                    text = text.replace(region.stub, region.marked)
            (folder / path).write_bytes(text.encode())
        return folder


@pytest.fixture(scope="module")
def edition(tmp_path_factory):
    """A student edition of the project with all files of this folder, tracked by git or not."""
    folder = tmp_path_factory.mktemp("course")
    unwanted = shutil.ignore_patterns(".git", ".venv", "datasets", "runs", "site", "__pycache__", ".*_cache")
    source = shutil.copytree(ROOT, folder / "project", ignore=unwanted)
    student_edition.write(folder / "assignment", source)
    return Edition(source, folder / "assignment", marked_regions(edition_files(source), source))


def python(code, *arguments):
    """Run Python with this folder as the current folder."""
    environment = {**os.environ, "COLUMNS": "200", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=code,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def outcomes(code, tests):
    """For each test the texts of its errors, or "passed"; the cases of a parametrised test are one test."""
    report = code.parent / f"{code.name}.xml"
    # Without the conftest of all tests, because it loads the whole project; these tests do not need it.
    options = ("-p", "no:cacheprovider", "--tb=no", "--confcutdir=tests/vae_keras", f"--junitxml={report}")
    done = python(code, "-m", "pytest", *options, *sorted(tests))
    assert done.returncode in (0, 1), done.stdout + done.stderr
    ended = {}
    for case in ElementTree.parse(report).iter("testcase"):
        test = f"{case.get('classname').replace('.', '/')}.py::{case.get('name').partition('[')[0]}"
        ended.setdefault(test, set()).add(case[0].get("message") if len(case) else "passed")
    return ended


@pytest.fixture(scope="module")
def ran(edition, tmp_path_factory):
    """The tests of the questions: without any answer, with all but one, with one alone; and an import of everything."""
    folder = tmp_path_factory.mktemp("filled")
    everything = [test for question in QUESTIONS.values() for test in question.tests]
    jobs = {
        "none": ([], everything),
        "all but one": (set(QUESTIONS) - {MASKED}, everything),
        **{asked: ([asked], QUESTIONS[asked].tests) for asked in ALONE},
    }
    with ThreadPoolExecutor(2) as pool:
        running = {
            name: pool.submit(outcomes, edition.copied_with(folder / str(place), answers), set(tests))
            for place, (name, (answers, tests)) in enumerate(jobs.items())
        }
        imports = pool.submit(python, edition.code, "-c", IMPORT_ALL)
        return {"imports": imports.result(), **{name: job.result() for name, job in running.items()}}


IMPORT_ALL = """
import importlib, pkgutil
for package in ("common", "data", "vae_keras", "pgm_tfp"):
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        importlib.import_module(module.name)
import evaluate, train
print("imported from", train.__file__)
"""


def test_without_an_answer_each_of_its_tests_fails_by_its_name(ran):
    for asked, question in QUESTIONS.items():
        ended = ran["all but one" if asked == MASKED else "none"]
        for test in question.tests:
            # Keras and Hypothesis say more about an error that passes through them.
            assert all(end.startswith("NotImplementedError: ") and asked in end for end in ended[test]), test


def test_with_all_answers_the_tests_pass(ran):
    failing = {test for test, ends in ran["all but one"].items() if ends != {"passed"}}
    assert failing == set(QUESTIONS[MASKED].tests)


@pytest.mark.parametrize("asked", ALONE)
def test_one_answer_alone_is_enough_for_its_tests(ran, asked):
    assert ran[asked] == {test: {"passed"} for test in QUESTIONS[asked].tests}


def test_an_edition_can_be_imported(ran, edition):
    assert ran["imports"].returncode == 0, ran["imports"].stderr
    assert str(edition.code) in ran["imports"].stdout
    for path in edition.code.rglob("*.py"):
        compile(path.read_bytes(), path, "exec")


def test_the_edition_with_its_answers_put_back_is_the_source(edition, tmp_path):
    whole = edition.copied_with(tmp_path / "whole", set(QUESTIONS))
    for path in edition_files(edition.source):
        assert (whole / path).read_bytes() == (edition.source / path).read_bytes(), path


def test_the_answers_are_nowhere_in_the_edition(edition):
    answers = [region for here in edition.found.values() for region in here]
    texts = {path: read(path) for path in edition.folder.rglob("*") if path.suffix in (".py", ".md", ".html")}
    for region in answers:
        longest = max(map(str.strip, region.marked.splitlines()[1:-1]), key=len)
        assert [str(path) for path, text in texts.items() if longest in text] == []
    assert not [path for path, text in texts.items() if END in text]


def test_pages_with_answers_and_tests_that_need_them_are_left_out(edition):
    files = {path.relative_to(edition.code).as_posix() for path in edition.code.rglob("*") if path.is_file()}
    assert {name for name in files if name.startswith("docs/")} == {"docs/assignment.md", "docs/notation.md"}
    assert not [
        name for name in files if name.startswith(("tests/docs", "README", "mkdocs", "datasets", "runs", ".git/"))
    ]
    assert {"Makefile", "LICENSE", "pyproject.toml", ".ci/run", CHECKLIST, "tests/conftest.py"} <= files
    left_out = re.compile(r"docs\.figures|docs[/\" ]+(theory|images|figures)|README\.md|evaluate\.THEORY")
    for path in (edition.code / "tests").rglob("*.py"):
        assert not left_out.search(read(path)), path


def test_questions_markers_and_hand_out_agree(edition):
    assert {region.asked for here in edition.found.values() for region in here} == set(QUESTIONS)
    text = read(edition.source / "docs/assignment.md")
    assert {PurePosixPath(name) for name in re.findall(r"`([\w/]+\.py)`", text)} == set(edition.found)
    parts = re.split(r"^### (?=\d)", text, flags=re.MULTILINE)[1:]
    for path, here in edition.found.items():
        for region in here:
            (part,) = [part for part in parts if part.startswith(QUESTIONS[region.asked].part)]
            assert str(path) in part, region.asked
    for verdict in ("collider", r"\sqrt{2c}", "no chord", "Jensen", "density ratio", "discriminator"):
        assert verdict not in text


def test_the_checklist_has_the_line_and_the_tests_of_every_place(edition):
    text = read(edition.code / CHECKLIST)
    places = re.findall(r"^- \[ \] (.*): `(.*)`, line (\d+)", text, re.MULTILINE)
    assert [asked for asked, _, _ in places] == list(QUESTIONS)
    for asked, path, line in places:
        assert f'NotImplementedError("{asked}")' in read(edition.code / path).splitlines()[int(line) - 1]
        for test in QUESTIONS[asked].tests:
            assert test.partition("::")[2] in text


def test_the_hand_out_is_one_page_with_formulas_and_the_checklist(edition):
    page = read(edition.folder / PAGE)
    assert "<math" in page
    assert "$" not in re.sub(r"<style>.*?</style>|<code>.*?</code>", "", page, flags=re.DOTALL)
    assert not re.search(r"<(script|link|img)\b|url\(", page)
    assert all(asked in page for asked in QUESTIONS)
    assert "Table 1. What the archive holds." in page


MARKED = 'def f(x):\n    """Twice."""\n    # answer: two of "them"\n    y = x\n    return x + y\n    # end of answer\n'


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_region_becomes_one_line_at_its_indentation(end):
    text = MARKED.replace("\n", end)
    found = find_regions(text, "f.py")
    expected = 'def f(x):\n    """Twice."""\n    raise NotImplementedError("two of \\"them\\"")\n'.replace("\n", end)
    assert without(text, found) == expected
    assert expected.replace(found[0].stub, found[0].marked) == text


def test_strings_and_comments_after_code_are_no_markers():
    assert find_regions('TEXT = """\n# answer: no\n"""\nX = 1  # answer: 42\n# the answer is near\n', "f.py") == []


B, E = "# answer: a\n", "# end of answer\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{B}x = 1\n", "^f.py:1: an answer that is not closed"),
        (f"x = 1\n{E}", "^f.py:2: the end of an answer that has no beginning"),
        (f"{B}x = 1\n# answer: b\ny = 1\n{E}{E}", "^f.py:3: an answer inside the answer of line 1"),
        (f"{B}x = 1\n{E}{B}y = 1\n{E}", "^f.py:4: a second answer called 'a'"),
        (f"{B}# nothing\n{E}", "^f.py:1: an answer without a statement"),
        (f"if 1:\n    {B}    x = 1\n{E}", "^f.py:4: the answer of line 2 ends at another indentation"),
        (f"x = [\n    {B}    1,\n    {E}]\n", "^f.py:2: an answer without a statement"),
        (f"{B}if 1:\n    x = 1\n    y = (\n{E}    2)\n", "^f.py:1: an answer with a part of a statement"),
        (f"{B}x = 1\n# End of answer\n", "^f.py:3: '# End of answer' is no marker"),
        ("# answer:\nx = 1\n", "^f.py:1: '# answer:' is no marker"),
        ("def f(:\n# answer: a\n", "^f.py is not valid Python"),
    ],
)
def test_wrong_markers_are_errors_with_file_and_line(text, message):
    with pytest.raises(UserError, match=message):
        find_regions(text, "f.py")


def test_an_unknown_question_is_an_error_and_nothing_is_written(tmp_path):
    (tmp_path / "one.py").write_text(f"{B}x = 1\n{E}", encoding="utf-8")
    with pytest.raises(UserError, match=r"^one.py:1: no question is called 'a'; add it to course/questions.py"):
        student_edition.write(tmp_path / "out", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["one.py"]


def test_an_edition_replaces_only_an_unchanged_edition(edition, tmp_path, capsys):
    out = shutil.copytree(edition.folder, tmp_path / "out")  # times of files are copied, too
    (out / CODE / "tests" / "__pycache__").mkdir()
    (out / CODE / "tests" / "__pycache__" / "x.pyc").write_bytes(b"")
    student_edition.write(out, edition.source)
    assert not (out / CODE / "tests" / "__pycache__").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    os.utime(out / CODE / "train.py", (2e9, 2e9))
    with pytest.raises(UserError, match=r"out has been changed \(code/train.py\); pass another --out"):
        check_free(out)
    other = tmp_path / "other"
    other.mkdir()
    check_free(other)
    (other / "thesis.tex").write_text("", encoding="utf-8")
    assert student_edition.main(["--out", str(other)]) == 2
    assert (
        capsys.readouterr().err == f"student_edition: {other} exists and is not a student edition; pass another --out\n"
    )
    assert [path.name for path in other.iterdir()] == ["thesis.tex"]


PROJECT = {
    "train.py": "code",
    "docs/images/drawing.png": "code",
    "data/new.py": "untracked",
    "faces/smile/one.jpg": "photograph",
    "faces/smile/two.png": "photograph",
    "model.keras": "weights",
    "old/HW1_A_1.zip": "archive",
    "datasets/x.csv": "data set",
    "runs/a/notes.txt": "of a run",
    "build-1/x.py": "ignored",
    "env/pyvenv.cfg": "environment",
    "env/lib/x.py": "environment",
}


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    for name, text in {**PROJECT, ".gitignore": "build-*/\n*.log\n"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_without_git_the_code_is_all_files_outside_of_ignored_folders(project):
    assert list(map(str, code_files(project))) == [".gitignore", "data/new.py", "docs/images/drawing.png", "train.py"]


def test_with_git_the_code_is_the_tracked_files_without_data_weights_and_photographs(project):
    for arguments in (["init", "-q"], ["add", "--force", ".", ":!data"]):
        subprocess.run(["git", *arguments], cwd=project, check=True)
    expected = [".gitignore", "docs/images/drawing.png", "env/lib/x.py", "env/pyvenv.cfg", "train.py"]
    assert list(map(str, code_files(project))) == expected
    (project / "train.py").unlink()  # tracked still, but not there
    assert "train.py" not in map(str, code_files(project))


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "runs" / "mine"
    for name in (
        "config.json",
        "report.html",
        "report.pdf",
        "history.csv",
        "figures/a.png",
        "figures/.unfinished-a.png",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, encoding="utf-8")
    for name in ("model.keras", "split.json", "checkpoints/epoch-0001.keras", "logs/events"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, encoding="utf-8")
    return folder


def packed(archive):
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name).decode() for name in opened.namelist()}


def test_a_submission_holds_report_figures_and_code_and_nothing_else(run, project, tmp_path):
    submission.pack("HW1_A_1", submission.contents(run, project), tmp_path / "out.zip")
    code = [".gitignore", "data/new.py", "docs/images/drawing.png", "train.py"]
    of_run = ["config.json", "figures/a.png", "history.csv", "report.html", "report.pdf"]
    expected = sorted([*(f"HW1_A_1/code/{name}" for name in code), *(f"HW1_A_1/{name}" for name in of_run)])
    inside = packed(tmp_path / "out.zip")
    assert list(inside) == expected
    assert inside["HW1_A_1/report.html"] == "report.html"
    assert inside["HW1_A_1/code/train.py"] == "code"


def test_a_report_that_was_written_before_the_last_epoch_is_not_packed(run, project):
    (run / "report.html").write_text('<meta name="epochs" content="2">')
    (run / "history.csv").write_text("epoch,loss\n1,0\n2,0\n")
    assert "report.html" in submission.contents(run, project)
    (run / "history.csv").write_text("epoch,loss\n1,0\n2,0\n3,0\n")
    with pytest.raises(UserError, match="a run of 2 epochs, and the run has 3; write the report"):
        submission.contents(run, project)


def test_the_same_files_give_the_same_bytes_whatever_their_times(run, project, tmp_path):
    files = submission.contents(run, project)
    submission.pack("HW1_A_1", files, tmp_path / "one.zip")
    os.utime(run / "report.html", (1e9, 1e9))
    submission.pack("HW1_A_1", dict(reversed(files.items())), tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_the_command_packs_the_latest_run_and_prints_the_path(run, project, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(submission, "contents", lambda folder: real_contents(folder, project))
    assert submission.main(["--name", " Ada Lovelace ", "--id", "12-3"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("runs/HW1_Ada_Lovelace_12-3.zip (0.0 MB): 5 files of runs/mine, 4 files of code\n")
    assert "missing in runs/mine and in the archive: metrics.json;" in said
    assert "HW1_Ada_Lovelace_12-3/report.html" in packed(tmp_path / "runs" / "HW1_Ada_Lovelace_12-3.zip")
    (run / "report.html").unlink()
    (run.parent / "HW1_Ada_Lovelace_12-3.zip").unlink()
    assert submission.main(["--name", "Ada", "--id", "1", "--run", "runs/mine"]) == 2
    missing = "has no report.html; write the report with python evaluate.py --report --run runs/mine"
    assert capsys.readouterr().err == f"submission: runs/mine {missing}\n"
    assert [path.name for path in run.parent.iterdir()] == ["mine"]


real_contents = submission.contents


@pytest.mark.parametrize(
    ("name", "student_id", "expected"),
    [
        ("Ada Lovelace", "123", "HW1_Ada_Lovelace_123"),
        ("Jean-Luc_P", "a-1", "HW1_Jean-Luc_P_a-1"),
        ("سارا احمدی", "۹۸۱", "HW1_سارا_احمدی_۹۸۱"),
        ("सीता", "7", "HW1_सीता_7"),
        ("E\N{COMBINING ACUTE ACCENT}va", "7", "HW1_Éva_7"),
    ],
)
def test_names_in_any_script_are_accepted(name, student_id, expected):
    assert submission.title(name, student_id) == expected


@pytest.mark.parametrize(
    ("name", "student_id", "message"),
    [
        ("../Ada", "1", r"^--name '\.\./Ada' holds \.; use only letters, digits, - and _$"),
        ("a/b", "1", r"holds /"),
        ("a\\b", "1", r"holds \\"),
        ("Ada", "1 2", r"^--id '1 2' holds  ;"),
        ("Ada\u200bL", "1", r"holds ZERO WIDTH SPACE;"),
        ("Ada\n", "1", r"holds character 10;"),
        ("O'Brien", "1", r"holds ';"),
        ("x²", "1", r"holds ²;"),
        ("", "1", r"^--name '' has neither a letter nor a digit; pass your name$"),
        ("Ada", "_-", r"^--id '_-' has neither"),
        ("é" * 120, "1", r"is too long for a file name"),
    ],
)
def test_other_names_are_refused(name, student_id, message):
    with pytest.raises(UserError, match=message):
        submission.title(name, student_id)
