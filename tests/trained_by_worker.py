"""Trains as a worker, then saves the weights that this worker has: FILE, then the flags of train.py."""

import sys

import numpy as np

import train
from vae_keras.distributed import Replicated

trained = []
prepare = Replicated.prepare


def noted(self, vae):
    trained.append(vae)
    prepare(self, vae)


Replicated.prepare = noted

if __name__ == "__main__":
    file, *flags = sys.argv[1:]
    status = train.main(flags)
    if status == 0:
        (vae,) = trained
        np.savez(file, *[np.asarray(weight) for weight in (*vae.weights, *vae.optimizer.variables)])
    sys.exit(status)
