# What one does with this checkout; `make` alone lists it.
.DEFAULT_GOAL := help
.PHONY: help demo test servers test-adapters test-peers lint bench-log bench-adapters bench-orchestration campaign clean

PYTHON ?= python3
CAMPAIGN ?= 500
# More than there are cores: tests of adapters mostly wait for their instruments.
JOBS ?= 4
BIN := .venv/bin
READY := .venv/.ready
BENCH_READY := .venv-bench/.ready
# The constraints keep pip from taking another build of torch, which is gigabytes larger.
INSTALL := -m pip install --quiet --disable-pip-version-check -c constraints.txt

SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
# program:package; node and npm may also come from elsewhere than Debian.
SERVERS := mosquitto:mosquitto slurmctld:slurmctld slurmd:slurmd sbatch:slurm-client munged:munge node:nodejs npm:npm

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY)  ## watch a closed loop optimize a simulated reaction, in under a minute
	@$(BIN)/titrant demo

# Files in their own order: by the number of their tests, those with a few long ones would be left over for the end.
test: lint  ## everything that must pass: lint, types, layers, tests (JOBS=4 files at a time)
	$(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile --no-loadscope-reorder

servers:  ## install the servers that the tests need from Debian (apt-get, with sudo unless root)
	@for pair in $(SERVERS); do \
	  PATH="$$PATH:/usr/sbin" command -v "$${pair%:*}" >/dev/null || missing="$$missing $${pair#*:}"; \
	done; \
	if [ -z "$$missing" ]; then echo "the servers are installed: $(SERVERS)"; exit; fi; \
	echo "installing$$missing"; \
	$(SUDO) apt-get update -qq && \
	$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing

test-adapters: $(READY)  ## adapters against servers in environments of their own (made here, some minutes the first time)
	@$(BIN)/python tests/adapters/environments.py
	$(BIN)/python -m pytest -q -m adapters_slow

test-peers: $(READY)  ## Ax and BayBE as generators: half an hour, nearly all of it theirs
	$(BIN)/python -m pytest -q -m peers_slow

lint: $(READY)  ## ruff, mypy and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench-log: $(READY) $(BENCH_READY)  ## events per second into and out of the log, beside its peers
	.venv-bench/bin/python benchmarks/log.py

bench-adapters: $(READY)  ## what adapters add to a trial, beside the bare libraries
	$(BIN)/python benchmarks/adapters.py

bench-orchestration: $(READY) $(BENCH_READY)  ## titrant and Ax side by side (quick; see benchmarks/orchestration.py)
	$(BIN)/python benchmarks/orchestration.py --quick --ax-python .venv-bench/bin/python

campaign: $(READY)  ## long fault campaigns (CAMPAIGN=500)
	CAMPAIGN=$(CAMPAIGN) $(BIN)/python -m pytest -q -m campaign

clean:  ## remove what tools leave behind; environments and logs stay
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist build
	find engine adapters tests examples benchmarks -type d -name __pycache__ -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints.txt
	@echo "installing titrant and what it needs into .venv (this takes minutes the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python $(INSTALL) -e '.[dev]'
	@touch $@

# Ax has an environment of its own, so that nothing of it gets into titrant's.
$(BENCH_READY): pyproject.toml constraints.txt
	@echo "installing Ax beside titrant into .venv-bench"
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python $(INSTALL) -e '.[bench]'
	@touch $@
