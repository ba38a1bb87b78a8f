# On a new machine, run `make demo` or `make test`. More targets: `make report`, `make site`, `make assignment`,
# `make submission NAME=... ID=...`. Each target first creates the virtual environment, if it is missing.

ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif

SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))
PYTHON ?= $(firstword $(foreach python,python3.12 python3.11 python3 python,$(shell $(python) -c "$(SUPPORTED)" 2>/dev/null && echo $(python))))

UNSUPPORTED = Python 3.11 or 3.12 is needed$(if $(PYTHON),: $(PYTHON) is another version); install one, or pass its path: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12

DEMO := runs/demo
DEMO_SETTINGS := --data faces:10000 --image-size 64 --channels 3 --latent-dim 24 --architecture residual --likelihood learned_gaussian --optimizer muon --schedule cosine --lr 8e-3 --clipping 2 --batch-size 32 --epochs 12 --weight-averaging 0.05

RUN ?= $(DEMO)
SINCE ?= main

.PHONY: demo trained report explore room site submission assignment notebooks figures test test-long check benchmarks lint format types clean

demo: trained ## train a short run on rendered faces and draw its figures
	@$(BIN)/python evaluate.py --run $(DEMO)
	@echo "figures: $(DEMO)/figures"
	@echo "curves in TensorBoard: $(BIN)/tensorboard --logdir $(DEMO)"

trained: .venv/run.stamp
	@if [ -e $(DEMO)/config.json ]; then $(BIN)/python train.py --resume --run $(DEMO); \
	else $(BIN)/python train.py $(DEMO_SETTINGS) --run $(DEMO); fi

ifeq ($(RUN),$(DEMO))
report explore: trained
endif
report: .venv/run.stamp ## write the report on the demo run, or on RUN=runs/NAME, as one HTML page
	@$(BIN)/python evaluate.py --run $(RUN) --report

explore: .venv/explore.stamp ## open a page where you move sliders and a face of the demo, or of RUN=runs/NAME, answers
	@$(BIN)/python evaluate.py --run $(RUN) --explore

room: .venv/explore.stamp ## open a page where you observe variables of the server room and every posterior moves
	@$(BIN)/python -m pgm_tfp explore

submission: .venv/run.stamp ## pack the report on RUN, its figures and the code as HW1_NAME_ID.zip: NAME=... ID=...
	@$(BIN)/python -m course.submission --run $(RUN) --name "$(NAME)" --id "$(ID)"

assignment: .venv/run.stamp ## write the assignment as a document, and the code without the answers
	@$(BIN)/python -m course.student_edition

site: .venv/dev.stamp ## build the documentation as a web site in site/
	$(BIN)/python -m mkdocs build --strict

notebooks: .venv/dev.stamp ## write the tutorial and the server room as notebooks into runs/notebooks
	$(BIN)/python -m docs.notebooks

figures: .venv/dev.stamp ## draw the figures of the documentation again
	$(BIN)/python -m docs.figures

test: .venv/dev.stamp ## run all tests
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-long: .venv/dev.stamp ## run all tests, with many more random examples of each property
	$(BIN)/python -m pytest -n 2 --dist worksteal --hypothesis-profile=long

check: lint types ## lint, types and the tests of what changed since SINCE=main, in two minutes
	$(BIN)/python -m pytest -p tests.changed -n 2 --dist loadfile --no-loadscope-reorder --changed-since $(SINCE)

benchmarks: .venv/bench.stamp ## run the benchmarks that need PyTorch and pyAgrum at their smallest size
	$(BIN)/python -m pytest tests/benchmarks -k "throughput or exact_inference"

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: .venv/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: .venv/dev.stamp
	$(BIN)/mypy

.venv/run.stamp: requirements.txt | .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/explore.stamp: requirements-explore.txt requirements.txt | .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-explore.txt
	@touch .venv/run.stamp $@

.venv/dev.stamp: requirements-explore.txt requirements-dev.txt requirements-docs.txt requirements.txt | .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch .venv/run.stamp $@

.venv/bench.stamp: requirements-bench.txt .venv/dev.stamp | .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@

.venv:
	$(if $(shell $(or $(PYTHON),false) -c "$(SUPPORTED)" 2>/dev/null && echo yes),,$(error $(UNSUPPORTED)))
	$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

clean: ## remove everything that can be created again; runs are kept
	rm -rf .venv datasets site
