"""Lines of text that say why a graph asserts an independence or does not."""

from pgm_tfp.independence.directed import MOST_TRAILS, Directed, TooManyTrailsError, Trail, d_separated, trails
from pgm_tfp.independence.statements import Independence
from pgm_tfp.independence.undirected import separation
from pgm_tfp.markov import MarkovNetwork
from pgm_tfp.networks import BayesianNetwork


def explained(network: BayesianNetwork | MarkovNetwork, statement: Independence) -> list[str]:
    """Whether a graph asserts a statement, with the reasons, as lines of text."""
    if isinstance(network, MarkovNetwork):
        shown = separation(network, statement.x, statement.y, statement.given)
        return [f"{statement}: {yes_or_no(shown.separated)}; {shown.reason}"]
    try:
        found = trails_of(network, statement)
    except TooManyTrailsError as reason:
        return [f"{statement}: {_separated(network, statement)}; the trails are not listed, because {reason}"]
    lines = [f"{statement}: {yes_or_no(not any(trail.active for trail in found))}"]
    lines += [f"  {trail.text}  is {trail.reason}" for trail in found]
    return lines if found else [f"{lines[0]}; no trail joins them"]


def trails_of(network: Directed, statement: Independence, most: int = MOST_TRAILS) -> list[Trail]:
    """All trails between both sides, active ones first, then the shortest."""
    found = [
        trail
        for x in sorted(statement.x)
        for y in sorted(statement.y)
        for trail in trails(network, x, y, statement.given, most)
        # A trail through another variable of its own side only repeats a shorter one.
        if not set(trail.nodes[1:-1]) & (statement.x | statement.y)
    ]
    return sorted(found, key=lambda trail: (not trail.active, len(trail.nodes)))


def _separated(network: BayesianNetwork, statement: Independence) -> str:
    return yes_or_no(d_separated(network, statement.x, statement.y, statement.given))


def yes_or_no(holds: bool) -> str:
    """An answer as a word."""
    return "yes" if holds else "no"
