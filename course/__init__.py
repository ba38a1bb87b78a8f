"""For courses: a submission packed the way it is taken in, and the assignment with its answers taken out."""
