# Each target sets up what it needs, on a machine that has Python 3.11, make and apt; the second time it is quick.

PYTHON ?= python3.11
PORT ?= 8765
WORKERS ?= 2
MINUTES ?= 30
SEED ?= 1
REPLICAS ?= 3
ONLY ?=
BROWSER_TESTS := $(shell grep -rls playwright tests --include='*.py')
READY := .venv/.ready
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: play run test test-harnesses options chaos check format manifest clean

play: $(READY)  ## try it in a browser, without Slack and without a key
	.venv/bin/frontdesk play --port $(PORT)

run: $(READY)  ## connect to Slack
	.venv/bin/frontdesk run

test: $(READY) postgres sandbox $(if $(BROWSER_TESTS),browser)
	.venv/bin/pytest -n $(WORKERS) --dist loadfile --ignore=tests/harnesses

test-harnesses: $(READY) .harnesses/.ready  ## the real harnesses against the contract; pinned, in .harnesses; ONLY="codex pi" for some of them
	rm -f .harnesses/contract.json
	.venv/bin/pytest -n $(WORKERS) --dist loadfile $(or $(ONLY:%=tests/harnesses/test_%.py),tests/harnesses)
	$(if $(ONLY),,.venv/bin/python -m tests.harnesses.table $(if $(CI),--check))

options: $(READY)  ## docs/options.md from the code
	.venv/bin/python -m tests.test_options

chaos: $(READY) postgres  ## half an hour of everything going wrong at once; SEED, MINUTES and REPLICAS are yours to set
	.venv/bin/python -m tests.chaos --minutes $(MINUTES) --seed $(SEED) --replicas $(REPLICAS) --postgres

check: $(READY)
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/pytest -q tests/test_layers.py
	.venv/bin/frontdesk check --manifest manifest.yaml

format: $(READY)
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

manifest: $(READY)
	.venv/bin/frontdesk manifest --write manifest.yaml

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache

.harnesses/.ready: tests/harnesses/package.json tests/harnesses/install.sh
	tests/harnesses/install.sh .harnesses $(PYTHON)
	touch $@

.PHONY: browser postgres sandbox
sandbox:  # without it, or where the machine allows no user namespaces, its tests are skipped
	@command -v bwrap >/dev/null || { $(SUDO) apt-get update -q && $(SUDO) apt-get install -qy --no-install-recommends bubblewrap; } || true

postgres:
	@command -v postgres >/dev/null || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || { $(SUDO) apt-get update -q && $(SUDO) apt-get install -qy --no-install-recommends postgresql; }

browser:  # Playwright's own Node needs libatomic1
	@{ command -v chromium && dpkg -s libatomic1; } >/dev/null 2>&1 \
	|| { $(SUDO) apt-get update -q && $(SUDO) apt-get install -qy --no-install-recommends chromium libatomic1 fonts-noto-color-emoji; } \
	|| { [ -z "$$CI" ] && echo "chromium cannot be installed here, so the browser tests are skipped"; }

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { $(SUDO) apt-get update -q && $(SUDO) apt-get install -qy --no-install-recommends $(PYTHON)-venv; }
	@echo "Setting up: about a minute, the first time."
	$(PYTHON) -m venv .venv
	.venv/bin/pip install -qq --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@
