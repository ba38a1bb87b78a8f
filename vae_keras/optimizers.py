"""Adam, with decay of weights but not of biases, and an average of the weights that it has passed through."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

NO_KERNEL = r"^(?!.*kernel)"  # names of weights that do not decay: all but kernels


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
        # The average below takes the place of Keras's own, whose momentum is constant (`use_ema`).
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
            with tf.init_scope():  # now and once, even where Keras builds the optimiser inside the step that it traces
                for weight, average in zip(variables, self.averages, strict=True):
                    average.assign(weight)
        super().build(variables)

    def apply(self, grads: list[Any], trainable_variables: list[keras.Variable]) -> Any:
        """Take a step, then move the averages; the variables are those that the optimizer was built for."""
        result = super().apply(grads, trainable_variables)
        if self.mean_age:
            step = ops.cast(self.iterations, "float32")
            # 1 - beta_t = 1 - (1 - 1/t)^(gamma + 1)
            share = 1 - ops.power(1 - 1 / step, 1 / self.mean_age - 1)
            for weight, average in zip(trainable_variables, self.averages, strict=True):
                average.assign_add(share * (weight - average))
        return result

    def exchange(self, variables: list[keras.Variable]) -> None:
        """Put the averages where the weights are, and the weights where the averages are.

        Args:
            variables: the weights that the optimizer was built for.
        """
        for weight, average in zip(variables, self.averages, strict=True):
            kept = ops.copy(weight)
            weight.assign(average)
            average.assign(kept)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mean_age": self.mean_age}
