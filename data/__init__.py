"""Images to learn from: rendered faces with known factors, Olivetti and LFW, or any folder of photographs.

It imports nothing, so that `data.installed` can say what is missing before anything fails for want of it.
"""
