"""A pytest plugin that runs the tests of what changed, nearest first, within a limit of time: `make check`.

    python -m pytest -p tests.changed -n 2 --dist loadfile --no-loadscope-reorder --changed-since main

A test file is near to a changed file if few imports lead from one to the other:

- 0: it is the changed file itself, or it mirrors it (`pgm_tfp/uai.py` and `tests/pgm_tfp/test_uai.py`);
- 1: it imports the changed file, or its text names it (a script, a page, a module that a child process imports);
- 2 and more: a module that it imports does so.

Test files in the same package as the changed module come before others at the same distance, and files that train a run
come after them. What does not fit into the limit is skipped, and the last lines of the output say how many tests that
were. The limit makes this a quick answer, not a proof: `make test` runs everything.
"""

import ast
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("benchmarks", "common", "course", "data", "docs", "pgm_tfp", "tests", "vae_keras")
RUN = ("train.py", "evaluate.py")  # tests name them to run them
WHOLE_FOLDER = ("__init__", "conftest", "support")  # a change may concern every test of their folder
ALWAYS = ("tests.test_imports", "tests.test_words")  # quick, and about every file
LEFT_OUT = "they did not fit into the time of make check; make test runs them"
TRAINS = ("train.main(", 'script("train.py"', "tiny_run", "evaluated_run", "subprocess.run(", "Popen(")


def changed_files(since: str, root: Path = ROOT) -> set[str]:
    """The files that differ from the commit at which `since` and HEAD parted, untracked files included."""

    def git(*arguments: str) -> list[str]:
        ended = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True)
        return ended.stdout.split("\0")[:-1] if "-z" in arguments else [ended.stdout.strip()]

    (base,) = git("merge-base", since, "HEAD")
    return {*git("diff", "--name-only", "-z", base), *git("ls-files", "--others", "--exclude-standard", "-z")}


def module_of(path: Path) -> str:
    """The dotted name of a Python file of the project."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


class Project:
    """Which Python file imports which.

    Attributes:
        files: paths of all Python files, relative to the root, by the name of the module.
        imports: by module, the modules of the project that it imports anywhere in its text.
    """

    def __init__(self, root: Path = ROOT):
        self.root = root
        paths = [path for package in PACKAGES for path in (root / package).rglob("*.py")]
        paths += [root / script for script in RUN]
        self.files = {module_of(path.relative_to(root)): path.relative_to(root) for path in paths if path.exists()}
        self.texts = {module: (root / path).read_text(encoding="utf-8") for module, path in self.files.items()}
        self.imports = {module: set(self._imported_by(module)) for module in self.files}

    def _imported_by(self, module: str) -> Iterator[str]:
        for node in ast.walk(ast.parse(self.texts[module])):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names if alias.name in self.files)
            elif isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    below = f"{node.module}.{alias.name}"
                    if below in self.files:
                        yield below
                    elif node.module in self.files:
                        yield node.module

    def tests(self) -> dict[str, Path]:
        """The test files by module."""
        return {module: path for module, path in self.files.items() if path.name.startswith("test_")}

    def distances(self, changed: str) -> dict[str, int]:
        """By module of a test file that a change of this file can reach: the distance (see the top of this file)."""
        path = Path(changed)
        module = module_of(path) if path.suffix == ".py" else changed
        names = {changed, path.name} if path.suffix != ".py" or path.name in RUN else {changed, module}
        naming = {one for one, text in self.texts.items() if any(f'{name}"' in text for name in names)}
        found, edge, distance = {module: 0}, {module}, 0
        while edge:
            distance += 1
            above = {importer for importer, imported in self.imports.items() if imported & edge}
            edge = (above | (naming if distance == 1 else set())) - found.keys()
            found |= dict.fromkeys(edge, distance)
        tests = self.tests()
        reached = {one: steps for one, steps in found.items() if one in tests}
        folder = path.parent if path.parts[0] == "tests" else Path("tests", path.parent)
        while not (self.root / folder).is_dir():
            folder = folder.parent
        if folder == Path("tests") and path.parts[0] != "tests":
            folder = Path("tests/docs")  # README, Makefile, settings
        for one, test in tests.items():
            if test == Path("tests", path.parent, f"test_{path.stem.strip('_')}.py"):
                reached[one] = 0
            elif (path.suffix != ".py" or path.stem in WHOLE_FOLDER) and test.is_relative_to(folder):
                reached.setdefault(one, 1)
        return reached | dict.fromkeys(ALWAYS, 0)

    def order(self, changed: set[str]) -> list[str]:
        """The paths of the test files that these changes can reach, nearest first."""
        keys: dict[str, tuple[int, bool, bool, str]] = {}
        for one in sorted(changed):
            package = Path("tests", Path(one).parent)
            for test, distance in self.distances(one).items():
                path = self.files[test]
                trains = any(sign in self.texts[test] for sign in TRAINS)
                key = (distance, not path.is_relative_to(package), trains, path.as_posix())
                keys[test] = min(keys.get(test, key), key)
        # Tests that train a run come after quick tests at up to two steps more.
        return [path for *_, path in sorted(keys.values(), key=lambda key: (key[0] + 2 * key[2], *key[1:]))]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--changed-since", metavar="COMMIT", help="run the tests of what changed since this commit")
    parser.addoption("--limit", type=float, default=70.0, help="seconds after which no test starts (default 70)")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[DEADLINE] = time.monotonic() + config.getoption("--limit")


DEADLINE = pytest.StashKey[float]()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    since = config.getoption("--changed-since")
    if since is None:
        return
    place = {path: number for number, path in enumerate(Project().order(changed_files(since)))}
    kept = [item for item in items if item.path.relative_to(ROOT).as_posix() in place]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = sorted(kept, key=lambda item: place[item.path.relative_to(ROOT).as_posix()])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if time.monotonic() > item.config.stash[DEADLINE]:
        pytest.skip(LEFT_OUT)
