"""Makes notebooks from pages of the documentation: python -m docs.notebooks [FOLDER].

The page is the only source. In the notebook, a block of Python is a cell, and a command is a cell that runs it in the
notebook's own process (`%run`). What a command prints is not copied, because the cell prints it. Two kinds of comments
mark what appears only on the page or only in the notebook:

    <!-- page -->                      <!-- notebook
    only on the page                   only in the notebook: text, and blocks of Python
    <!-- /page -->                     -->
"""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from common.files import write_text

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("tutorial", "server-room")
FOLDER = Path("runs") / "notebooks"
PAGE_ONLY = re.compile(r"^<!-- page -->\n.*?^<!-- /page -->\n", re.DOTALL | re.MULTILINE)
NOTEBOOK_ONLY = re.compile(r"^<!-- notebook\n(.*?)^-->\n", re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
PRINTED = re.compile(r"(^```(?:python|sh)\n[^`]*^```\n)\n```text\n.*?^```\n", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|#)([^)\n]+)\)")
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
START_JUPYTER = "Start Jupyter in the top folder of the project."
ANYWHERE = "Start Jupyter in the top folder of the project, or open this notebook in Colab."
FETCH = """if not Path("train.py").exists() and not Path("../../train.py").exists():
    !git clone --depth 1 {repository} face-vae
    os.chdir("face-vae")
"""
START = """## Before the first cell

{where} This cell finds the project and installs its packages. In Colab, restart the session afterwards if Colab
asks for it, and run the cell again.

```python
import os
from pathlib import Path

{fetch}above = [folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "train.py").exists()]
assert above, "start Jupyter in the folder of the project, the one with train.py"
os.chdir(above[0])
%pip install --quiet --disable-pip-version-check -r requirements.txt
%matplotlib inline
from IPython.display import Image, display
```

"""


def notebook(page: str, repository: str = "") -> NotebookNode:
    """The notebook of a page.

    Args:
        page: its name, without the ending.
        repository: the address from which the first cell clones the project where it is not there yet.

    Raises:
        ValueError: the page has a command for which there is no cell.
    """
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    text = NOTEBOOK_ONLY.sub(r"\1", PAGE_ONLY.sub("", text))
    text = BLOCK.sub(_cell, PRINTED.sub(r"\1", text))
    text = LINK.sub(lambda link: f"](../../docs/{link[1]})", text)
    title, rest = text.split("\n\n", 1)
    fetch = FETCH.format(repository=repository) if repository else ""
    start = START.format(fetch=fetch, where=ANYWHERE if repository else START_JUPYTER)
    made = jupytext.reads(f"{title}\n\n{start}{rest}", fmt="md")
    for number, cell in enumerate(made.cells):
        cell["id"] = f"{page}-{number}"  # the same in every build
    made.metadata = {"kernelspec": KERNEL}
    nbformat.validate(made)
    return made


def commands_of(text: str) -> Iterator[str]:
    """The commands in a block of commands, without comments and line breaks behind a backslash."""
    for line in text.replace("\\\n", " ").splitlines():
        if command := re.sub(r"\s+#.*", "", line).strip():
            yield command


def cells_of(command: str) -> list[str]:
    """The lines that do in a notebook what a command does in a terminal.

    Raises:
        ValueError: there are no such lines; the page should keep the command for itself.
    """
    program = shlex.split(command)[0]
    rest = command.removeprefix(program).strip()
    if program == "python":
        return [f"%run {rest}"]
    if program == "tensorboard":
        return ["%load_ext tensorboard", f"%tensorboard {rest}"]
    if command == "make demo":
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        settings = re.search(r"^DEMO_SETTINGS := (.*)$", makefile, re.MULTILINE)
        assert settings is not None
        return [f"%run train.py {settings[1]} --run runs/demo", "%run evaluate.py --run runs/demo"]
    raise ValueError(f"no cell does what {command!r} does; put it between <!-- page --> and <!-- /page -->")


def _cell(block: re.Match[str]) -> str:
    """A block of commands as a block of Python; other blocks stay."""
    if block[1] != "sh":
        return block[0]
    lines = [line for command in commands_of(block[2]) for line in cells_of(command)]
    return "```python\n" + "\n".join(lines) + "\n```\n"


def origin() -> str:
    """The address of the repository from which this checkout was cloned, without a name and a password.

    It is empty if there is none, or none that anybody can clone.
    """
    found = subprocess.run(
        ["git", "remote", "get-url", "origin"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    return re.sub(r"^https://[^/@]*@", "https://", found) if found.startswith("https://") else ""


def main() -> None:
    """Write the notebooks of all pages."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for page in PAGES:
        path = folder / f"{page}.ipynb"
        write_text(path, nbformat.writes(notebook(page, origin())))
        print(path)


if __name__ == "__main__":
    main()
