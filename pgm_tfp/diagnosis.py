"""A log with the posteriors of its rows: what each row of observations says about every variable."""

import json
from pathlib import Path

from common.errors import UserError
from pgm_tfp.exact import ImpossibleRowError, Network, Posteriors, posteriors
from pgm_tfp.observations import Log, write_with_columns
from pgm_tfp.states import BINARY, State

LOG_EVIDENCE_COLUMN = "log_evidence"


def diagnosed(log: Log, network: Network) -> Posteriors:
    """The posteriors of all variables for each row of a log.

    Raises:
        UserError: a row's findings have probability zero; the message names the line of the file and its columns.
    """
    try:
        return posteriors(network, log.observed)
    except ImpossibleRowError as reason:
        columns = ", ".join(name for name, column in log.observed.items() if column[reason.row] is not None)
        raise UserError(f"{log.path}, line {log.lines[reason.row]}, columns {columns}: {reason.reason}") from None


def write_diagnosis(path: Path, log: Log, network: Network, posterior: Posteriors) -> None:
    """Write the log with new columns: the posterior of every variable, and the log evidence of each row in nats.

    Raises:
        UserError: the log already has a column of one of these names.
    """
    columns = {
        name: posterior.probabilities[variable][:, network.states[variable].index(state)]
        for name, (variable, state) in posterior_columns(network).items()
    }
    write_with_columns(path, log, {**columns, LOG_EVIDENCE_COLUMN: posterior.log_evidence})


def posterior_columns(network: Network) -> dict[str, tuple[str, State]]:
    """The columns of posteriors: by name the variable and the state. A variable that is False or True has one: True.

    A name with an equals sign is quoted, so that no two columns have the same name.
    """
    return {
        f"P({_quoted(variable)}={_quoted(state)})": (variable, state)
        for variable, states in network.states.items()
        for state in ((True,) if states == BINARY else states)
    }


def _quoted(name: State) -> str:
    """A name or a state, in quotes if it could be read in two ways."""
    text = str(name)
    return json.dumps(text, ensure_ascii=False) if "=" in text or '"' in text else text
