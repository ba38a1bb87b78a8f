"""Keras callbacks: averaged weights, checkpoints, skipped steps, early stop, progress, TensorBoard."""

from vae_keras.callbacks.averaging import EvaluateAverage
from vae_keras.callbacks.progress import ShowProgress
from vae_keras.callbacks.saving import FiniteLoss, SaveEpoch
from vae_keras.callbacks.skipped import CountSkippedSteps
from vae_keras.callbacks.stopping import StopAfterEpoch
from vae_keras.callbacks.tensorboard import TensorBoardLog

__all__ = [
    "CountSkippedSteps",
    "EvaluateAverage",
    "FiniteLoss",
    "SaveEpoch",
    "ShowProgress",
    "StopAfterEpoch",
    "TensorBoardLog",
]
