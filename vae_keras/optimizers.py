"""Adam with weight decay for kernels, and with an average of the weights over the steps of training."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

NO_KERNEL = r"^(?!.*kernel)"  # matches the names of the weights that do not decay: all except kernels


@keras.saving.register_keras_serializable("vae_keras")
class Adam(keras.optimizers.Adam):
    """Adam (Kingma & Ba 2015) with decoupled weight decay (Loshchilov & Hutter 2019) and weight averaging.

    Only kernels decay, because a bias of the decoder holds the mean face. After t steps, the weights of step s enter
    the average in proportion to s^gamma. The average is updated without a history of the weights:

        average_t = beta_t average_(t-1) + (1 - beta_t) weights_t,  beta_t = (1 - 1/t)^(gamma + 1)

    (Karras et al. 2024, arXiv 2312.02696, eqs. 1 and 2). The mean age of the averaged weights is t / (gamma + 2) steps.
    This is a fixed share of the run, so one value of gamma suits runs of any length. Before the first step, the average
    equals the weights for which the optimiser was built.

    Args:
        weight_decay: a step subtracts learning_rate x weight_decay of each kernel; None for no decay.
        mean_age: 1 / (gamma + 2), the mean age as a share of the run, at most 1/2 (gamma = 0: all steps have equal
            weight); 0 keeps no average.
    """

    def __init__(
        self, learning_rate: Any = 1e-3, weight_decay: float | None = None, mean_age: float = 0.0, **kwargs: Any
    ):
        # Keras's own average (`use_ema`) has a constant momentum, so it is off, and the average below replaces it.
        super().__init__(learning_rate, weight_decay=weight_decay, **{**kwargs, "use_ema": False})
        if weight_decay:
            self.exclude_from_weight_decay(var_names=[NO_KERNEL])
        self.mean_age = mean_age
        self.averages: list[keras.Variable] = []

    def build(self, variables: list[keras.Variable]) -> None:
        if self.built:
            return
        if self.mean_age:
            self.averages = [self.add_variable_from_reference(weight, name="average") for weight in variables]
            with tf.init_scope():  # assigns now, even if Keras builds the optimiser while it traces a step
                for weight, average in zip(variables, self.averages, strict=True):
                    average.assign(weight)
        super().build(variables)

    def apply(self, grads: list[Any], trainable_variables: list[keras.Variable]) -> Any:
        """Take a step, then update the averages.

        Args:
            grads: the gradients, one for each variable.
            trainable_variables: the weights for which the optimizer was built.
        """
        result = super().apply(grads, trainable_variables)
        if self.mean_age:
            step = ops.cast(self.iterations, "float32")
            # 1 - beta_t = 1 - (1 - 1/t)^(gamma + 1)
            share = 1 - ops.power(1 - 1 / step, 1 / self.mean_age - 1)
            for weight, average in zip(trainable_variables, self.averages, strict=True):
                average.assign_add(share * (weight - average))
        return result

    def exchange(self, variables: list[keras.Variable]) -> None:
        """Swap the weights and their averages.

        Args:
            variables: the weights for which the optimizer was built.
        """
        for weight, average in zip(variables, self.averages, strict=True):
            kept = ops.copy(weight)
            weight.assign(average)
            average.assign(kept)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mean_age": self.mean_age}
