"""Families of surrogates; `pgm_tfp.variational.registry` lists them."""
