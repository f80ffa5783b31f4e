# The two commands of the README are `make demo` and `make test`; each does all of its own set-up.
SHELL := /bin/bash
UV := $(or $(shell command -v uv 2>/dev/null),.tools/bin/uv)
RUN := $(UV) run --frozen --quiet --all-extras
export UV_LINK_MODE ?= copy

.PHONY: test setup demo lint types docs bench locale clean

test: lint types  ## everything that must hold: style, arrows between modules, types, tests, coverage
	$(RUN) pytest -n 2 --dist loadfile --cov --cov-report=term

.tools/bin/uv:
	python3 -m venv .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check uv

setup: | $(UV)
	@$(UV) sync --frozen --quiet --all-extras

demo: setup  ## simulate a portal under attack, scan its logs, say what to look at
	@$(RUN) vigie demo

lint: setup
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) lint-imports --no-cache

types: setup
	$(RUN) mypy

docs: setup
	$(UV) run --frozen --all-extras --group docs mkdocs build --strict

bench: setup  ## the table of benchmarks; BENCH_SCALE=1 for the full sizes
	$(RUN) python -m benchmarks

locale: setup  ## extract the texts and compile the French catalogue
	$(RUN) python -m tools.locale

clean:
	rm -rf .venv .tools site demo .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis
