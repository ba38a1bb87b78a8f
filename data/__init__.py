"""Data sets of images: rendered faces with known factors, Olivetti and LFW, or any folder of photographs."""
