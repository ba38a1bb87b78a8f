"""For courses: packs a submission, and writes the assignment and the code without the answers."""
