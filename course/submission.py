"""Pack report, figures and code of a run as HW1_NAME_ID.zip: python -m course.submission --name NAME --id ID.

The archive holds one folder, HW1_NAME_ID, with report.html in it. The same files always give the same bytes.
"""

import argparse
import re
import sys
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from common.command_line import Parser, Remedies, folder_path, run_script
from common.errors import UserError
from common.files import UNFINISHED, atomic_write
from common.names import LONGEST
from course.tree import ROOT, code_files
from vae_keras.run_folder import latest_run, open_run

SUBMISSIONS = Path("runs")
OTHER_FILES = ("report.pdf", "metrics.json", "history.csv", "config.json")
FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # the first date that a zip file can hold
EPOCHS = re.compile(r'<meta name="epochs" content="([0-9]+)">')  # of the report
REGULAR, EXECUTABLE = 0o100644, 0o100755
REMEDIES = Remedies(
    memory="close other programs",
    space="make room there, or pass another --out",
    refusal="pass an --out that can be written",
)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The flags in these arguments, or on the command line."""
    parser = Parser(prog="python -m course.submission", description=__doc__)
    parser.add_argument("--name", required=True, metavar="NAME", help="your name; each space becomes _")
    parser.add_argument("--id", required=True, metavar="ID", help="your student number")
    parser.add_argument(
        "--run", type=folder_path, metavar="runs/NAME", help="the run to pack (default: the latest run)"
    )
    parser.add_argument(
        "--out",
        type=folder_path,
        default=SUBMISSIONS,
        metavar="FOLDER",
        help="the folder for the archive (default: runs)",
    )
    return parser.flags(arguments)


def title(name: str, student_id: str) -> str:
    """HW1_NAME_ID, with _ in place of each space in the name.

    Raises:
        UserError: a part is empty, is too long, or has characters other than letters of any script, digits, - and _.
    """
    parts = {"--name": name.strip(" ").replace(" ", "_"), "--id": student_id}
    for flag, part in parts.items():
        if not any(letter.isalnum() for letter in part):
            raise UserError(f"{flag} {part!r} has neither a letter nor a digit; pass your {flag[2:]}")
        for letter in part:
            if not _allowed(letter):
                shown = letter if letter.isprintable() else unicodedata.name(letter, f"character {ord(letter)}")
                raise UserError(f"{flag} {part!r} holds {shown}; use only letters, digits, - and _")
    whole = unicodedata.normalize("NFC", f"HW1_{parts['--name']}_{parts['--id']}")
    if len(whole.encode()) > LONGEST:
        raise UserError(f"{whole} is too long for a file name; shorten --name")
    return whole


def _allowed(letter: str) -> bool:
    # L: letters. M: marks that belong to the letter before them, such as vowels in many scripts. Nd: decimal digits.
    category = unicodedata.category(letter)
    return category[0] in "LM" or category == "Nd" or letter in "-_"


def run_folder(named: Path | None) -> Path:
    """The folder of this run, or of the latest run if none is named.

    Raises:
        UserError: there is no such run.
    """
    if named and (named / "config.json").is_file():
        return named

    return (open_run(named) if named else latest_run()).folder


def contents(run: Path, root: Path = ROOT) -> dict[str, Path]:
    """The files of the archive, by their paths in its folder.

    Raises:
        UserError: the run has no report, or one that was written before the last epoch.
    """
    report, history = run / "report.html", run / "history.csv"
    remedy = f"write the report with python evaluate.py --report --run {run}"
    if not report.is_file():
        raise UserError(f"{run} has no report.html; {remedy}")
    told = EPOCHS.search(report.read_text(encoding="utf-8", errors="replace"))
    if told and history.is_file() and int(told[1]) != (done := len(history.read_text().splitlines()) - 1):
        raise UserError(f"{report} is about a run of {told[1]} epochs, and the run has {done}; {remedy}")
    files = {report.name: report}
    files |= {name: run / name for name in OTHER_FILES if (run / name).is_file()}
    files |= {
        f"figures/{path.name}": path
        for path in (run / "figures").glob("*")
        if path.is_file() and not path.name.startswith(UNFINISHED)
    }
    return files | {f"code/{path}": root / path for path in code_files(root)}


def pack(top: str, files: Mapping[str, Path], archive: Path) -> None:
    """Write the files into the folder `top` of an archive. The same files always give the same bytes."""
    with atomic_write(archive) as temporary, zipfile.ZipFile(temporary, "w") as packed:
        for name, path in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{top}/{name}", FIRST_DAY)
            entry.create_system = 3  # Unix; the permissions below are those of Unix
            entry.external_attr = (EXECUTABLE if path.stat().st_mode & 0o100 else REGULAR) << 16
            packed.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=9)


def submit(flags: argparse.Namespace) -> None:
    """Pack the run of the flags, and print the path of the archive."""
    top, run = title(flags.name, flags.id), run_folder(flags.run)
    files, archive = contents(run), flags.out / f"{top}.zip"
    pack(top, files, archive)
    code = sum(name.startswith("code/") for name in files)
    size = archive.stat().st_size / 1e6
    print(f"{archive} ({size:.1f} MB): {len(files) - code} files of {run}, {code} files of code")
    if missing := [name for name in OTHER_FILES[1:] if name not in files]:
        print(
            f"missing in {run} and in the archive: {', '.join(missing)}; write them with python evaluate.py --run {run}"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script and return the exit status."""
    return run_script("submission", lambda: submit(parse(arguments)), REMEDIES)


if __name__ == "__main__":
    sys.exit(main())
