# A contributor's few verbs. Python 3.11 or newer; `make PYTHON=python3.12 demo` chooses another.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
OUT ?= sdq-out

.PHONY: demo test lint validity docs bench fuzz clean
.DEFAULT_GOAL := demo

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[imaging,signals,ehr,audit,report,review]'
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[imaging,embedders,signals,ehr,audit,report,review,wfdb,remote,dask,pytest,docs,test]'
	touch $@

# The verdicts of the demo are verdicts, not errors: only unusable input (2) fails the target.
demo: $(VENV)/.installed
	$(BIN)/sdq evaluate fixtures/cxr/study.yaml --output $(OUT) || [ $$? -ne 2 ]

test: $(VENV)/.installed-test lint
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy sdq_core sdq_imaging sdq_signals sdq_ehr sdq_pytest
	$(BIN)/lint-imports

# The documentation as a site, from local files alone: build/site/index.html. Its search works where
# the folder is served: python -m http.server --directory build/site
docs: $(VENV)/.installed-test
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Every table of docs/performance.md; about an hour on 2 free cores. Peers that need interpreters of
# their own are run where they are named: make bench PEERS_EHR="--sdmetrics PYTHON" ...
bench: $(VENV)/.installed-test
	$(BIN)/python benchmarks/imaging.py --markdown docs/performance.md $(PEERS_IMAGING)
	$(BIN)/python benchmarks/signals.py --markdown docs/performance.md $(PEERS_SIGNALS)
	$(BIN)/python benchmarks/ehr.py --markdown docs/performance.md $(PEERS_EHR)
	$(BIN)/python benchmarks/bounds.py --markdown docs/performance.md
	$(BIN)/python benchmarks/growth.py --markdown docs/performance.md
	$(BIN)/python benchmarks/workers.py --markdown docs/performance.md

# Hours: real data that should pass and planted defects that should fail, into docs/validity.md.
# DATA is a folder with the sets that the benchmarks name; without it only the shipped data are used.
validity: $(VENV)/.installed-test
	$(BIN)/python benchmarks/calibration.py --output $(OUT)/calibration --runs 20 --markdown docs/validity.md
	$(BIN)/python benchmarks/planted_shares.py --runs 20 --markdown docs/validity.md
ifdef DATA
	$(BIN)/python benchmarks/validity.py --data $(DATA)/imaging --seeds 5
	$(BIN)/python benchmarks/false_alarms.py --data $(DATA)/imaging --runs 20
	$(BIN)/python benchmarks/signals_validity.py --data $(DATA)/signals --seeds 5 --splits 40
	$(BIN)/python benchmarks/ehr_validity.py
	$(BIN)/python benchmarks/bias.py --data $(DATA) --seeds 12 --quiet 60
endif

# Ten minutes of broken DICOM files; faulty ones are kept.
fuzz: $(VENV)/.installed-test
	$(BIN)/python tools/fuzz_dicom.py --mutants 100000 --seconds 600 --seed $$(date +%s) --keep $(OUT)/fuzz

clean:
	rm -rf $(VENV) $(OUT) build dist *.egg-info
