"""Families of surrogates over continuous variables; `pgm_tfp.variational.registry` lists them all."""
