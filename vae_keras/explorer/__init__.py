"""A page on this machine on which a person moves sliders and a face answers."""
