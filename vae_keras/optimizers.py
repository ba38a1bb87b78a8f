"""Adam, with decay of weights but not of biases, and an average of the weights that it has passed through."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops


@keras.saving.register_keras_serializable("vae_keras")
class Adam(keras.optimizers.Adam):
    """Adam (Kingma & Ba 2015) with decoupled weight decay (Loshchilov & Hutter 2019) and weight averaging.

    Only kernels decay: a bias of the decoder holds the mean face. After t steps the weights of step s count in the
    average in proportion to s^gamma, which takes no history:

        average_t = beta_t average_(t-1) + (1 - beta_t) weights_t,  beta_t = (1 - 1/t)^(gamma + 1)

    (Karras et al. 2024, arXiv 2312.02696, eqs. 1 and 2). The mean age of what is averaged is t / (gamma + 2), a
    fixed share of the run however long it gets, so nothing has to be chosen for its length. Before the first step
    the average is the weights that the optimiser was built for.

    Args:
        weight_decay: times the learning rate, the share of each weight that a step takes off; None for none.
        mean_age: 1 / (gamma + 2), up to 1/2 (gamma = 0: all steps count alike); 0 keeps no average.
    """

    def __init__(
        self, learning_rate: Any = 1e-3, weight_decay: float | None = None, mean_age: float = 0.0, **kwargs: Any
    ):
        super().__init__(learning_rate, weight_decay=weight_decay, **{**kwargs, "use_ema": mean_age > 0})
        self.mean_age = mean_age

    def build(self, variables: list[keras.Variable]) -> None:
        super().build(variables)
        if self.use_ema:
            with tf.init_scope():  # now and once, even where Keras builds the optimiser inside the step that it traces
                for weight, average in zip(variables, self._model_variables_moving_average, strict=True):
                    average.assign(weight)

    def exchange(self) -> None:
        """Put the averages where the weights are, and the weights where the averages are."""
        for weight, average in zip(self._trainable_variables, self._model_variables_moving_average, strict=True):
            kept = ops.copy(weight)
            weight.assign(average)
            average.assign(kept)

    def finalize_variable_values(self, var_list: list[keras.Variable]) -> None:
        """Leave the weights as they are: Keras's own would overwrite them at the end of `fit`."""

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mean_age": self.mean_age}

    def _update_model_variables_moving_average(self, trainable_variables: list[keras.Variable]) -> None:
        step = ops.cast(self.iterations, "float32") + 1
        # 1 - beta_t = 1 - (1 - 1/t)^(gamma + 1)
        share = 1 - ops.power(1 - 1 / step, 1 / self.mean_age - 1)
        for weight, average in zip(trainable_variables, self._model_variables_moving_average, strict=True):
            average.assign_add(share * (weight - average))

    def _use_weight_decay(self, variable: Any) -> bool:
        return "kernel" in variable.name
