"""The processes that train a run, as `train.py --distribute` chooses them."""

import argparse
import hashlib
import json
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import version
from typing import TYPE_CHECKING, NamedTuple

from common.command_line import Parser
from common.errors import UserError
from common.ranges import Range
from vae_keras.cluster import WAIT, Cluster, Settings, read_cluster, together
from vae_keras.command_line import start_tensorflow
from vae_keras.config import Config
from vae_keras.registry import flag_of
from vae_keras.run_data import RunData
from vae_keras.run_folder import Run, trained_by_this_process

if TYPE_CHECKING:
    from vae_keras.distributed import Devices

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
    """The processes that train a run.

    Attributes:
        distribute: one of `DISTRIBUTE`.
        cluster: of multiworker.
        wait: seconds that each process waits for the others.
    """

    distribute: str
    cluster: Cluster | None
    wait: float

    @property
    def writes(self) -> bool:
        """Whether this process writes the run."""
        return self.cluster is None or self.cluster.is_chief

    def lock(self, run: Run) -> AbstractContextManager[None]:
        """While the block runs, no other process writes the run."""
        return trained_by_this_process(run) if self.writes else nullcontext()

    def together(self, config: Config, data: RunData, done: int = 0) -> AbstractContextManager[None]:
        """While the block runs, all processes are there, with the same settings, images and finished epochs."""
        if self.distribute != "none" and config.precision == "float16":
            raise UserError(
                f"--distribute {self.distribute} with --precision float16: devices would skip different steps; train a "
                "run with --precision bfloat16"
            )
        if self.distribute == "mirrored":
            start_tensorflow()
            from vae_keras.distributed import devices_of_this_machine

            devices_of_this_machine()  # refuses a machine with one device before anything is written
        if self.cluster is None:
            return nullcontext()
        return together(self.cluster, shared_settings(config, data, done), self.wait)

    def devices(self) -> "Devices":
        """The devices of all processes. TensorFlow has to be loaded before, and nothing computed."""
        from vae_keras import distributed

        if self.cluster:
            return distributed.multi_worker(self.cluster)
        return distributed.mirrored() if self.distribute == "mirrored" else distributed.Devices()


def shared_settings(config: Config, data: RunData, done: int) -> Settings:
    """What has to be the same in all processes. The path of the images may differ; the images may not."""
    images = json.dumps([data.dataset.digests(), *(part.tolist() for part in data.split)])
    return {
        **{flag_of(name): str(value) for name, value in config.settings().items() if name != "data"},
        "finished epochs": str(done),
        "images with digest": hashlib.sha256(images.encode()).hexdigest()[:16],
        **{package: version(package) for package in ("keras", "tensorflow")},
    }


def processes_of(flags: argparse.Namespace) -> Processes:
    """The processes that the flags ask for.

    Raises:
        UserError: flags that do not fit together, or a wrong TF_CONFIG.
    """
    if flags.wait is not None and flags.distribute != "multiworker":
        raise UserError("--wait is for --distribute multiworker; leave it out")
    wait = WAIT if flags.wait is None else flags.wait
    if reason := Range(1, 86_400).refusal(wait):
        raise UserError(f"--wait {wait:g} {reason}")
    return Processes(flags.distribute, read_cluster() if flags.distribute == "multiworker" else None, wait)
