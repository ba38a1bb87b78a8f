"""Training curves: the ELBO and its two terms for each epoch."""

from common.errors import UserError
from vae_keras.evaluation.context import Evaluation, EvaluationContext
from vae_keras.plots import training_curves
from vae_keras.run_folder import best_epoch


def curves(context: EvaluationContext) -> Evaluation:
    """Curves of the ELBO, the reconstruction term and the KL, on the training and the validation images.

    Raises:
        UserError: the run has no history.
    """
    if not context.history:
        raise UserError("the run has no history.csv to draw; choose other figures, such as --reconstruct")
    best = best_epoch(context.history)
    row = next(row for row in context.history if row["epoch"] == best)
    prefix = "val_" if "val_elbo" in row else ""
    part = "validation" if prefix else "training"
    figure = training_curves(
        context.history,
        "Training",
        f"Each point is the mean over all images of one epoch, with one posterior sample per image. The saved model is "
        f"that of epoch {best} of {len(context.history)}: {part} ELBO {row[prefix + 'elbo']:.1f} nats, "
        f"KL {row[prefix + 'kl']:.1f} nats.",
    )
    return Evaluation({"curves.png": figure}, {"curves": {"epochs": len(context.history), "best_epoch": best}})
