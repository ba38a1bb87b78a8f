"""The settings with which a run goes on."""

from typing import Any

from common.errors import UserError
from data.sources import canonical
from vae_keras.config import Config
from vae_keras.registry import flag_of


def differences(saved: Config, asked: dict[str, Any]) -> list[str]:
    """The settings that were asked for and differ from the saved ones, as `--flag asked (the run has saved)`."""
    has = saved.settings()
    return [
        f"{flag_of(name)} {value} (the run has {has.get(name)})"
        for name, value in asked.items()
        if has.get(name) != value
    ]


def settings_to_resume(saved: Config, asked: dict[str, Any]) -> Config:
    """The settings to go on with: the run's own, with more epochs if those are asked for.

    Raises:
        UserError: something else was asked for than the run has, or fewer epochs, or more epochs than its schedule has.
    """
    if "data" in asked:
        asked = {**asked, "data": canonical(asked["data"])}
    if "precision" in asked:
        asked = {**asked, "precision": saved.build_architecture().precision_of(asked["precision"])}
    more = {"epochs": asked["epochs"]} if asked.get("epochs", 0) > saved.epochs else {}
    if more and saved.build_schedule().ends_with_the_run:
        raise UserError(
            f"--epochs {asked['epochs']}: with --schedule {saved.schedule} the learning rate of this run ends at zero "
            f"after {saved.epochs} epochs; train a new run for more"
        )
    if different := differences(saved, {name: value for name, value in asked.items() if name not in more}):
        raise UserError(f"--resume with other settings: {', '.join(different)}; leave them out or train a new run")
    return saved.replaced(**more)
