"""What train.py and evaluate.py share: the settings as flags, TensorFlow's errors as one line."""

import argparse
import errno
import logging
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from common import command_line
from common.command_line import Parser, Remedies
from common.errors import UserError
from common.quiet import import_quietly, quiet_tensorflow
from vae_keras.backend import tf
from vae_keras.config import OWN, described_as, options_by_part
from vae_keras.parts import PARTS
from vae_keras.registry import Option, flag_of

REMEDIES = Remedies(
    memory="pass a smaller --batch-size, --image-size or number of images",
    space="make room there, or pass another --run",
    refusal="pass a --run that can be written, such as a copy of the run elsewhere",
)


def add_settings(parser: Parser) -> None:
    """One flag for each setting; flags that are not given leave no trace in the result.

    The options of the parts that are chosen by name follow the flag that chooses the part.
    """
    for setting in OWN.values():
        if setting.name not in PARTS:
            _add_flag(parser, setting.name, setting.type, f"{setting.help} (default {setting.default})")
            continue
        known = ", ".join(PARTS[setting.name])
        _add_flag(parser, setting.name, str, f"{setting.help}: one of {known} (default {setting.default})")
        for name, options in options_by_part(setting.name).items():
            _add_flag(parser, name, next(iter(options.values())).type, help_of(options))


def help_of(options: Mapping[str, Option]) -> str:
    """The help of an option that these parts have, by their names: what it does in each, and its defaults."""
    texts: dict[str, list[str]] = {}
    for part, option in options.items():
        texts.setdefault(option.help, []).append(part)
    defaults = {part: option.default_in_words for part, option in options.items()}
    if len(set(defaults.values())) > 1:
        default = ", ".join(f"{value} for {part}" for part, value in defaults.items())
    else:
        default = next(iter(defaults.values()))
    said = "; ".join(f"of {' and '.join(parts)}: {text}" for text, parts in texts.items())
    return f"{said} (default {default})"


def _add_flag(parser: Parser, name: str, kind: type, text: str) -> None:
    text = text.replace("%", "%%")
    if kind is bool:
        text = text.removesuffix(" (default False)")
        action = argparse.BooleanOptionalAction
        parser.add_argument(flag_of(name), action=action, default=argparse.SUPPRESS, help=text)
    else:
        metavar = kind.__name__.upper()
        parser.add_argument(flag_of(name), type=kind, default=argparse.SUPPRESS, metavar=metavar, help=text)


def given_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings that were typed, by name."""
    return {name: value for name, value in vars(arguments).items() if described_as(name)}


def start_tensorflow(deterministic: bool = False) -> None:
    """Load Keras on TensorFlow, for a script.

    Args:
        deterministic: whether the same operations give the same bits in every run.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    quiet_tensorflow()
    import_quietly("tensorflow", "keras")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # its warnings are about code, not about what was asked
    if deterministic:
        tf.config.experimental.enable_op_determinism()


def run_script(name: str, script: Callable[[], None]) -> int:
    """Run a script's work; its exit status. See `common.command_line.run_script`."""
    return command_line.run_script(name, lambda: _with_errors_of_python(script), REMEDIES)


def _with_errors_of_python(script: Callable[[], None]) -> None:
    """TensorFlow writes its logs itself, and has its own errors for refusals of the machine."""
    try:
        script()
    except Exception as refusal:
        if not type(refusal).__module__.startswith("tensorflow.") or not isinstance(refusal, tf.errors.OpError):
            raise
        # TensorFlow puts {{...}} around the names of its nodes, and [Op:...] behind the reason.
        reason = re.sub(r"\{\{.*?\}\}\s*|\s*\[Op:.*?\]", "", str(refusal.message).partition("\n")[0])
        full = os.strerror(errno.ENOSPC) in str(refusal.message)
        if full and os.strerror(errno.ENOSPC) not in reason:
            reason = os.strerror(errno.ENOSPC)
        if isinstance(refusal, tf.errors.ResourceExhaustedError) and not full:
            raise MemoryError from refusal
        of_files = (tf.errors.PermissionDeniedError, tf.errors.FailedPreconditionError, tf.errors.NotFoundError)
        if not full and not isinstance(refusal, of_files):
            raise
        raise UserError(f"{reason}; {REMEDIES.against(errno.ENOSPC if full else None)}") from refusal
