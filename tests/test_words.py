"""Names that the project has retired do not come back.

Each retired name had a plainer name of the field, or was a second word for one thing. The patterns match the names, not
the same words in their usual meaning: a sum may be divided.
"""

import re
from typing import NamedTuple

import pytest

from tests.support import ROOT

FOLDERS = ("common", "data", "vae_keras", "pgm_tfp", "course", "benchmarks", "docs", ".ci")
SUFFIXES = (".py", ".md", ".yml", ".toml", ".txt", ".cff")
NOT_CHECKED = ("LICENSE", "CHANGELOG.md")


class Retired(NamedTuple):
    """A retired name.

    Attributes:
        pattern: a regular expression for the name, in a line of a file or in the path of a file.
        instead: the name that replaces it, and why.
        example: a line that the pattern matches.
        allowed: a line that the pattern does not match.
        within: the starts of the paths that are checked.
    """

    pattern: str
    instead: str
    example: str
    allowed: str = "a line without it"
    within: tuple[str, ...] = ("",)


RETIRED = [
    Retired(
        r"\bwhole_file\b",
        "atomic_write: the term for a file that is replaced as a whole",
        "with whole_file(path) as temporary:",
        "a damaged line makes the whole file unreadable",
    ),
    Retired(
        r"\bclass Study\b|\bStudy\(|\bExhibit\b|\bexhibit\(|\bvae_keras[./]exhibits\b",
        "EvaluationContext, Evaluation, vae_keras/evaluation/: an evaluation makes figures and numbers",
        "def curves(study: Study) -> Exhibit:",
        "the study of Locatello et al. (2019)",
    ),
    Retired(
        r"\btest_pictures\b",
        "names that say uint8 or [0, 1]: both were images of the test split",
        "context.test_pictures",
    ),
    Retired(
        r"\bTwin\b|\btwin_of\b|\btorch_twin\b",
        "TorchVae, torch_vae_of: the network in PyTorch",
        "from benchmarks.torch_twin import twin_of",
        "the `val_` twins of these columns",
    ),
    Retired(
        r"\bdata[./]benchmarks\b",
        "data/downloads.py: benchmarks/ holds measurements, this module downloads data sets",
        "from data.benchmarks import lfw",
        "everything in benchmarks/ is a measurement",
    ),
    Retired(
        r"\bvae_keras[./](outputs|noise|values|features)\b(?!\()",
        "types, seeded_layers, registry, feature_spaces: the names say what the modules hold",
        "from vae_keras.outputs import Posterior",
    ),
    Retired(
        r"\bclass Cells\b|\bCells\(|-> Cells\b",
        "PatchGrid: the patches of an image that the linear start works on",
        "class Cells(NamedTuple):",
        "Cells of a table",
        within=("vae_keras/",),
    ),
    Retired(
        r"\bdef picture\(|\blikelihood\.picture\(",
        "mean: what the method returns is the mean of the likelihood",
        "pixels = self.likelihood.picture(logits)",
        within=("vae_keras/",),
    ),
    Retired(
        r"\brisen\(|\bimport .*\brisen\b",
        "warmed_up: the term for a weight that rises during the first epochs is warm-up",
        "beta = self.beta * risen(forward.epoch, self.warm_up)",
    ),
    Retired(
        r"\bdef studies\(|\bimport studies\b|\bstudies\(",
        "comparisons: each compares approximate with exact answers",
        "parts = studies(flags.seed)",
        "studies of disentanglement",
    ),
    Retired(
        r"\bClimb\b|\b_?climbs?\b(?=[ ,]* = |\(|\.)|\bclimbing\b",
        "iterate, maximise: an optimisation has iterates and a maximum",
        "class Climb(NamedTuple):",
        "to climb from every start",
        within=("pgm_tfp/",),
    ),
    Retired(
        r"\bjudged\(|\bsettled\(|\bdef (judged|settled)\b",
        "names that say what is checked: convergence",
        "best, converged = judged(ended, family)",
        "the scores are judged by random batches",
        within=("pgm_tfp/",),
    ),
    Retired(
        r"\bdata[./]tables\b|\bTableOfImages\b",
        "data/attribute_tables.py, AttributeTable: a table is also a potential, a layer list and a figure of a report",
        "from data.tables import read_table",
    ),
    Retired(
        r"\bclass Decoded\b|\bimport Decoded\b|\.remarks\b|\bremarked\b",
        "DecodedImage with warnings",
        "for remark in result.remarks:",
        within=("data/",),
    ),
    Retired(
        r"\bpicture_(figure|animation|labels)\b|\bplots[./]pictures\b",
        "image_figure, image_animation, image_labels, plots/images.py: these are figures of images",
        "from vae_keras.plots import picture_figure",
    ),
    Retired(
        r"\bDivision\(|\bclass Division\b|\bdivided\(",
        "groups, TrainTestSplit, train_test_split: the terms of the field",
        "division = divided(codes, factors, seed)",
        "the entropy is divided by its base",
        within=("vae_keras/",),
    ),
    Retired(
        r"\brace\(|import race\b",
        "ranked_curves: curves that are compared by their last values",
        "return race(curves, title, caption, xlabel, ylabel)",
        "a trace(matrix)",
        within=("vae_keras/", "benchmarks/"),
    ),
    Retired(
        r"\bdocs[./]course\b",
        "course/: what makes hand-outs is code, not documentation",
        "python -m docs.course.submission",
    ),
    Retired(
        r"\bexact[./]many\b",
        "exact/batched.py: many rows of evidence are a batch",
        "from pgm_tfp.exact.many import posteriors",
    ),
    Retired(
        r"\bclass Answer\b|\bAnswer\(|\bimport Answer\b|\bpgm_tfp[./]section\b",
        "common.text_section.TextSection: what a command prints and a report shows; only the assignment has answers",
        "from vae_keras.report import Answer",
        "Answer the assignment's parts 1.1 to 1.4",
    ),
    Retired(
        r"\bpgm_tfp[./](learned|studies)\b|\ball_comparisons\b|\bimport learned\b",
        "learning_report.py, comparisons.py: names of what the modules write",
        "from pgm_tfp.learned import learned, write_tables",
        "learned.png",
    ),
]


def checked_files():
    """The text files of the project, by their paths."""
    top = [path for path in ROOT.iterdir() if path.suffix in SUFFIXES or path.name == "Makefile"]
    below = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    files = [path for path in below if path.suffix in SUFFIXES or path.parent.name == ".ci"]
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted([*top, *files])
        if path.is_file() and path.name not in NOT_CHECKED
    }


FILES = checked_files()


@pytest.mark.parametrize("retired", RETIRED, ids=lambda retired: retired.example)
def test_a_retired_name_is_nowhere(retired):
    pattern = re.compile(retired.pattern)
    found = [
        f"{name}:{number}: {line.strip()}"
        for name, text in FILES.items()
        if name.startswith(retired.within)
        for number, line in enumerate([name, *text.splitlines()])
        if pattern.search(line)
    ]
    assert not found, f"{retired.instead}\n" + "\n".join(found)


@pytest.mark.parametrize("retired", RETIRED, ids=lambda retired: retired.example)
def test_a_pattern_matches_the_retired_name_and_not_the_usual_word(retired):
    assert re.search(retired.pattern, retired.example)
    assert not re.search(retired.pattern, retired.allowed)


def test_all_packages_and_pages_are_checked():
    assert {"Makefile", "train.py", "common/errors.py", "vae_keras/model.py", "docs/notation.md"} <= set(FILES)
