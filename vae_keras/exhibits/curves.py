"""Training curves: both terms of the ELBO against the epoch."""

from data.errors import UserError
from vae_keras.exhibits.study import Exhibit, Study
from vae_keras.plots import training_curves
from vae_keras.runs import best_epoch


def curves(study: Study) -> Exhibit:
    """ELBO, reconstruction and KL of every epoch, for train and validation.

    Raises:
        UserError: the run has no history.
    """
    if not study.history:
        raise UserError("the run has no history.csv to draw; choose other figures, such as --reconstruct")
    best = best_epoch(study.history)
    row = next(row for row in study.history if row["epoch"] == best)
    prefix = "val_" if "val_elbo" in row else ""
    part = "validation" if prefix else "training"
    figure = training_curves(
        study.history,
        "Training",
        f"Each point is a mean over the images of an epoch, with one posterior sample for each. Epoch {best} of "
        f"{len(study.history)} is kept: {part} ELBO {row[prefix + 'elbo']:.1f} nats, KL {row[prefix + 'kl']:.1f} nats.",
    )
    return Exhibit({"curves.png": figure}, {"curves": {"epochs": len(study.history), "best_epoch": best}})
