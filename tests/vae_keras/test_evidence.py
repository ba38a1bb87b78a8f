"""What `evaluate.py` says of the ELBO's make-up."""

import json

import numpy as np
import pytest

from vae_keras.run_folder import Run


def test_the_parts_of_the_kl_add_up_to_it_and_the_bound_is_above_the_elbo(evaluated_run):
    numbers = json.loads(Run(evaluated_run).metrics.read_text())
    split, weighted = numbers["kl_split"], numbers["importance_weighted"]
    parts = [split[name] for name in ("mutual_information", "total_correlation", "dimension_wise_kl")]
    error = np.sqrt(sum(part["standard_error"] ** 2 for part in parts))
    assert sum(part["value"] for part in parts) == pytest.approx(split["kl"], abs=6 * error)
    assert split["kl"] == pytest.approx(numbers["test"]["kl"], rel=1e-5)
    assert parts[0]["value"] <= split["ceiling"] == pytest.approx(np.log(8))
    assert weighted["images"] == 8
    assert weighted["bound"] > numbers["test"]["elbo"] - 5
