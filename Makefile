# Everything a person does with this repository. `make help` lists it.
PYTHON ?= python3
BIN    := .venv/bin
READY  := .venv/.ready
export GRPC_ENABLE_FORK_SUPPORT := 0

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-here test-user fuzz torture check fmt lint types arch gen gen-check bench lock clean

help:  ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## Make .venv with everything pinned; needs Python 3.11+ and the package index, nothing else

$(READY): requirements.lock pyproject.toml build_hooks/schemas.py
	@command -v $(PYTHON) >/dev/null || \
	  { echo "there is no $(PYTHON): install Python 3.11 or later, or name yours: make setup PYTHON=python3.12" >&2; exit 3; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is $$($(PYTHON) -V); Bookmesh needs 3.11 or later: make setup PYTHON=python3.12" >&2; exit 3; }
	@echo "installing what is pinned into .venv: a minute or two the first time" >&2
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv || \
	  { rm -rf .venv; echo "$(PYTHON) cannot make an environment; on Debian and Ubuntu: apt install python3-venv" >&2; exit 3; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@# xds-protos ships an old copy of opentelemetry's messages under the same name: the real one has to come last.
	@awk '/^opentelemetry-proto==/ {wanted = 1} wanted {print} wanted && !/\\$$/ {exit}' requirements.lock > .venv/last.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --force-reinstall -r .venv/last.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup  ## Bring Bookinfo up in the lab, show routing, leave it running (bookmesh down ends it)
	@$(BIN)/python tools/demo.py

test: setup  ## The whole suite; as root also as an ordinary user, at the same time
	@tools/test-packages
	@if [ "$$(id -u)" = 0 ]; then tools/test-twice; else $(MAKE) --no-print-directory test-here; fi

test-here: setup  ## The whole suite as this user, without installing any system package
	@# Each lab of a test is a new process: compiled once here, not in every one where PYTHONDONTWRITEBYTECODE is set.
	@$(BIN)/python -m compileall -q src
	@$(BIN)/python -m pytest $(ARGS)

test-user: setup  ## As root: the whole suite as an ordinary user, in a clone of its own
	@tools/test-as-user

fuzz: setup  ## 20,000 odd configurations through parser, translation and live Envoys, and 10,000 odd requests to the API
	@BOOKMESH_FUZZ_INPUTS=$${BOOKMESH_FUZZ_INPUTS:-20000} $(BIN)/python -m pytest -q tests/fuzz $(ARGS)

torture: setup  ## Slow tests: restarts of services under load, 200 kills of a store (wants a quiet machine)
	@tools/test-packages slow
	@BOOKINFO_RESTARTS=$${BOOKINFO_RESTARTS:-20} $(BIN)/python -m pytest -m slow $(or $(ARGS),tests)

check: lint types arch gen-check  ## Everything but the tests

fmt:  ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix --quiet .

lint: setup  ## ruff
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .

types: setup  ## mypy --strict
	@$(BIN)/mypy

arch: setup  ## The contracts between rooms (.importlinter)
	@$(BIN)/lint-imports

gen: setup  ## Write the pages of docs/reference that are generated
	@for program in tools/gen_*.py; do $(BIN)/python $$program || exit 1; done

gen-check: setup  ## Fail when something generated is not up to date
	@for program in tools/gen_*.py; do $(BIN)/python $$program --check || exit 1; done

bench: setup  ## Time to the first page, memory, and propagation of changes, against the budgets
	@$(BIN)/python benchmarks/up.py
	@$(BIN)/python benchmarks/propagation.py

lock:  ## Pin the dependencies anew
	@$(BIN)/pip-compile --quiet --extra dev --extra databases --extra release --extra telemetry --generate-hashes --strip-extras --allow-unsafe --upgrade \
	  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links -o requirements.lock pyproject.toml

clean:  ## Remove the environment and caches
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache artifacts src/bookmesh/kube/schema/generated/*.json
