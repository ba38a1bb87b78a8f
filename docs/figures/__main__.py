"""Draw the figures of the documentation into docs/images: python -m docs.figures."""

import importlib
import pkgutil
from pathlib import Path

from common.files import atomic_write

IMAGES = Path(__file__).resolve().parent.parent / "images"
DOTS_PER_INCH = 130


def main() -> None:
    """Draw the figures of every module in this folder and save them."""
    package = importlib.import_module("docs.figures")
    for module in pkgutil.iter_modules(package.__path__):
        if module.name == "__main__":
            continue
        for name, figure in importlib.import_module(f"docs.figures.{module.name}").figures().items():
            with atomic_write(IMAGES / name) as temporary:
                figure.savefig(temporary, dpi=DOTS_PER_INCH)
            print(IMAGES / name)


if __name__ == "__main__":
    main()
