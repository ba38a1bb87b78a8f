"""The commands of `python -m pgm_tfp`: each module has `add_flags` and `run`."""
