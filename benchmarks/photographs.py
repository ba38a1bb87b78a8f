"""The VAE compared with the best linear VAE, a strong baseline for few photographs, on the test images.

python -m benchmarks.photographs path/to/smile_and_non_smile

The images are 128 x 128 RGB. The loss is that of the published answer to the assignment, 4 x squared error + KL. This
is the negative ELBO for a Gaussian likelihood of variance 1/8, without its constant. The settings and the epoch were
chosen with the validation images. However, the trials also printed the loss on the test images, so the choice was not
blind.

There are two baselines with the same number of latents, both in closed form: a linear VAE fitted on the train images,
and one fitted on the images as training shows them, mirrored and shifted. The loss of the VAE uses one sample of the
posterior for each image; the loss of a linear VAE is exact.
"""

import math
import sys
import time
from pathlib import Path
from shlex import split

from rich.console import Console
from rich.table import Table

import train
import vae_keras
from data.images import unit_pixels
from vae_keras import metrics
from vae_keras.augmented import shown_in_training
from vae_keras.config_file import load_config
from vae_keras.run_data import read_data
from vae_keras.run_folder import best_epoch, open_run, read_history

VARIANCE = 0.125
SETTINGS = split("--channels 3 --likelihood gaussian --flip --shift 4 --weight-averaging 0.25")
# The best settings on the validation images, by number of latents.
OWN_SETTINGS = {
    32: split("--lr 1e-3 --weight-decay 0.5 --batch-size 32 --epochs 120"),
    128: split("--lr 2e-4 --weight-decay 0.2 --batch-size 64 --epochs 160"),
}


def loss(elbo: float, pixels: int) -> float:
    """4 x squared error + KL: the negative ELBO without the constant of the Gaussian likelihood."""
    return -elbo - 0.5 * pixels * math.log(2 * math.pi * VARIANCE)


def compare(folder: str, latents: int) -> list[list[str]]:
    """Train a VAE with this number of latents; the rows of the table for it and its baselines."""
    run_folder = Path("runs") / f"photographs-{latents}"
    start = time.perf_counter()
    flags = ["--data", folder, "--latent-dim", str(latents), "--run", str(run_folder)]
    if status := train.main([*flags, *SETTINGS, *OWN_SETTINGS[latents]]):
        sys.exit(status)
    minutes = (time.perf_counter() - start) / 60

    run = open_run(run_folder)
    config = load_config(run.config)
    data, vae = read_data(config, run.split), vae_keras.load_run(run_folder)
    images = data.dataset.images.all()
    parts = (data.split.train, data.split.validation, data.split.test)
    pixels = images[0].size
    ours = [loss(metrics.elbo(vae, images[indices]).elbo, pixels) for indices in parts]
    epoch = best_epoch(read_history(run))
    rows = [[str(latents), f"VAE, epoch {epoch}, {minutes:.0f} min", *(f"{value:.1f}" for value in ours)]]
    plain, augmented = unit_pixels(images[data.split.train]), shown_in_training(config, data)
    for name, shown in {"train images": plain, "mirrored and shifted": augmented}.items():
        linear = metrics.fit_linear_vae(shown, latents, VARIANCE)
        theirs = [loss(linear.elbo(unit_pixels(images[indices])).elbo, pixels) for indices in parts]
        rows.append([str(latents), f"linear VAE, {name}", *(f"{value:.1f}" for value in theirs)])
    return rows


def main() -> None:
    """Print the table."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m benchmarks.photographs FOLDER")
    table = Table("latents", "model", "train", "validation", "test", title="4 x squared error + KL")
    for latents in OWN_SETTINGS:
        for row in compare(sys.argv[1], latents):
            table.add_row(*row)
        table.add_section()
    Console(highlight=False).print(table)


if __name__ == "__main__":
    main()
