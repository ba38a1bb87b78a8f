"""Train the networks of this folder again, after a change of the faces or of the training.

They read factors off rendered faces, in grey and in colour (`vae_keras.feature_spaces`).
"""

import sys

from common.command_line import Parser
from vae_keras.command_line import run_script, start_tensorflow
from vae_keras.feature_spaces import ship

NAME = "python -m vae_keras.factor_networks"


def main(arguments: list[str] | None = None) -> int:
    """Train both networks and print their paths; the exit status."""

    def script() -> None:
        Parser(prog=NAME, description=__doc__).flags(sys.argv[1:] if arguments is None else arguments)
        start_tensorflow(deterministic=True)
        for channels in (1, 3):
            print(ship(channels))

    return run_script(NAME, script)


if __name__ == "__main__":
    sys.exit(main())
