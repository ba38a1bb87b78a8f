"""The README's map of commands and figures is complete."""

import ast
import re

import evaluate
from tests.support import ROOT
from vae_keras.run_folder import Run

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_choice_of_evaluate_is_in_the_map():
    choices = set(vars(evaluate.parse([]))) - {"run", "data"}
    listed = set(re.findall(r"^\| `--([a-z-]+)", README, re.MULTILINE))
    assert {choice.replace("_", "-") for choice in choices} <= listed


def test_every_figure_of_an_evaluation_is_in_the_map(evaluated_run):
    named = re.sub(r"`([^`]*)\.png`, `\.gif`", r"`\1.png`, `\1.gif`", README)
    patterns = [
        re.escape(name).replace(r"\*", ".*").replace("_NAME", "(_.*)?")
        for name in re.findall(r"`(?:figures/)?([^`/ ]+\.(?:png|gif))`", named)
    ]
    for path in Run(evaluated_run).figures.iterdir():
        assert any(re.fullmatch(pattern, path.name) for pattern in patterns), path.name


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
