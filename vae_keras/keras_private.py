"""Every use of a private API of Keras, in one place.

Each entry names the version of Keras in which it was seen, and says why no public API serves. The tests of an entry in
tests/vae_keras/test_keras_private.py have its name. They fail if a new version of Keras changes what the entry relies
on.
"""

from keras.src.backend.common import global_state
from keras.src.saving import saving_lib

# Keras lists the attributes that it leaves out of a saved file for each of these kinds of object.
KINDS = ("Operation", "Layer", "Functional", "Sequential", "Metric", "Optimizer", "Loss")


def remember_skipped_attributes() -> None:
    """Let Keras find its lists of the attributes that it leaves out of a saved file.

    Seen in Keras 3.15.1, which stores each list under one name and looks for it under another. So every save creates a
    new optimizer, layer and metric to list their attributes, and Keras never frees the memory of their variables. Keras
    has no public access to these lists.
    """
    for kind in KINDS:
        skipped = saving_lib.get_attr_skipset(kind)
        global_state.set_global_attribute(f"saving_attr_skiplist_{kind}", skipped)
