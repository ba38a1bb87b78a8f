"""Every benchmark is on a page of the documentation, and every benchmark that a page names is there."""

import re

from tests.benchmarks.test_smoke import SMALL
from tests.support import ROOT


def test_every_benchmark_in_the_documentation_is_there():
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    named = {name for page in pages for name in re.findall(r"benchmarks[./](\w+)", page.read_text(encoding="utf-8"))}
    assert set(SMALL) <= named
    assert all((ROOT / "benchmarks" / f"{name}.py").exists() for name in named)
