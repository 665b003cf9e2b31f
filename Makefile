# All commands of developers and CI. The commands need python3 (3.11 or newer) and make.

PYTHON ?= python3
STAGE ?= dev
PORT ?= 8400

BIN := .venv/bin
SAM := .venv-sam/bin/sam
# The tests of a file run in the same process, because the tests share a stack. tests/conftest.py puts
# slow files first.
TESTS := $(BIN)/python -m pytest -n logical --dist loadfile --no-loadscope-reorder
PINNED := --quiet --require-hashes --no-deps
LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11

# The builder, the layer's byte code and the emulator need the runtime's own Python: from the PATH,
# else from pyenv. pyenv's shim may start another version, so the shim is resolved.
RUNTIME_BIN := $(shell for python in python3.13 "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.13.*/bin/python3.13; do \
	"$$python" -c 'import sys; print(sys.base_prefix + "/bin")' 2>/dev/null && break; done)
NO_RUNTIME := Python 3.13, the runtime's own; put python3.13 on the PATH.
PROCESSOR := $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64)
VENV_PYTHON = $(PYTHON)

export PORT EVERY_CASE
# Byte code is kept, also where the environment says otherwise.
export PYTHONDONTWRITEBYTECODE :=
export PIP_DISABLE_PIP_VERSION_CHECK := 1
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif
export SAM_CLI_TELEMETRY := 0

.DEFAULT_GOAL := help
.PHONY: help setup demo pictures test dev openapi telnyx-types fuzz replays faults unknowns handover faults-long histories hooks first-minute check fmt lint checkov types schemas lock sbom build here artifact deploy deploy-local bench scale prism clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.installed .venv/bin/partyline ## make .venv from the lock

demo: setup ## run whole multi-party calls on this machine
	$(BIN)/python -m local demo

pictures: setup ## make docs/pictures from a real run (needs Chromium)
	$(BIN)/python -m local.docs.pictures

test: setup .venv/.compiled ## run every test, with a sample of the cases of the longest; EVERY_CASE=1 for all
	$(TESTS)

# exec: a signal to make reaches the stack, not a shell in between.
dev: setup ## run the local stack on PORT (8400)
	@exec $(BIN)/python -m local dev

openapi: setup ## write docs/openapi.json from the code
	PYTHONPATH=layers/partyline $(BIN)/python -m local.docs.openapi

schemas: setup ## write events/schemas and the list in docs/events.md from local/docs/event_schemas.py
	PYTHONPATH=layers/partyline $(BIN)/python -m local.docs.event_schemas

# After `make lock UPGRADE=1` and `make setup`: tests/drift prints the moved fields, this accepts the changes.
telnyx-types: setup ## hold the code to the installed official Telnyx client (tests/drift)
	PYTHONPATH=.:layers/partyline $(BIN)/python -m tests.drift.snapshot

fuzz: setup ## send 6,000 requests that schemathesis makes from docs/openapi.json to the local stack
	PYTHONPATH=.:layers/partyline $(BIN)/python -m tests.security.fuzz 6000

faults: setup ## run every scenario with every fault at every point, and print the table
	PYTHONPATH=.:layers/partyline $(BIN)/python -m tests.faults

unknowns: setup ## run every call under all pairs of possible answers of Telnyx (docs/telnyx.md), and print the table
	PYTHONPATH=.:layers/partyline $(BIN)/python -m tests.unknowns

handover: setup ## play a handover with every mishap in every phase, and print the table
	PYTHONPATH=.:layers/partyline $(BIN)/python -m tests.handover

replays: setup ## run the demo and write tests/replays, the replay file of each call
	$(BIN)/python -m local.replay.demo
	PYTHONPATH=.:layers/partyline $(BIN)/python -m tests.faults.replays

first-minute: setup ## time the way from a clone to the greeting, and the console's frames (needs Chromium)
	PYTHONPATH=.:layers/partyline $(BIN)/python -m tests.speed

hooks: setup ## deliver 10,000 events to hooks that fail, by a sender that dies; DELIVERIES=1000 for fewer
	PYTHONPATH=.:layers/partyline $(BIN)/python -m tests.hooks $(DELIVERIES)

# HISTORIES="90000 10000 0": the numbers of histories for the domain and for the engine, and the first
# seed; another seed gives other histories.
faults-long: setup ## run 100,000 generated histories; HISTORIES="900 100" for fewer
	PYTHONPATH=.:layers/partyline $(BIN)/python -m tests.faults.long $(HISTORIES)

# MANY="200": how many histories; MANY="1 4711" for the history of a number.
histories: setup ## run 10,000 generated histories of transcripts; MANY=200 for fewer
	PYTHONPATH=.:layers/partyline $(BIN)/python -m tests.histories $(MANY)

# Two jobs at a time: a job that waits for a network, a browser or an emulator uses no processor.
check: export EVERY_CASE := 1
check: ## run everything that CI runs
	@$(MAKE) --no-print-directory --jobs=2 setup .venv/.compiled .venv-checkov/.installed $(if $(RUNTIME_BIN),build here)
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target test lint types checkov sbom demo artifact deploy-local prism

fmt: setup ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lint: setup ## check the code and the template for mistakes
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	PYTHONPATH=layers/partyline $(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/cfn-lint template.yaml

# Without the network. .checkov.yaml lists the omitted checks and the reasons.
checkov: .venv-checkov/.installed ## check the security of the template
	.venv-checkov/bin/checkov

types: setup ## check the types
	$(BIN)/mypy

lock: setup ## write the pins from requirements/*.in; UPGRADE=1 selects newer versions, and shows what moved at Telnyx
	for pins in layers/partyline/requirements requirements/uv requirements/dev requirements/sam requirements/runtime requirements/checkov requirements/sbom; do \
		$(LOCK) $(if $(UPGRADE),--upgrade) -o $$pins.txt $$pins.in || exit; done
	$(if $(UPGRADE),-@$(MAKE) --no-print-directory setup && $(BIN)/python -m pytest -q tests/drift)

# The layer has all code that a deployment brings, except boto3, which is Lambda's own.
sbom: .venv-sbom/.installed ## write partyline.cdx.json, the list of the layer's packages (SBOM, CycloneDX)
	.venv-sbom/bin/cyclonedx-py requirements --output-reproducible --pyproject pyproject.toml \
		--output-file partyline.cdx.json layers/partyline/requirements.txt

build: .venv-sam/.installed ## build the deployment into .aws-sam; ARCH=x86_64 for the other processor
	@test -n "$(RUNTIME_BIN)" || { echo "make build needs $(NO_RUNTIME)" >&2; exit 1; }
	PATH="$(RUNTIME_BIN):$$PATH" $(SAM) build

# The same build for this machine's processor, so that the functions run here. The build has a folder
# of its own, because two builds at a time would write the same build.toml.
here: .venv-sam/.installed .venv-runtime/.installed
	PATH="$(RUNTIME_BIN):$$PATH" ARCH=$(PROCESSOR) $(SAM) build --build-dir .aws-sam/here/build

artifact: setup $(if $(RUNTIME_BIN),build here) ## build, and test the build in Lambda's own runtime
	@test -n "$(RUNTIME_BIN)" || { echo "Not tested: the artifact needs $(NO_RUNTIME)" >&2; test -z "$$CI"; }
	$(if $(RUNTIME_BIN),PARTYLINE_ARTIFACT=.aws-sam/here/build $(BIN)/python -m pytest -n logical tests/artifact)

deploy-local: setup $(if $(RUNTIME_BIN),here) ## run partyline up, the demo and partyline down in the embedded AWS
	@test -n "$(RUNTIME_BIN)" || { echo "Not deployed: it needs $(NO_RUNTIME)" >&2; test -z "$$CI"; }
	$(if $(RUNTIME_BIN),PYTHONPATH=layers/partyline $(BIN)/python -m local.deploy.deploy_local)

prism: setup ## check the demo's requests to Telnyx, and the answers, against the public description
	@command -v npm >/dev/null || { echo "Not checked: make prism needs Node.js" >&2; test -z "$$CI"; }
	$(if $(shell command -v npm),@$(MAKE) --no-print-directory .prism/.installed && $(BIN)/python -m pytest tests/prism)

bench: setup $(if $(RUNTIME_BIN),here) ## measure speed and cost, as ratios within a run
	$(BIN)/python -m local.bench

# N=10000: the conversations of the largest run; 10,000 take about a quarter of an hour of a core.
N ?= 2000
scale: setup ## run N=2000 live conversations in virtual time, and print timers, requests, units and cost
	PYTHONPATH=layers/partyline $(BIN)/python -m local.scale $(N)

# A release is a commit with its parameters. SAM publishes new versions only for a new ReleaseSha: with
# the commit's hash alone, a deployment of new parameters would not move the aliases.
# `partyline up` deploys too, and connects Telnyx. SAM reads AWS_DEFAULT_REGION only.
ifdef AWS_REGION
deploy: export AWS_DEFAULT_REGION := $(AWS_REGION)
endif
deploy: build ## deploy to STAGE (dev); the first time with PARAMETERS="TelnyxConnectionId=... TelnyxPublicKeys=..."; CONFIRM=1 shows the changes and asks
	@test -z "$$(git status --porcelain)" || { echo "Commit first: a release is a commit." >&2; exit 1; }
	$(SAM) deploy --stack-name partyline-$(STAGE) $(if $(CONFIRM),--confirm-changeset) --tags application=partyline stage=$(STAGE) $(TAGS) \
		--parameter-overrides Stage=$(STAGE) \
		ReleaseSha=$$({ git rev-parse HEAD; echo "$(PARAMETERS)"; } | git hash-object --stdin) $(PARAMETERS)

clean: ## remove all generated files
	rm -rf .venv .venv-* .cache .prism .aws-sam partyline.cdx.json .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The command line from any directory. -P: a folder called local in that directory is not imported.
.venv/bin/partyline: .venv/.installed
	@printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s/.venv/bin/python" -P -m local "$$@"\n' "$(CURDIR)" "$(CURDIR)" >$@
	@chmod +x $@

.venv/.installed: requirements/dev.txt
.venv-sam/.installed: requirements/sam.txt
.venv-checkov/.installed: requirements/checkov.txt
.venv-sbom/.installed: requirements/sbom.txt
.venv-runtime/.installed: requirements/runtime.txt
.venv-runtime/.installed: VENV_PYTHON = $(RUNTIME_BIN)/python3.13

# The first collection compiles the packages and the tests. Without it, each process of the tests would
# compile them all. A mistake in a test is shown by the tests.
.venv/.compiled: .venv/.installed
	@-$(BIN)/python -m pytest --collect-only -qq >/dev/null 2>&1
	@touch $@

# Without dependencies, because the lock lists all dependencies. uv takes a quarter of pip's time; when
# uv can't reach an index that pip is configured for, pip installs.
.venv/.installed .venv-sam/.installed .venv-checkov/.installed .venv-sbom/.installed .venv-runtime/.installed:
	@$(VENV_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; name one with PYTHON=/path/to/python3." >&2; exit 1; }
	@$(VENV_PYTHON) -m venv $(@D) || { \
		echo "$(VENV_PYTHON) can't make a virtual environment; on Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }
	$(@D)/bin/python -m pip install $(PINNED) -r requirements/uv.txt
	@$(@D)/bin/uv pip install --python $(@D)/bin/python $(PINNED) -r $< || $(@D)/bin/python -m pip install $(PINNED) -r $<
	@touch $@

# Prism asks no network. --ignore-scripts: a package runs nothing when it is installed.
.prism/.installed: requirements/prism/package.json requirements/prism/package-lock.json requirements/prism/.npmrc
	rm -rf .prism && mkdir .prism && cp requirements/prism/package.json requirements/prism/package-lock.json requirements/prism/.npmrc .prism
	npm ci --prefix .prism --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@
