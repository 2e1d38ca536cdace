# The commands of this project; people and CI run the same ones. `make` alone lists them.

VENV  := .venv
CLIP  ?=
FRESH ?=
VIEW  ?=
KAFKA ?= 1
TIMES ?= 25
# For two cores, with one more for the tests that wait. What is about real time wants its cores: no more.
WORKERS ?= 3
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help venv demo test quick test-decoders lint demo-weights verify-official prove check-cc check-java

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  make demo CLIP=path   the demo on your own clip;  FRESH=1 does it again from the start, VIEW=1 shows it in a browser"
	@echo "  make test KAFKA=0     the suite without the real broker (no Java, no Maven)"

venv: $(VENV)/.stamp-run  ## make .venv with everything that dinostream needs

demo: $(VENV)/.stamp-run  ## replay a rendered clip (or CLIP=path) into results/: demo.db, demo.png, demo.mp4
	$(VENV)/bin/dinostream demo $(if $(CLIP),"$(CLIP)") $(if $(FRESH),--fresh) $(if $(VIEW),--view)

test: check-java $(VENV)/.stamp-test  ## run the whole test suite, with a real Kafka broker unless KAFKA=0
ifeq ($(KAFKA),0)
	$(VENV)/bin/python -m pytest -n $(WORKERS) --dist worksteal --durations=20 -m "not needs_kafka"
else
	REQUIRE_KAFKA=1 $(VENV)/bin/python -m pytest -n $(WORKERS) --dist worksteal --durations=20
endif

# Whole processes are at work there (SLOW_ROOMS of tests/conftest.py); this spares their collection.
SLOW_ROOMS := benchmarks live pipeline/bench pipeline/calibrate pipeline/demo pipeline/end_to_end pipeline/runtime \
  pipeline/sinks/kafka pipeline/view/browser

quick: $(VENV)/.stamp-test  ## the tests that take no time: for between two changes
	$(VENV)/bin/python -m pytest -n 2 -q -m "not slow and not needs_kafka" $(SLOW_ROOMS:%=--ignore tests/%)

# What decoding and its tests import: no torch, so nothing that computes features is among them.
DECODERS := av crc32c numpy pillow pydantic ruamel.yaml jsonschema safetensors pytest pytest-timeout pytest-xdist

test-decoders:  ## run the decoders' tests alone, in a small environment: PYTHON=python3.11
	python=$$(deploy/find_python.sh) && $$python -m venv --clear .venv-decoders
	.venv-decoders/bin/python -m pip install --quiet --constraint constraints.txt $(DECODERS)
	PYTHONPATH=. .venv-decoders/bin/python -m pytest -n 2 --durations=5 \
	  --ignore tests/pipeline/media/test_scaler_fidelity.py tests/pipeline/media \
	  tests/pipeline/decode/test_losses.py tests/pipeline/decode/test_playback.py tests/pipeline/decode/test_timestamps.py

DEMO_WEIGHTS := $(VENV)/bin/python -m pipeline.demo_weights
DEMO_HEADS := depth segmentation action detect
SIZES := 112x112 196x112 112x196 266x112 112x266
COMPARE := $(VENV)/bin/dinostream eval compare --synthetic world --seeds 20000:20120 $(SIZES:%=--size %) \
  --short-side 112 --blocks 1 --model dinov2_vitti14 --weights results/pretrain/dinov2_vitti14.safetensors \
  --save results/demo-heads

demo-weights: $(VENV)/.stamp-run  ## train the weights that ship (--weights demo) once more: hours
	$(DEMO_WEIGHTS) --out results/pretrain
	$(COMPARE) --task depth --task segmentation --train-seeds 10000:10800 -o results/demo-eval/maps
	$(COMPARE) --task action --train-seeds 10000:11600 -o results/demo-eval/action
	$(VENV)/bin/dinostream fit detect --synthetic world --seeds 10000:15000 --frames 1 $(SIZES:%=--size %) --short-side 112 --no-masks \
	  --steps 6000 --model dinov2_vitti14 --weights results/pretrain/dinov2_vitti14.safetensors -o results/demo-heads/detect.safetensors
	$(DEMO_WEIGHTS).pack --backbone results/pretrain/dinov2_vitti14.safetensors \
	  $(DEMO_HEADS:%=results/demo-heads/%.safetensors)

lint: $(VENV)/.stamp-dev  ## ruff and mypy
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

verify-official: $(VENV)/.stamp-run  ## hold our heads to upstream's on official files (internet); writes docs/official.md
	$(VENV)/bin/python -m benchmarks.verify_official $(if $(CLIP),"$(CLIP)")

prove: check-java $(VENV)/.stamp-test  ## kill -9 of every part of a replay at 25 random points each: 45 minutes; TIMES=3 for less
	$(VENV)/bin/python -m benchmarks.prove --times $(TIMES)

# A stamp says that what it stands for is installed as these two files want it.
$(VENV)/.stamp-run: pyproject.toml constraints.txt | check-cc
	@deploy/install.sh $(VENV)
	@touch $@

$(VENV)/.stamp-test: $(VENV)/.stamp-run
	@deploy/install.sh $(VENV) test
	@touch $@

$(VENV)/.stamp-dev: $(VENV)/.stamp-run
	@deploy/install.sh $(VENV) dev
	@touch $@

check-cc:
	@command -v cc >/dev/null || command -v gcc >/dev/null || command -v clang >/dev/null || { \
	  echo "No C compiler: Triton builds its launchers with one. Debian and Ubuntu: apt-get install gcc;" \
	       "Fedora: dnf install gcc; macOS: xcode-select --install" >&2; exit 1; }

check-java:
ifneq ($(KAFKA),0)
	@deploy/kafka/java_check.sh
endif
