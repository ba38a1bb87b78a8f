"""The figures of the theory pages, drawn with the project's own code."""
