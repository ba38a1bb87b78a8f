"""The families of surrogates that `fit` knows by name.

A new family is one class (see `pgm_tfp.variational.family`) and one line: an entry in the list below, or a call of
`register` from outside the package. A new algorithm for tables is one function and one entry in `ALGORITHMS` of
`pgm_tfp.variational.families.discrete`.
"""

from common.errors import UserError, nearest
from pgm_tfp.variational.families.diagonal import Laplace, Normal
from pgm_tfp.variational.families.discrete import TableFamily
from pgm_tfp.variational.families.flow import Flow
from pgm_tfp.variational.families.full_normal import FullNormal
from pgm_tfp.variational.families.low_rank_normal import LowRankNormal
from pgm_tfp.variational.family import Family
from pgm_tfp.variational.tables import autoregressive, mean_field
from pgm_tfp.variational.targets import Target

FAMILIES: dict[str, Family] = {}


def register(family: Family) -> None:
    """Make a family available to `fit` under its name; UserError where the name is taken."""
    if family.name in FAMILIES:
        raise UserError(f"there is a family named {family.name} already; choose another name")
    FAMILIES[family.name] = family


register(TableFamily("mean_field", mean_field))
register(TableFamily("autoregressive", autoregressive))
register(Normal())
register(LowRankNormal())
register(FullNormal())
register(Flow())
register(Laplace())


def family_for(target: Target, name: str) -> Family:
    """The family of that name, if it can serve the target.

    Raises:
        UserError: there is no such family, or it cannot serve the target.
    """
    if name not in FAMILIES:
        raise UserError(f"unknown family {name}; {nearest(name, FAMILIES)}")
    family = FAMILIES[name]
    if reason := family.refusal(target):
        raise UserError(f"{name} {reason}; choose one of {', '.join(families_for(target))}")
    return family


def families_for(target: Target) -> list[str]:
    """The names of the families that can serve a target."""
    return [name for name, family in FAMILIES.items() if not family.refusal(target)]
