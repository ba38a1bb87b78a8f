"""The processes that train a run, as `train.py --distribute` chooses them."""

import argparse
import hashlib
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from common.command_line import Parser
from common.errors import UserError
from common.ranges import Range
from vae_keras.cluster import WAIT, Cluster, Settings, Team, read_cluster, together
from vae_keras.command_line import start_tensorflow
from vae_keras.config import Config
from vae_keras.registry import flag_of
from vae_keras.run_data import RunData
from vae_keras.run_folder import Run, trained_by_this_process

if TYPE_CHECKING:
    from vae_keras.distributed import Devices

PACKAGE = Path(__file__).resolve().parent
DISTRIBUTE = ("none", "mirrored", "multiworker")


def add_distribution(parser: Parser) -> None:
    """The flags from which `processes_of` reads."""
    parser.add_argument(
        "--distribute",
        choices=DISTRIBUTE,
        default="none",
        help="mirrored: train on all GPUs of this machine; multiworker: as one of the processes that TF_CONFIG names, "
        "one on each machine (default none)",
    )
    parser.add_argument(
        "--wait",
        type=float,
        metavar="SECONDS",
        help=f"how long a process waits for the others of --distribute multiworker (default {WAIT:g})",
    )


class Processes(NamedTuple):
    """The processes that train a run. `processes_of` makes them.

    Attributes:
        distribute: one of `DISTRIBUTE`.
        cluster, team: of multiworker.
    """

    distribute: str
    cluster: Cluster | None = None
    team: Team | None = None

    @property
    def writes(self) -> bool:
        """Whether this process writes the run."""
        return self.cluster is None or self.cluster.is_chief

    def lock(self, run: Run) -> AbstractContextManager[None]:
        """While the block runs, no other process writes the run."""
        return trained_by_this_process(run) if self.writes else nullcontext()

    def agree(self, config: Config, data: RunData, done: int = 0) -> None:
        """Wait until all processes have come this far, with the same settings, images and finished epochs.

        Raises:
            UserError: another process has other settings, or it is gone; or the precision is float16.
        """
        refuse_float16(self.distribute, config)
        if self.team:
            self.team.agree(shared_settings(config, data, done))

    def devices(self) -> "Devices":
        """The devices of all processes. TensorFlow has to be loaded before, and nothing computed."""
        from vae_keras import distributed

        if self.cluster and self.team:
            # TensorFlow would wait for ever for the devices of a machine that has fewer.
            self.team.agree({"GPUs": str(distributed.count_of_gpus())})
            return distributed.multi_worker(self.cluster)
        return distributed.mirrored() if self.distribute == "mirrored" else distributed.Devices()


def refuse_float16(distribute: str, config: Config) -> None:
    """Refuse a precision in which each device would skip the steps in which its own gradients overflow.

    Raises:
        UserError: the precision is float16, on several devices.
    """
    if distribute != "none" and config.precision == "float16":
        raise UserError(
            f"--distribute {distribute} with --precision float16: devices would skip different steps; train a run with "
            "--precision bfloat16"
        )


def shared_settings(config: Config, data: RunData, done: int) -> Settings:
    """What has to be the same in all processes. The path of the images may differ; the images may not."""
    images = json.dumps([data.dataset.digests(), *(part.tolist() for part in data.split)])
    return {
        **{flag_of(name): str(value) for name, value in config.settings().items() if name != "data"},
        "finished epochs": str(done),
        "images with digest": _digest(images.encode()),
        "a checkout with digest": _digest(*(path.read_bytes() for path in sorted(PACKAGE.rglob("*.py")))),
        **{package: version(package) for package in ("keras", "tensorflow")},
    }


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]


@contextmanager
def processes_of(flags: argparse.Namespace) -> Iterator[Processes]:
    """The processes that the flags ask for; all of them are there while the block runs.

    Raises:
        UserError: flags that do not fit together, a wrong TF_CONFIG, a process that is missing or gone, or a machine
            with one device.
    """
    if flags.wait is not None and flags.distribute != "multiworker":
        raise UserError("--wait is for --distribute multiworker; leave it out")
    wait = WAIT if flags.wait is None else flags.wait
    if reason := Range(1, 86_400).refusal(wait):
        raise UserError(f"--wait {wait:g} {reason}")
    if flags.distribute == "multiworker":
        cluster = read_cluster()
        with together(cluster, wait) as team:
            yield Processes(flags.distribute, cluster, team)
        return
    if flags.distribute == "mirrored":
        start_tensorflow()
        from vae_keras.distributed import devices_of_this_machine

        devices_of_this_machine()
    yield Processes(flags.distribute)
