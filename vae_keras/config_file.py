"""The settings of a run in its file `config.json`."""

import json
from pathlib import Path
from typing import Any

from common.errors import UserError
from common.files import check_format, read_json, write_text
from vae_keras.config import Config, described_as
from vae_keras.parts import PARTS

FORMAT = 2  # of run folders; folders without a number are of format 1


def save_config(config: Config, path: Path) -> None:
    """Write the settings."""
    write_text(path, json.dumps({"format": FORMAT, **config.settings()}, indent=2) + "\n")


def load_config(path: Path) -> Config:
    """The settings in a `config.json`.

    Raises:
        UserError: the file cannot be read, does not hold the settings of a run, was written by a later version, or
            holds a setting that is unknown or out of range.
    """
    try:
        saved = read_json(path)
        written = saved.pop("format", 1)
        check_format(path, written, FORMAT, "use the version that trained the run, or train a new one")
        if written == 1:  # settings that no chosen part uses were written as null
            saved = {name: value for name, value in saved.items() if value is not None}
        unknown = [name for name in saved if not described_as(name)]
        if unknown and {"data", "epochs"} <= saved.keys():
            raise UserError(
                f"{path} has settings that are not known ({', '.join(sorted(unknown))}); "
                "if a file of yours registers them, import it first; else use the version that trained the run"
            )
        config = Config.of(**{name: _as_written(name, value) for name, value in saved.items()})
    except (OSError, ValueError, TypeError, AttributeError, OverflowError) as reason:
        raise UserError(f"{path} does not hold the settings of a run ({reason}); train a new one") from reason
    try:
        config.check()
    except UserError as reason:
        raise UserError(f"{path}: {reason}") from reason
    for kind in PARTS:
        if written < config.build(kind).since_format:
            raise UserError(
                f"{path} has format {written}, in which models with {kind} {getattr(config, kind)} were stored "
                "in another way; use the version that trained the run, or train a new one"
            )
    return config


def _as_written(name: str, value: Any) -> Any:
    """A setting as JSON holds it, in which 1 may stand for 1.0; TypeError where it is of another type."""
    for described in described_as(name):
        kind = described.type
        if type(value) is kind or (type(value), kind) == (int, float):
            return kind(value)
    raise TypeError(f"{name} is {value!r}")
