"""Importing `common` and `data` changes nothing in the process, and loads TensorFlow only where it has to."""

import json

from tests.support import ROOT, run_python

WITH_TENSORFLOW = "data.pipelines"
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for package in ("common", "data")
    for path in (ROOT / package).glob("[!_]*.py")
)

# The libraries are loaded first, so that only the effects of our own modules are seen.
PROGRAM = """
import importlib, json, logging, os, signal, socket, sys, warnings
import joblib, markdown, math_core, matplotlib.figure, numpy, PIL.Image, PIL.ImageCms, PIL.ImageOps
import nicegui

def state():
    return {
        "environment": dict(os.environ),
        "warnings filters": list(map(str, warnings.filters)),
        "streams": [id(sys.stdin), id(sys.stdout), id(sys.stderr), *(os.fstat(n).st_ino for n in range(3))],
        "log handlers": [len(logging.getLogger().handlers), logging.getLogger().level],
        "formats of Pillow": len(PIL.Image.OPEN),
        "timeout": socket.getdefaulttimeout(),
        "signals": [str(signal.getsignal(n)) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)],
    }

before = state()
for name in sys.argv[1:]:
    importlib.import_module(name)
after = state()
loaded = sorted({"tensorflow", "keras", "sklearn", "vae_keras", "pgm_tfp"} & set(sys.modules))
print(json.dumps({"changed": [name for name in before if before[name] != after[name]], "loaded": loaded}))
"""


def import_of(modules):
    """What the import of these modules changes, and which heavy packages it loads."""
    ended = run_python("-c", PROGRAM, *modules, cwd=ROOT)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_the_modules_are_found():
    assert {"common.quiet", "common.command_line", "data.sources", WITH_TENSORFLOW} <= set(MODULES)


def test_an_import_changes_nothing_and_loads_neither_tensorflow_nor_scikit_learn():
    assert import_of([name for name in MODULES if name != WITH_TENSORFLOW]) == {"changed": [], "loaded": []}
