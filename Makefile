# Each target sets up what it needs, on a machine that has Python 3.11, make and apt; the second time it is quick.

PYTHON ?= python3.11
PORT ?= 8765
WORKERS ?= 2
BROWSER_TESTS := $(shell grep -rls playwright tests --include='*.py')
READY := .venv/.ready
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: play run test check format manifest clean

play: $(READY)  ## try it in a browser, without Slack and without a key
	.venv/bin/frontdesk play --port $(PORT)

run: $(READY)  ## connect to Slack
	.venv/bin/frontdesk run

test: $(READY) $(if $(BROWSER_TESTS),browser)
	.venv/bin/pytest -n $(WORKERS) --dist loadfile

check: $(READY)
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/pytest -q tests/test_layers.py
	.venv/bin/frontdesk check

format: $(READY)
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

manifest: $(READY)
	.venv/bin/frontdesk manifest --write manifest.yaml

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache

.PHONY: browser
browser:
	@command -v chromium >/dev/null || { $(SUDO) apt-get update -q && $(SUDO) apt-get install -qy --no-install-recommends chromium; }

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import ensurepip' || { $(SUDO) apt-get update -q && $(SUDO) apt-get install -qy --no-install-recommends $(PYTHON)-venv; }
	@echo "Setting up: about a minute, the first time."
	$(PYTHON) -m venv .venv
	.venv/bin/pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@
