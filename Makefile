# Two commands are all it takes: `make demo` shows what adnet does, `make test` checks everything.
# Both make .venv and install into it first; nothing but python3 (3.11 or newer) and make has to be there.

PYTHON ?= python3
# One more than two cores: many tests wait for processes that they have started.
WORKERS ?= 3

VENV := .venv
RUN := $(VENV)/bin/python -m
# A new pyproject.toml or another folder means a new installation; a new date of the file does not.
STAMP := $(VENV)/.installed-$(shell (pwd; cat pyproject.toml) | cksum | tr -d ' ')

.PHONY: demo test lint types pytest cover oldest soak install readme clean bench bench-check

demo: $(STAMP)
	@$(RUN) adnet demo --dir demo

test: lint types pytest

lint: $(STAMP)
	$(RUN) ruff check .
	$(RUN) ruff format --check .

types: $(STAMP)
	$(RUN) mypy

pytest: $(STAMP)
	$(RUN) pytest -q -n $(WORKERS)

# The tests once more, with the lines and branches that they reach; it takes half as long again. Coverage follows into the
# processes that tests start; what a kill cuts short is not counted.
cover: $(STAMP)
	@$(RUN) coverage erase
	$(RUN) coverage run -m pytest -q -n $(WORKERS)
	@$(RUN) coverage combine --quiet
	@total=$$($(RUN) coverage report --format=total) && printf 'covered: %s %%\n' "$$total" || \
		{ echo "covered: $$total %, less than pyproject.toml asks for" >&2; exit 1; }

# The tests once more with the oldest versions that pyproject.toml asks for.
OLDEST := .venv-oldest
oldest:
	$(PYTHON) -m venv $(OLDEST)
	@grep -oE '"[a-z_-]+(\[[a-z]+\])?>=[0-9.]+' pyproject.toml | sed -E 's/"//; s/\[[a-z]+\]//; s/>=/==/' | \
		sort -u > $(OLDEST)/constraints.txt
	$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check \
		--editable '.[all,test]' --constraint $(OLDEST)/constraints.txt
	$(OLDEST)/bin/python -m pytest -q -n $(WORKERS)

# An hour of kills, faults and strange input; the same again with SOAK_SEED, figures as JSON with SOAK_REPORT.
SOAK_SECONDS ?= 3600
soak: $(STAMP)
	@$(VENV)/bin/python scripts/soak.py --seconds $(SOAK_SECONDS) \
		$(if $(SOAK_SEED),--seed $(SOAK_SEED)) $(if $(SOAK_REPORT),--report $(SOAK_REPORT))

install: $(STAMP)

# Everything beside the peers, five rounds of it; it takes twenty-five minutes. Its table is what docs/performance.md shows.
bench: $(STAMP)
	@$(VENV)/bin/python benchmarks/bench.py

# Under a minute: fails on a ratio worse than 1.25 times the stored one.
bench-check: $(STAMP)
	@$(VENV)/bin/python benchmarks/bench.py --check

# Writes the support table into README.md anew; a test compares it.
readme: $(STAMP)
	$(RUN) tests.readme

$(STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "adnet needs Python 3.11 or newer as python3; name another: make PYTHON=…" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(RUN) pip install --quiet --disable-pip-version-check --editable '.[all,dev]'
	@rm -f $(VENV)/.installed-*
	@touch $(STAMP)

clean:
	rm -rf $(VENV) $(OLDEST) demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.*
