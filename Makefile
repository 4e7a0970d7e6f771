# mockpump: two commands do everything, set-up included: `make demo` and `make test`.

VENV := .venv
BIN := $(VENV)/bin
SCENARIO ?=
DEMO_ARGS ?=
PYTEST_ARGS ?=
FUZZ_SECONDS ?= 60
FUZZ_ARGS ?=
GATE_ARGS ?=

# The first Python of the list that really runs and is new enough.
FIND_PYTHON = for python in $(PYTHON) python3.14 python3.13 python3.12 python3.11 python3; do \
	if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
		>/dev/null 2>&1; then echo $$python; break; fi; done

# Whoever reads a pipe may have seen enough: that is no error to tell.
QUIET_IN_PIPE = { code=$$?; [ $$code -eq 74 ] && [ -p /dev/stdout ] || exit $$code; }

.PHONY: help demo test test-browser soak lint bench fuzz exercises-gate dist clean
.DEFAULT_GOAL := help

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.run ## the whole demonstration in one terminal, about half a minute (SCENARIO=limits: another)
	@$(BIN)/mockpump demo $(SCENARIO) $(DEMO_ARGS) || $(QUIET_IN_PIPE)

test: $(VENV)/.test ## every test, with branch coverage of protocol/ and emulator/
	@$(BIN)/pytest -n auto --dist worksteal --cov --cov-report=term $(PYTEST_ARGS)

test-browser: $(VENV)/.browser ## the page in a browser; needs Chromium and Node
	@$(BIN)/pytest tests/browser $(PYTEST_ARGS)

soak: $(VENV)/.test ## kill a real pump process 200 times under load
	@MOCKPUMP_KILLS=200 $(BIN)/pytest -q tests/emulator/transports/test_sigkill.py

lint: $(VENV)/.lint ## ruff, ruff format --check, mypy and import-linter, all strict
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

bench: $(VENV)/.bench ## the speed table, each row against its peer in the same run
	@$(BIN)/python -m bench $(BENCH_ARGS)

fuzz: $(VENV)/.fuzz ## throw bytes at frames, messages and the whole pump, FUZZ_SECONDS=60 each
	@for target in frames messages pump; do echo "== $$target"; \
		$(BIN)/python fuzz $$target $(FUZZ_SECONDS) $(FUZZ_ARGS) || exit 1; done

exercises-gate: $(VENV)/.test ## whether every exercise is sound (GATE_ARGS="--seeds 20 --right-seeds 100")
	@$(BIN)/python -m mockpump.exercises.gate $(GATE_ARGS)

dist: $(VENV)/.build ## the wheel and the sdist, in dist/
	@rm -rf dist
	@$(BIN)/python -m build --outdir dist . >/dev/null
	@ls dist

clean: ## remove the set-up and everything made from the sources
	@rm -rf $(VENV) dist build .fuzz src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .coverage
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A .venv whose Python has gone, or that was made in another folder, is made anew; one that was not made here stays.
ifneq ($(shell $(BIN)/python -c '' 2>/dev/null && cat $(VENV)/.made 2>/dev/null),$(CURDIR))
.PHONY: $(VENV)/.made
endif

$(VENV)/.made:
	@if [ -e $(VENV) ] && [ ! -e $@ ]; then \
		echo "$(VENV) was not made by make, or not finished, and stays as it is: set up beside it with" >&2; \
		echo "\`make VENV=.venv-mockpump $(MAKECMDGOALS)\`, or remove it (\`rm -r $(VENV)\`) and try again" >&2; \
		exit 1; fi
	@python=$$($(FIND_PYTHON)); \
	if [ -z "$$python" ]; then \
		echo "mockpump needs Python 3.11 or newer with venv; name one: make PYTHON=/path/to/python" >&2; \
		exit 1; fi; \
	echo "setting up $(VENV) with $$($$python --version), once" >&2; \
	$$python -m venv --clear $(VENV)
	@echo '$(CURDIR)' > $@

# One stamp for each set of dependencies; all are made anew when pyproject.toml changes.
$(VENV)/.run: EXTRAS :=
$(VENV)/.test: EXTRAS := [test]
$(VENV)/.lint: EXTRAS := [test,lint]
$(VENV)/.bench: EXTRAS := [bench]
$(VENV)/.browser: EXTRAS := [test,browser]
$(VENV)/.build: EXTRAS := [build]
$(VENV)/.run $(VENV)/.test $(VENV)/.lint $(VENV)/.bench $(VENV)/.browser $(VENV)/.build: $(VENV)/.made pyproject.toml
	@echo "installing mockpump$(EXTRAS) into $(VENV)" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.$(EXTRAS)'
	@touch $@

# Not every Python has Atheris: without it there is a line that says what to do, and no stamp.
$(VENV)/.fuzz: $(VENV)/.made pyproject.toml
	@echo "installing mockpump[fuzz] into $(VENV)" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[fuzz]' || { \
		echo "make fuzz: Atheris cannot be installed for $$($(BIN)/python --version) here" >&2; \
		echo "the same checks run without it: make test PYTEST_ARGS=tests/test_fuzz.py" >&2; exit 1; }
	@touch $@
