"""Commands of the documentation with few images and one epoch."""


def small(typed: list[str]) -> list[str]:
    """The same arguments of train.py with few images of at most 64 pixels and few epochs."""
    settings: dict[str, str | None] = {}
    for flag, value in zip(typed, [*typed[1:], "--"], strict=True):
        if flag.startswith("--"):
            settings[flag] = None if value.startswith("--") else value
    resumed = "--resume" in settings
    if not resumed:
        data = settings.setdefault("--data", "faces:40")
        settings |= {"--batch-size": "16", "--data": "faces:40" if data.startswith("faces:") else data}
        settings.setdefault("--image-size", "32")
        settings["--epochs"] = "1"
    elif "--epochs" in settings:
        settings["--epochs"] = "2"
    return [part for pair in settings.items() for part in pair if part is not None]
