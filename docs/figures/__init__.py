"""The drawings of the theory pages, made by the code that the pages are about."""
