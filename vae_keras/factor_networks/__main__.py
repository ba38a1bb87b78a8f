"""Train the networks of this folder again, after a change of the faces or of the training: run without arguments.

They read factors off rendered faces, in grey and in colour (`vae_keras.feature_spaces`).
"""

from vae_keras.command_line import start_tensorflow
from vae_keras.feature_spaces import ship

if __name__ == "__main__":
    start_tensorflow(deterministic=True)
    for channels in (1, 3):
        print(ship(channels))
