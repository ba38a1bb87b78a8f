"""The notebooks of the documentation, run from top to bottom by a kernel of their own.

Trainings have few images and one epoch. What a page prints below a block is what the notebook's cell prints.
"""

import re
import shlex
import shutil
import sys

import nbformat
import pytest
from nbclient import NotebookClient

from docs import notebooks
from docs.notebooks import PAGES, cells_of, commands_of, notebook
from tests.docs.small_settings import small
from tests.docs.test_walk import blocks_of
from tests.support import ROOT

# The kernel is another process, so it makes its evaluations small itself.
SMALL = f"""
import sys
sys.path.append({str(ROOT)!r})
from tests.conftest import small_evaluations
small = small_evaluations()
small.__enter__()
"""
SLOW = "%run -m pgm_tfp variational"  # half a minute; tests/pgm_tfp/test_main.py
PATIENCE = 600  # seconds for a cell
NEEDED = ("train.py", "evaluate.py", "requirements.txt", "docs")


def shortened(source):
    """A cell with few images and epochs, and without a server that would stay."""
    lines = []
    for line in source.splitlines():
        if line.startswith("%run train.py") and "runs/demo" in line:
            continue  # the demo is there already
        if line.startswith("%run train.py"):
            line = f"%run train.py {shlex.join(small(shlex.split(line)[2:]))}"
        if line.startswith("%run -m data"):
            line = re.sub(r"\b1000\b", "40", line)
        if line.startswith("%tensorboard") or line == SLOW or line == "%run evaluate.py --run runs/demo":
            continue
        lines.append(line)
    return "\n".join(lines)


def printed(cell):
    """All text that a cell has printed or shown."""
    texts = [
        output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in cell.get("outputs", ())
    ]
    return "".join(text if text.endswith("\n") else f"{text}\n" for text in texts)


def cell_of(made, block):
    """The cell that a block of a page has become."""
    source = block.text.strip()
    if block.kind == "sh":
        source = "\n".join(line for command in commands_of(block.text) for line in cells_of(command))
    (cell,) = [cell for cell in made.cells if cell.cell_type == "code" and cell.source == source]
    return cell


@pytest.mark.parametrize("page", PAGES)
def test_a_notebook_runs_from_top_to_bottom(page, demo, tmp_path, monkeypatch):
    for name in NEEDED:
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(demo, tmp_path / "runs" / "demo")
    made = notebook(page)
    expected = [(block, cell_of(made, block)) for block in blocks_of(page) if block.printed]
    for cell in made.cells:
        if cell.cell_type == "code":
            cell.source = shortened(cell.source)
    made.cells.insert(0, nbformat.v4.new_code_cell(SMALL))
    monkeypatch.setenv("JUPYTER_PATH", f"{sys.prefix}/share/jupyter")
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    NotebookClient(made, timeout=PATIENCE, resources={"metadata": {"path": str(tmp_path)}}).execute()
    for cell in made.cells:
        for output in cell.get("outputs", ()):
            assert output.output_type != "error", (cell.source, output)
    for block, cell in expected:
        said = {line.rstrip() for line in printed(cell).splitlines()}
        for line in block.printed.splitlines():
            assert line.rstrip() in said, f"{line!r} is not what {cell.source!r} prints: {said}"
    pictures = [output for cell in made.cells for output in cell.get("outputs", ()) if "data" in output]
    kinds = {kind for output in pictures for kind in output["data"]}
    assert "image/svg+xml" in kinds
    assert page == "server-room" or sum("image/png" in output["data"] for output in pictures) >= 10


@pytest.mark.parametrize("page", PAGES)
def test_a_notebook_has_every_cell_of_its_page_and_no_text_twice(page):
    made = notebook(page)
    code = "\n".join(cell.source for cell in made.cells if cell.cell_type == "code")
    for block in blocks_of(page):
        if block.kind == "python":
            assert block.text.strip() in code
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    for cell in made.cells[2:]:
        for paragraph in cell.source.split("\n\n") if cell.cell_type == "markdown" else ():
            assert len(paragraph) < 80 or paragraph.replace("../../docs/", "") in text
    assert [cell.id for cell in made.cells] == [cell.id for cell in notebook(page).cells]
    assert not [cell for cell in made.cells if "<!--" in cell.source]


def test_the_first_cell_fetches_the_project_where_it_is_not_there(tmp_path):
    first = next(cell for cell in notebook("tutorial", "https://example.org/project").cells if cell.cell_type == "code")
    assert "git clone --depth 1 https://example.org/project" in first.source
    assert first.source.index("git clone") < first.source.index("requirements.txt")
    assert "git clone" not in notebook("tutorial").cells[1].source


def test_a_command_that_no_cell_can_do_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "page.md").write_text("# Page\n\n```sh\nmake explore\n```\n")
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    with pytest.raises(ValueError, match="make explore"):
        notebook("page")


def test_links_of_a_notebook_lead_to_files(tmp_path):
    for page in PAGES:
        for cell in notebook(page).cells:
            for link in re.findall(r"\]\(([^)#]+)", cell.source) if cell.cell_type == "markdown" else ():
                if not link.startswith("http"):
                    assert (
                        (ROOT / "runs" / "notebooks" / ".." / ".." / link.removeprefix("../../")).resolve().exists()
                    ), link
