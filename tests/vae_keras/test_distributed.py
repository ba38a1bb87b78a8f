import json

from tests.support import ROOT, run_python
from vae_keras.launch import environment


def test_steps_on_two_devices_are_the_steps_on_one_for_every_objective_prior_and_optimizer():
    own = {**environment(2), "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    result = run_python("tests/vae_keras/steps_on_devices.py", env=own, cwd=ROOT)
    assert result.returncode == 0, result.stderr
    differences = json.loads(result.stdout.splitlines()[-1])
    assert len(differences) == 10
    assert {name: value for name, value in differences.items() if not value < 1e-3} == {}
