# make install   make .venv and install into it; quick when nothing changed
# make run       the chat page on http://127.0.0.1:7860   (PORT=…, DOCS=folder, LIBRARY=folder)
# make test      lint, types and all tests
# make gate      the golden set and its floors
# make quality   the same, then all figures of docs/quality.md; the data sets are in ../shared/data (DATA=folder)

PYTHON ?= python3
VENV ?= .venv
PORT ?= 7860
DOCS ?=
DATA ?= ../shared/data
# The samples have a library of their own; each other folder gets one named after its path.
LIBRARY ?= .dossier/$(if $(DOCS),$(subst /,-,$(patsubst /%,%,$(abspath $(DOCS)))),samples)
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install run test lint types gate quality

help:
	@sed -n 's/^# //p' Makefile

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt install.sh
	PYTHON="$(PYTHON)" VENV="$(VENV)" sh ./install.sh
	@touch $(STAMP)

run: install
	@$(BIN)/dossier --library "$(LIBRARY)" ui --port "$(PORT)" --docs "$(if $(DOCS),$(DOCS),samples/strait)"

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

test: install lint types
	$(BIN)/python -m pytest

gate: install
	rm -rf build/golden
	$(BIN)/dossier eval run eval/golden/samples.jsonl --docs samples/strait --out build/golden
	$(BIN)/dossier eval gate build/golden --floors eval/golden/floors.json --junit build/golden/gate.xml

quality: gate
	rm -rf build/quality/side-by-side
	$(BIN)/python bench/quality.py "$(DATA)" --work build/quality
