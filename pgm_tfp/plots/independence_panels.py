"""Diagrams that show why a graph asserts an independence or does not."""

from pgm_tfp.diagrams import Panel
from pgm_tfp.independence import Independence, TooManyTrailsError, d_separated, separation
from pgm_tfp.independence.explanation import trails_of, yes_or_no
from pgm_tfp.markov import MarkovNetwork
from pgm_tfp.networks import BayesianNetwork


def panels_of(network: BayesianNetwork | MarkovNetwork, statement: Independence) -> list[Panel]:
    """One diagram for each trail, active trails first; for an undirected graph a single diagram."""
    if isinstance(network, MarkovNetwork):
        shown = separation(network, statement.x, statement.y, statement.given)
        title = f"{statement.symbols()}: {yes_or_no(shown.separated)}"
        return [Panel(network.graph, title, shown.reason, statement.given, shown.path, shown.cut)]
    try:
        found = trails_of(network, statement)
    except TooManyTrailsError as reason:
        separated = d_separated(network, statement.x, statement.y, statement.given)
        return [Panel(network.graph, f"{statement.symbols()}: {yes_or_no(separated)}", str(reason), statement.given)]
    title = f"{statement.symbols()}: {yes_or_no(not any(trail.active for trail in found))}"
    if not found:
        return [Panel(network.graph, title, "no trail joins them", statement.given)]
    return [
        Panel(
            network.graph,
            title if number == 0 else "",
            trail.reason,
            statement.given,
            trail.nodes,
            [node.variable for node in trail.inner if node.blocks],
        )
        for number, trail in enumerate(found)
    ]
