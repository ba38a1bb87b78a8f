"""A page on which a person observes variables of a network, and every posterior moves."""
