# Two commands for a fresh machine with Python and make: `make demo` and `make test`.
# Both make a virtual environment in .venv and install what they need there.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: demo test prove lint types fuzz exhaust compiled bench docs clean

demo: $(READY)
	$(BIN)/python docs/examples/demo.py

test: $(READY) lint types
	$(BIN)/python -m pytest -n auto -q

prove: $(READY)
	HOCKET_WHOLE=1 $(BIN)/python -m pytest -n auto -q proofs tests/unit/models tests/unit/kernel tests/unit/plan \
	    tests/unit/explore_scale tests/chain/test_kernel_refines_model.py tests/chain/test_runtime_refines_model.py

lint: $(READY)
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

docs: $(READY)
	$(BIN)/python docs/draw.py

fuzz: $(READY)
	$(BIN)/python -m tests.fuzz_explorer 10000
	$(BIN)/python -m tests.fuzz_shared 10000
	$(BIN)/python -m tests.fuzz_asyncio 2000
	$(BIN)/python -m tests.fuzz_readers 5000 1
	$(BIN)/python -m tests.fuzz_verify 1000
	$(BIN)/python -m tests.fuzz_texts 1000
	$(BIN)/python -m tests.fuzz_traffic 1000 1

exhaust: $(READY)
	$(BIN)/python -m tests.exhaust_certificates
	$(BIN)/python -m tests.chain.steps
	$(BIN)/python -m tests.chain.settlings
	$(BIN)/python -m tests.chain.exhaust seeds 4 --spawns 1
	$(BIN)/python -m tests.chain.exhaust all 4 --spawns 1
	$(BIN)/python -m tests.exhaust_subsystems

compiled: $(READY)
	$(BIN)/python -m tests.compiled_explorer .compiled

bench: $(READY)
	$(BIN)/python -m pytest tests/benchmarks -q -s -p no:xdist

clean:
	rm -rf $(VENV) .compiled .pytest_cache .mypy_cache .ruff_cache .hypothesis dist

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and "hocket needs Python 3.11 or newer, and %s is %d.%d: say `make PYTHON=python3.12 ...`" % (sys.executable, v.major, v.minor))'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[all]' --group test --group types
	@touch $@
