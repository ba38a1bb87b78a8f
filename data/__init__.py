"""Images to learn from: rendered faces with known factors, or any folder of photographs."""

from data.dataset import Dataset
from data.errors import UserError
from data.rendered_faces import LevelledFaces, rendered_faces
from data.sources import open_dataset
from data.split import Split, split_indices

__all__ = ["Dataset", "LevelledFaces", "Split", "UserError", "open_dataset", "rendered_faces", "split_indices"]
