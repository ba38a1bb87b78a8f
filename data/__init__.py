"""Images to learn from: rendered faces with known factors, Olivetti and LFW, or any folder of photographs."""
