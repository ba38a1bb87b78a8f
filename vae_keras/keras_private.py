"""Every use of what Keras does not document, in one place.

Each entry says with which version of Keras it was seen. tests/vae_keras/test_keras_private.py fails by the name of
the entry that a new version changes.
"""

from keras.src.backend.common import global_state
from keras.src.saving import saving_lib

SEEN_IN = "3.15.1"
# Keras lists the attributes that it leaves out of a saved file for each of these kinds of object.
KINDS = ("Operation", "Layer", "Functional", "Sequential", "Metric", "Optimizer", "Loss")


def remember_skipped_attributes() -> None:
    """Let Keras find the lists of attributes that it leaves out of a saved file.

    Keras 3.15.1 stores each list under one name and looks for it under another. So every save creates a new optimizer,
    layer and metric to list their attributes, and the memory of their variables is never freed.
    """
    for kind in KINDS:
        skipped = saving_lib.get_attr_skipset(kind)
        global_state.set_global_attribute(f"saving_attr_skiplist_{kind}", skipped)
