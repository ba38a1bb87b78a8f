"""What train.py and evaluate.py share: the settings as flags, TensorFlow's errors as one line."""

import argparse
import dataclasses
import errno
import logging
import os
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from common import command_line
from common.command_line import Parser, Remedies
from common.errors import UserError
from vae_keras.config import Config, default_of
from vae_keras.registry import flag_of

FILE_SYSTEM_ERRORS = (tf.errors.PermissionDeniedError, tf.errors.FailedPreconditionError, tf.errors.NotFoundError)
REMEDIES = Remedies(
    memory="pass a smaller --batch-size, --image-size or number of images",
    space="make room there, or pass another --run",
    refusal="pass a --run that can be written, such as a copy of the run elsewhere",
)


def add_settings(parser: Parser) -> None:
    """One flag for each field of `Config`; flags that are not given leave no trace in the result."""
    for field in dataclasses.fields(Config):
        kind, text = field.metadata["type"], field.metadata["help"]
        if kind is bool:
            parser.add_argument(
                flag_of(field.name), action=argparse.BooleanOptionalAction, default=argparse.SUPPRESS, help=text
            )
            continue
        parser.add_argument(
            flag_of(field.name),
            type=kind,
            default=argparse.SUPPRESS,
            metavar=kind.__name__.upper(),
            help=f"{text} (default {default_of(field)})",
        )


def given_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings that were typed, by field name."""
    names = {field.name for field in dataclasses.fields(Config)}
    return {name: value for name, value in vars(arguments).items() if name in names}


def run_script(name: str, script: Callable[[], None]) -> int:
    """Run a script's work; its exit status. See `common.command_line.run_script`."""
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # its warnings are about code, not about what was asked
    return command_line.run_script(name, lambda: _with_errors_of_python(script), REMEDIES)


def _with_errors_of_python(script: Callable[[], None]) -> None:
    """TensorFlow writes its logs itself, and has errors of its own for what the machine says."""
    try:
        script()
    except tf.errors.OpError as refusal:
        reason, full = str(refusal.message).partition("\n")[0], os.strerror(errno.ENOSPC) in str(refusal.message)
        if isinstance(refusal, tf.errors.ResourceExhaustedError) and not full:
            raise MemoryError from refusal
        if not full and not isinstance(refusal, FILE_SYSTEM_ERRORS):
            raise
        raise UserError(f"{reason}; {REMEDIES.against(errno.ENOSPC if full else None)}") from refusal
