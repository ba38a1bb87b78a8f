import numpy as np
import pytest

from common.errors import UserError
from pgm_tfp import exact
from pgm_tfp.catalogue import sprinkler, student
from pgm_tfp.learning import blanked, predictive_log_likelihood
from tests.pgm_tfp.learning.support_learning import rows_of


def test_it_is_the_mean_log_evidence_of_the_rows():
    observations = blanked(student().sample(40, seed=1), 0.4, seed=1)
    each = [exact.log_evidence(student(), row) for row in rows_of(observations)]
    assert predictive_log_likelihood(student(), observations) == pytest.approx(np.mean(each), abs=1e-12)


def test_an_impossible_row_is_named():
    with pytest.raises(UserError, match="row 1: impossible evidence"):
        predictive_log_likelihood(sprinkler(), {"S": [True, False], "R": [True, False], "W": [True, True]})
