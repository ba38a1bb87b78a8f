"""The network of the throughput benchmark in PyTorch, with the same weights and therefore the same loss.

For a 3 x 3 convolution with stride 2, PyTorch pads one row at the start, TensorFlow one row at the end. The PyTorch
network is therefore the mirror image: its kernels and its images are flipped. The rest is usual PyTorch code.
"""

from collections.abc import Callable

import numpy as np
import torch
from keras import ops
from torch import nn
from torch.nn import functional

from vae_keras.gaussians import kl_to_standard_normal
from vae_keras.model import VAE

# Side and channels of the encoder's last feature map, and channels of the decoder's first one.
SMALL, CHANNELS, SEED_CHANNELS = 32, 64, 16


class TorchVae(nn.Module):
    """Encoder: Conv2d 32, ReLU, Conv2d 64, Linear. Decoder: Linear, ConvTranspose2d 32, ReLU, Conv2d 1."""

    def __init__(self, latents: int):
        super().__init__()
        self.first = nn.Conv2d(1, 32, 3, stride=2, padding=1)
        self.second = nn.Conv2d(32, CHANNELS, 3, stride=2, padding=1)
        self.heads = nn.Linear(CHANNELS * SMALL**2, 2 * latents)
        self.seed = nn.Linear(latents, SEED_CHANNELS * (2 * SMALL) ** 2)
        self.upsample = nn.ConvTranspose2d(SEED_CHANNELS, 32, 3, stride=2, padding=1, output_padding=1)
        self.output = nn.Conv2d(32, 1, 3, padding=1)

    def losses(self, images: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """The negative ELBO of each image, (batch,), in nats.

        Args:
            images: (batch, 1, height, width).
            noise: a sample of N(0, I), (batch, latents).
        """
        hidden = self.second(functional.relu(self.first(images)))
        mean, log_variance = self.heads(hidden.flatten(1)).chunk(2, dim=1)
        latents = mean + torch.exp(0.5 * log_variance) * noise
        small = self.seed(latents).view(-1, SEED_CHANNELS, 2 * SMALL, 2 * SMALL)
        logits = self.output(functional.relu(self.upsample(small)))
        nll = functional.binary_cross_entropy_with_logits(logits, images, reduction="none").sum(dim=(1, 2, 3))
        return nll + 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1)


def torch_vae_of(vae: VAE) -> TorchVae:
    """The PyTorch network with the weights of this VAE."""
    network = TorchVae(vae.latent_dim)
    first, second, heads = (layer.get_weights() for layer in vae.encoder.layers if layer.weights)
    seed, upsample, output = (layer.get_weights() for layer in vae.decoder.layers if layer.weights)
    with torch.no_grad():
        for layer, (kernel, bias) in ((network.first, first), (network.second, second), (network.output, output)):
            _copy(layer, kernel[::-1, ::-1].transpose(3, 2, 0, 1), bias)
        kernel, bias = upsample
        _copy(network.upsample, kernel[::-1, ::-1].transpose(3, 2, 0, 1), bias)
        kernel, bias = heads
        flipped = kernel.reshape(SMALL, SMALL, CHANNELS, -1)[::-1, ::-1]
        _copy(network.heads, flipped.transpose(3, 2, 0, 1).reshape(kernel.shape[1], -1), bias)
        kernel, bias = seed
        side = 2 * SMALL
        flipped = kernel.reshape(-1, side, side, SEED_CHANNELS)[:, ::-1, ::-1]
        flipped_bias = bias.reshape(side, side, SEED_CHANNELS)[::-1, ::-1].transpose(2, 0, 1).ravel()
        _copy(network.seed, flipped.transpose(3, 1, 2, 0).reshape(-1, kernel.shape[0]), flipped_bias)
    return network


def mirrored(images: np.ndarray) -> torch.Tensor:
    """Images (batch, height, width, 1) as input of the PyTorch network."""
    return torch.from_numpy(np.ascontiguousarray(images[:, ::-1, ::-1].transpose(0, 3, 1, 2)))


def step_of(
    vae: VAE, images: np.ndarray, learning_rate: float, channels_last: bool = False, compiled: bool = False
) -> Callable[[], float]:
    """A training step of the PyTorch network on these images; it returns the loss."""
    network, batch = torch_vae_of(vae), mirrored(images)
    if channels_last:
        network, batch = network.to(memory_format=torch.channels_last), batch.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), learning_rate)
    losses = torch.compile(network.losses) if compiled else network.losses

    def step() -> float:
        optimizer.zero_grad(set_to_none=True)
        loss = losses(batch, torch.randn(len(batch), vae.latent_dim)).mean()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def steps(network: Callable[[], VAE], images: np.ndarray, learning_rate: float) -> dict[str, Callable[[], float]]:
    """The training step of each PyTorch variant by its name."""
    return {
        "PyTorch": step_of(network(), images, learning_rate),
        "PyTorch, channels last": step_of(network(), images, learning_rate, channels_last=True),
        "PyTorch, channels last, compiled": step_of(network(), images, learning_rate, True, compiled=True),
    }


def check_equal(vae: VAE, images: np.ndarray) -> float:
    """The largest relative difference between the losses of both networks, at the posterior mean.

    Raises:
        ValueError: the difference is larger than rounding errors.
    """
    posterior = vae.encode(images)
    nll = vae.likelihood.nll(images, vae.decoder(posterior.mean))
    ours = np.asarray(nll + ops.sum(kl_to_standard_normal(posterior), axis=-1))
    with torch.no_grad():
        theirs = torch_vae_of(vae).losses(mirrored(images), torch.zeros(len(images), vae.latent_dim)).numpy()
    difference = float(np.max(np.abs(ours / theirs - 1)))
    if difference > 1e-5:
        raise ValueError(f"the losses of both networks differ by {difference:.2g}")
    return difference


def _copy(layer: nn.Module, weight: np.ndarray, bias: np.ndarray) -> None:
    layer.weight.copy_(torch.from_numpy(np.ascontiguousarray(weight)))
    layer.bias.copy_(torch.from_numpy(np.ascontiguousarray(bias)))
