"""Train a variational autoencoder on faces: python train.py --epochs 1000 --lr 5e-4."""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from common.installed import require_packages

require_packages("train.py")

from common.command_line import Parser, folder_path, open_streams

open_streams()

from common.files import write_text
from data.image_cache import CACHE, CACHE_HELP
from vae_keras.command_line import add_settings, given_settings, run_script, start_tensorflow
from vae_keras.config import Config
from vae_keras.config_file import load_config, save_config
from vae_keras.processes import Processes, add_distribution, processes_of, refuse_float16
from vae_keras.resuming import settings_to_resume
from vae_keras.run_data import RunData, open_data, read_data
from vae_keras.run_folder import (
    Run,
    check_free,
    create_run,
    last_checkpoint,
    latest_run,
    new_folder,
    open_run,
)

RESUME = "python train.py --resume"


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The flags of this script, from these arguments or the command line."""
    parser = Parser(prog="train.py", description=__doc__)
    add_settings(parser)
    parser.add_argument(
        "--run", type=folder_path, metavar="FOLDER", help="the folder of the run (default runs/DATE_TIME)"
    )
    parser.add_argument("--cache", type=folder_path, default=CACHE, metavar="FOLDER", help=CACHE_HELP)
    parser.add_argument("--resume", action="store_true", help="go on with --run, or with the latest run")
    add_distribution(parser)
    return parser.flags(arguments)


def train(arguments: list[str] | None) -> None:
    """Start a run, or go on with one."""
    flags = parse(arguments)
    asked = given_settings(flags)
    config = None if flags.resume else Config.of(**asked).checked()
    if config:
        refuse_float16(flags.distribute, config)
    with processes_of(flags) as processes:
        if config:
            begin(Run(flags.run or new_folder()), config, flags.cache, processes)
        else:
            run = open_run(flags.run) if flags.run else latest_run()
            with processes.lock(run), saying_how_to_go_on(run):
                go_on(run, asked, flags.cache, processes)


def begin(run: Run, config: Config, cache: Path, processes: Processes) -> None:
    """Train a new run."""
    if processes.writes:
        check_free(run.folder)
    with saying_how_to_go_on(run):
        data = open_data(config, cache)
        processes.agree(config, data)
        with processes.lock(run):
            if processes.writes:
                create_run(run.folder, config, data)
                print(f"training {run.folder} on {len(data.split.train):,} images; tensorboard --logdir {run.folder}")
            finish(run, config, data, 0, processes)


@contextmanager
def saying_how_to_go_on(run: Run) -> Iterator[None]:
    """If Ctrl-C ends the block, the message says how to go on. `vae_keras.training` ends an epoch first."""
    try:
        yield
    except KeyboardInterrupt:
        created = f"go on with {RESUME} --run {run.folder}"
        raise KeyboardInterrupt(created if run.config.exists() else "no run was made; start again") from None


def go_on(run: Run, asked: dict[str, Any], cache: Path, processes: Processes) -> None:
    """Go on with a run from its last checkpoint."""
    saved, done = load_config(run.config), last_checkpoint(run)
    config = settings_to_resume(saved, asked)
    if done == config.epochs:
        print(f"{run.folder} is finished: {done} epochs; pass a larger --epochs to go on")
        return
    data = read_data(config, run.split, cache)
    before = run.config.read_text(encoding="utf-8")
    processes.agree(config, data, done)
    if processes.writes:
        if config != saved:
            save_config(config, run.config)
        print(f"going on with {run.folder} after epoch {done}")
    try:
        finish(run, config, data, done, processes)
    except Exception:  # whatever it was: if no epoch was added, the settings stay as they were, too
        if processes.writes and last_checkpoint(run) == done:
            write_text(run.config, before)
        raise


def finish(run: Run, config: Config, data: RunData, done: int, processes: Processes) -> None:
    """Train the run up to its last epoch, or until a signal stops it."""
    start_tensorflow(deterministic=True)  # as late as this, so that wrong flags are answered at once
    from vae_keras.training import fit

    devices = processes.devices()
    start = time.perf_counter()
    finished = fit(run, config, data, devices=devices, done=done)
    if not processes.writes:
        print("finished" if finished else "stopped")
        return
    taken = timedelta(seconds=round(time.perf_counter() - start))
    resume = f"go on with {RESUME} --run {run.folder}"
    trained = f"{run.folder} is trained, {taken} in this process; python evaluate.py --run {run.folder}"
    print(trained if finished else f"stopped; {resume}")


def main(arguments: list[str] | None = None) -> int:
    """Run the script; its exit status."""
    return run_script("train.py", lambda: train(arguments))


if __name__ == "__main__":
    sys.exit(main())
