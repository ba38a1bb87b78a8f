"""Keras's optimisers with three additions: weight decay for kernels alone, an average of the weights, and clipping."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from vae_keras.keras_private import GradientsOfAllReplicas

KERNEL = "kernel"  # in the names of the matrices of convolutions and dense layers, and of no other weight
NO_KERNEL = rf"^(?!.*{KERNEL})"  # matches the names of the weights that do not decay: all except kernels
NORM_MEMORY = 0.98  # of the running mean of the gradient's norm: about the last 50 steps
FIRST_STEPS = 20  # which are not clipped, because the mean is of few steps


class WeightAveraging(keras.optimizers.Optimizer):
    """Keeps an average of the weights over the steps of training. List it before a class of Keras.

    After t steps, the weights of step s enter the average in proportion to s^gamma. The average is updated without a
    history of the weights:

        average_t = beta_t average_(t-1) + (1 - beta_t) weights_t,  beta_t = (1 - 1/t)^(gamma + 1)

    (Karras et al. 2024, arXiv 2312.02696, eqs. 1 and 2). The mean age of the averaged weights is t / (gamma + 2) steps.
    This is a fixed share of the run, so one value of gamma suits runs of any length. Before the first step, the average
    equals the weights for which the optimiser was built.

    Args:
        mean_age: 1 / (gamma + 2), the mean age as a share of the run, at most 1/2 (gamma = 0: all steps have equal
            weight); 0 keeps no average.
    """

    def __init__(self, *args: Any, mean_age: float = 0.0, **kwargs: Any):
        # Keras's own average (`use_ema`) has a constant momentum, so it is off, and the average below replaces it.
        super().__init__(*args, **{**kwargs, "use_ema": False})
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


class GradientClipping(GradientsOfAllReplicas):
    """Shortens a gradient that is much longer than the gradients before it. List it before a class of Keras.

    A gradient g of all weights becomes g min(1, clipping m / |g|), where m is the running mean of the norms of the
    shortened gradients. One limit then suits every loss and every stage of training: the norm of the gradient of a sum
    over pixels changes by orders of magnitude. The idea is that of Brock et al. 2021 (arXiv 2102.06171), who compare
    gradients with weights. The first steps are not clipped.

    Args:
        clipping: the limit as a multiple of the running mean; 0 clips nothing.
    """

    def __init__(self, *args: Any, clipping: float = 0.0, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.clipping = clipping

    def build(self, variables: list[keras.Variable]) -> None:
        if self.built:
            return
        if self.clipping:
            # sum_s (1 - d) d^(t - s) |g_s|, which starts at zero; divided by 1 - d^t it is a mean.
            self.norm = self.add_variable((), initializer="zeros", name="gradient_norm")
        super().build(variables)

    def whole_gradients(self, grads: list[Any]) -> list[Any]:
        """The gradients, shortened if they are too long."""
        return self.clipped(grads) if self.clipping else grads

    def clipped(self, grads: list[Any]) -> list[Any]:
        """The gradients, at most `clipping` times as long together as those of the steps before."""
        step = ops.cast(self.iterations, "float32")
        length = tf.linalg.global_norm([grad for grad in grads if grad is not None])
        usual = self.norm / (1 - ops.power(NORM_MEMORY, ops.maximum(step, 1.0)))
        shorter = ops.minimum(1.0, self.clipping * usual / ops.maximum(length, 1e-12))
        share = ops.where(step < FIRST_STEPS, 1.0, shorter)
        # A gradient that is not finite stays as it is, so that the loss shows it; it must not enter the mean.
        finite = tf.math.is_finite(length)
        share = ops.where(finite, share, 1.0)
        added = (1 - NORM_MEMORY) * (share * length - self.norm)
        self.norm.assign_add(ops.where(finite, added, 0.0))
        return [None if grad is None else grad * ops.cast(share, grad.dtype) for grad in grads]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "clipping": self.clipping}


@keras.saving.register_keras_serializable("vae_keras")
class Adam(WeightAveraging, GradientClipping, keras.optimizers.Adam):
    """Adam (Kingma & Ba 2015) with decoupled weight decay (Loshchilov & Hutter 2019), averaging and clipping.

    Only kernels decay, because a bias of the decoder holds the mean face.

    Args:
        weight_decay: a step subtracts learning_rate x weight_decay of each kernel; None for no decay.
        mean_age: see `WeightAveraging`.
        clipping: see `GradientClipping`.
    """

    def __init__(
        self,
        learning_rate: Any = 1e-3,
        weight_decay: float | None = None,
        mean_age: float = 0.0,
        clipping: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, weight_decay=weight_decay, mean_age=mean_age, clipping=clipping, **kwargs)
        if weight_decay:
            self.exclude_from_weight_decay(var_names=[NO_KERNEL])


@keras.saving.register_keras_serializable("vae_keras")
class Muon(Adam):
    """Muon for the kernels of convolutions and dense layers, and Adam for all other weights.

    Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon) makes the step of a matrix orthogonal, so all its
    directions move alike, not only the few that dominate the gradient. With the momentum M_t = momentum M_(t-1) + G_t

        step = learning_rate 0.2 sqrt(max(n, k)) O,  O = U V^T for the singular value decomposition U S V^T of
                                                         G_t + momentum M_t

    where a kernel is a matrix of n inputs (of a convolution: height x width x channels) and k outputs, or of a
    transposed convolution the other way round. The factor gives the step the size of one of Adam, so that both take the
    same learning rate and the same weight decay (Liu et al. 2025, arXiv 2502.16982, eq. 4). Five Newton-Schulz
    iterations approximate O: its singular values lie between 0.7 and 1.2.

    Args:
        momentum: of Muon; Adam has its own.
    """

    def __init__(self, *args: Any, momentum: float = 0.9, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.momentum = momentum

    def update_step(self, gradient: Any, variable: keras.Variable, learning_rate: Any) -> None:
        """A step of one variable."""
        if KERNEL not in variable.name:
            super().update_step(gradient, variable, learning_rate)
            return
        gradient = ops.cast(gradient, variable.dtype)
        average = self._momentums[self._get_variable_index(variable)]
        average.assign(self.momentum * average + gradient)
        matrix = ops.reshape(gradient + self.momentum * average, (-1, variable.shape[-1]))
        size = 0.2 * max(matrix.shape) ** 0.5
        step = ops.reshape(orthogonal(matrix), variable.shape)
        variable.assign_sub(ops.cast(learning_rate, variable.dtype) * size * step)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum}


def orthogonal(matrix: Any) -> Any:
    """About U V^T for a matrix U S V^T, by five Newton-Schulz iterations of odd polynomials of degree five.

    The polynomial brings singular values from (0, 1] to between 0.7 and 1.2 as fast as possible; it does not converge
    to 1, which is not needed (Jordan et al. 2024, with their coefficients).
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    wide = matrix.shape[0] <= matrix.shape[1]
    x = matrix if wide else ops.transpose(matrix)
    x = x / (ops.sqrt(ops.sum(ops.square(x))) + 1e-7)  # no singular value is above 1
    for _ in range(5):
        square = ops.matmul(x, ops.transpose(x))
        # a x + b (x x^T) x + c (x x^T)^2 x
        x = a * x + ops.matmul(b * square + c * ops.matmul(square, square), x)
    return x if wide else ops.transpose(x)
