"""What happens beside training: saving, stopping, showing."""

from vae_keras.callbacks.averaging import EvaluateAverage
from vae_keras.callbacks.progress import ShowProgress
from vae_keras.callbacks.saving import FiniteLoss, SaveEpoch
from vae_keras.callbacks.stopping import StopAfterEpoch
from vae_keras.callbacks.tensorboard import TensorBoardLog

__all__ = ["EvaluateAverage", "FiniteLoss", "SaveEpoch", "ShowProgress", "StopAfterEpoch", "TensorBoardLog"]
