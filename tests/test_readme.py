"""The README says what is true, and the page of commands names every figure."""

import ast
import re

from tests.support import ROOT
from vae_keras.run_folder import Run

README, COMMANDS = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/command-line.md"))


def test_every_figure_of_an_evaluation_is_on_the_page_of_commands(evaluated_run):
    named = re.sub(r"`([^`]*)\.png`, `\.gif`", r"`\1.png`, `\1.gif`", COMMANDS)
    patterns = [
        re.escape(name).replace(r"\*", ".*").replace("_NAME", "(_.*)?")
        for name in re.findall(r"`(?:figures/)?([^`/ ]+\.(?:png|gif))`", named)
    ]
    for path in Run(evaluated_run).figures.iterdir():
        assert any(re.fullmatch(pattern, path.name) for pattern in patterns), path.name


def test_every_file_of_the_map_is_there():
    here = ROOT
    for row in re.findall(r"^\| (`.*?) \|", README, re.MULTILINE):
        for name in re.findall(r"`([^`]+)`", row):
            place = ROOT / name if (ROOT / name).exists() else here / name
            assert place.exists(), name
            here = place.parent


def test_the_graphical_models_example_gives_what_its_comments_say(capsys):
    (example,) = re.findall(r"```python\n(from pgm_tfp.*?)```", README, re.DOTALL)
    names: dict = {}
    for block in ast.parse(example).body:
        text = ast.get_source_segment(example, block)
        comment = example.splitlines()[block.end_lineno - 1].partition("  # ")[2]
        if isinstance(block, ast.Expr) and comment.startswith("{"):
            said = ast.literal_eval(comment[: comment.index("}") + 1])
            assert {state: round(p, 3) for state, p in eval(text, names).items()} == said
        else:
            exec(text, names)
    assert capsys.readouterr().out.strip() == re.search(r"# (O -> T.*)", example)[1]
