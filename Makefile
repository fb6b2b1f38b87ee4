# Every target first builds .venv from requirements.lock; a second call finds it up to date.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
READY := $(VENV)/.ready
export PATH := $(BIN):$(PATH)
# No tool phones home, neither from a target nor, by way of .venv/bin/activate, from a command typed by hand.
UNTRACKED := DO_NOT_TRACK=true MLFLOW_DISABLE_TELEMETRY=true GX_ANALYTICS_ENABLED=false \
	PREFECT_SERVER_ANALYTICS_ENABLED=false DVC_NO_ANALYTICS=1
$(foreach setting,$(UNTRACKED),$(eval export $(setting)))
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

# In a folder without .git, such as an unpacked archive, DVC has to work without Git; after `git init`, with it.
SCM = if [ ! -e .git ]; then "$(BIN)/dvc" config --quiet --local core.no_scm true; \
	elif grep -qs no_scm .dvc/config.local; then "$(BIN)/dvc" config --quiet --local --unset core.no_scm; fi

.PHONY: setup
setup: $(READY) ## Build .venv from requirements.lock
	@$(SCM)

# Both locks are complete: nothing else is resolved, and pip refuses a file with another sha256.
HASHED := --quiet --no-compile --no-deps --require-hashes
NEEDS_CUDA := from importlib.metadata import requires; import sys; \
	sys.exit(not any(name.startswith(("nvidia", "cuda")) for name in requires("torch") or ()))

$(READY): requirements.lock requirements-cuda.lock pyproject.toml
	@# MLflow's migrations lie in .venv, and Alembic interpolates percent signs in their path.
	@case "$$PWD" in *%*) echo "MLflow cannot be installed in a folder whose path has a percent sign: $$PWD." \
		"Rename the folder, or move the project." >&2; exit 1;; esac
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is required. Choose one: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Installing requirements.lock into $(VENV); this takes a few minutes the first time"
	@$(PYTHON) -m venv $(VENV)
	@printf 'export %s\n' $(UNTRACKED) >> $(VENV)/bin/activate
	@"$(BIN)/python" infra/packages/install_torch.py
	@"$(BIN)/python" -m pip install $(HASHED) --requirement requirements.lock
	@# PyTorch of PyPI for Linux needs CUDA's libraries, a wheel for the CPU alone does not.
	@if "$(BIN)/python" -c '$(NEEDS_CUDA)'; then \
		"$(BIN)/python" -m pip install $(HASHED) --requirement requirements-cuda.lock; fi
	@# pip would compile files one by one. Some packages contain templates that are not valid Python; skip them.
	@"$(BIN)/python" -W ignore -m compileall -qq -j 0 $(VENV)/lib || true
	@"$(BIN)/python" -m pip install --quiet --no-build-isolation --no-deps --editable .
	@# dvc plots show fills this page, which embeds Vega; DVC's own page loads it from the internet.
	@"$(BIN)/python" -m tasks.commands.plots_page .dvc/plots.html
	@"$(BIN)/dvc" config --quiet --local plots.html_template plots.html
	@$(SCM)
	@touch $@

.PHONY: run
run: $(READY) ## Run the pipeline of params.yaml; by default on the bundled sample of 400 photos
	@dvc repro
	@facenet results

.PHONY: flow
flow: $(READY) ## Run the pipeline as a Prefect flow
	@python -m flows.training

# A flow holds the same lock while it runs. dvc.lock is a product, which DVC's run cache restores.
.PHONY: update
update: ## Bring a worker's checkout up to date between flow runs
	@mkdir -p .dvc/tmp
	@flock .dvc/tmp/flow.lock sh -ec 'if git cat-file -e HEAD:./dvc.lock 2>/dev/null; then git checkout --quiet HEAD -- dvc.lock; fi; \
		git pull --ff-only --quiet; git log -1 --format="The checkout is at %h: %s"'
	@$(MAKE) --no-print-directory setup

.PHONY: deploy
deploy: $(READY) ## Deploy the flows with schedules and alerts to the Prefect server in PREFECT_API_URL
	@python -m flows.deploy $(if $(ALERTS),--alerts $(ALERTS))

.PHONY: recipes
recipes: $(READY) ## List the recipes
	@python -m tasks.commands.recipes list

.PHONY: recipe
recipe: $(READY) ## Apply recipes to params.yaml: make recipe NAME="pretrained photos"
	@python -m tasks.commands.recipes apply $(NAME)

.PHONY: data-docs
data-docs: $(READY) ## Build the data validation report in reports/data-docs
	@python -m tasks.commands.data_docs

.PHONY: docs
docs: $(READY) ## Build the documentation site in build/docs, and execute its notebooks
	@python docs/example_run.py build/example-run
	@FACENET_RUN="$(CURDIR)/build/example-run" sphinx-build --quiet --fail-on-warning --fresh-env docs build/docs
	@echo "The site is in build/docs: open build/docs/index.html"

PORT ?= 5000
.PHONY: ui
ui: $(READY) ## Show runs and registered models in MLflow on http://127.0.0.1:5000, or another PORT
	@MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false mlflow server --host 127.0.0.1 --port $(PORT) --workers 1 \
		--backend-store-uri sqlite:///mlflow.db --artifacts-destination mlartifacts

.PHONY: up
up: $(READY) ## Start PostgreSQL, Prefect, MLflow and a worker: ARGS="--auth --serve"; docs/how-to/services.md
	@python -m operations up $(ARGS)

.PHONY: down
down: $(READY) ## Stop the servers of `make up`
	@python -m operations down

.PHONY: status
status: $(READY) ## Show the servers of `make up`
	@python -m operations status

.PHONY: backup
backup: $(READY) ## Back up databases, artifacts, DVC cache and remotes: make backup TO=/backups/monday
	@[ -n "$(TO)" ] || { echo "Name a new folder: make backup TO=/backups/monday" >&2; exit 1; }
	@python -m operations.backup "$(TO)"

.PHONY: restore
restore: $(READY) ## Restore a backup into a new clone: make restore FROM=/backups/monday
	@[ -n "$(FROM)" ] || { echo "Name a folder of make backup: make restore FROM=/backups/monday" >&2; exit 1; }
	@python -m operations.restore "$(FROM)"
	@dvc checkout --quiet --allow-missing

.PHONY: prune
prune: $(READY) ## Show old flow runs, MLflow runs and unused data; ARGS=--apply removes them
	@python -m flows.retention $(ARGS)

# facenet-pytorch 2.5.3 pins an old torch: install it without dependencies next to a recent torch.
PEER := benchmarks/.peer
PEER_PYTHON := $(PEER)/bin/python
FACENET_PEER_PYTHON ?= $(PEER_PYTHON)

.PHONY: bench-align
bench-align: $(READY) $(if $(filter $(PEER_PYTHON),$(FACENET_PEER_PYTHON)),$(PEER)/.ready) ## Measure detection and align against facenet-pytorch
	@FACENET_PEER_PYTHON="$(FACENET_PEER_PYTHON)" python -m benchmarks.align $(ARGS)

.PHONY: bench-train
bench-train: $(READY) $(if $(filter $(PEER_PYTHON),$(FACENET_PEER_PYTHON)),$(PEER)/.ready) ## Measure training steps against facenet-pytorch
	@FACENET_PEER_PYTHON="$(FACENET_PEER_PYTHON)" python -m benchmarks.train $(ARGS)

.PHONY: bench-evaluate
bench-evaluate: $(READY) $(if $(filter $(PEER_PYTHON),$(FACENET_PEER_PYTHON)),$(PEER)/.ready) ## Measure protocol and embedding against davidsandberg and facenet-pytorch
	@FACENET_PEER_PYTHON="$(FACENET_PEER_PYTHON)" python -m benchmarks.evaluate $(ARGS)

.PHONY: bench-incremental
bench-incremental: $(READY) ## Measure ingest and align after a small change: ARGS=--cluster for Dask too
	@python -m benchmarks.incremental $(ARGS)

.PHONY: bench-noop
bench-noop: $(READY) ## Measure a flow run in which nothing has changed; needs the servers of `make up`
	@python -m benchmarks.noop $(ARGS)

.PHONY: bench-answers
bench-answers: $(READY) ## Compare FaceModel's answers with the evaluation on LFW View 2: ARGS=casia or ARGS=pretrained
	@python -m benchmarks.answers $(ARGS)

.PHONY: bench-export
bench-export: $(READY) ## Measure ONNX Runtime and OpenVINO against torch on LFW View 2: ARGS="pretrained casia"
	@python -m benchmarks.export $(ARGS)

.PHONY: bench-gallery
bench-gallery: $(READY) ## Measure search in 1e5 and 1e6 templates against NumPy and FAISS, which takes 4 GB of disk
	@python -m benchmarks.gallery $(ARGS)

.PHONY: bench-serve
bench-serve: $(READY) ## Measure facenet serve against mlflow models serve, and its memory
	@python -m benchmarks.serve $(ARGS)

.PHONY: bench-view1
bench-view1: $(READY) ## Train recipes on LFW View 1: ARGS="arcface cosface"; all by default
	@python -m benchmarks.view1 $(ARGS)

.PHONY: bench-pretrained
bench-pretrained: $(READY) ## Measure dlib's network on LFW View 2, and write the calibration that is shipped
	@python -m benchmarks.pretrained $(ARGS)

.PHONY: bench-audit
bench-audit: $(READY) ## Plant wrong names into LFW and count what the audit finds: ARGS="--seed 1 --models pretrained"
	@python -m benchmarks.audit $(ARGS)

.PHONY: bench-audit-trained
bench-audit-trained: $(READY) ## Audit names that a network was trained on, next to cleanlab: ARGS="--seeds 0 1"
	@python -m benchmarks.audit_trained $(ARGS)

.PHONY: bench-identify
bench-identify: $(READY) ## Identify people and strangers of LFW: ARGS="--model models:/facenet@champion --splits 10"
	@python -m benchmarks.identify $(ARGS)

.PHONY: bench-calibrate
bench-calibrate: $(READY) ## Calibrate on 24 people of LFW, 100 times, and count the false accepts of others: ARGS="--seed 1"
	@python -m benchmarks.calibrate $(ARGS)

.PHONY: bench-monitoring
bench-monitoring: $(READY) ## Simulate days of LFW with and without a change, and count alarms: ARGS="--seed 1"
	@python -m benchmarks.monitoring $(ARGS)

$(PEER)/.ready:
	@echo "Installing facenet-pytorch 2.5.3 into $(PEER)"
	@$(PYTHON) -m venv $(PEER)
	@$(PEER)/bin/python -m pip install --quiet torch==2.14.1 torchvision==0.29.1 numpy pillow requests tqdm
	@$(PEER)/bin/python -m pip install --quiet --no-deps facenet-pytorch==2.5.3
	@touch $@

.PHONY: test
test: $(READY) ## Run the tests in parallel, one file per process
	@python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

.PHONY: faults
faults: $(READY) ## Break what runs, for real, and check what is left: ARGS="--list" shows the scenarios
	@python -m faults $(ARGS)

.PHONY: test-recipes
test-recipes: $(READY) ## Run the first 20 steps of each faithful recipe, in about half an hour
	@FACENET_FIRST_STEPS=20 python -m pytest tests/test_faithful_recipes.py

.PHONY: test-export
test-export: $(READY) ## Export every network to ONNX and compare it with torch layer by layer, in two minutes
	@FACENET_EXPORT_ALL=1 python -m pytest tests/facenet/export

.PHONY: test-gpu
test-gpu: $(READY) ## Run the tests for a GPU, on a machine with one; elsewhere they are skipped
	@python -m pytest -m gpu $$(grep -rl --include='test_*.py' 'mark\.gpu' tests)

.PHONY: lint
lint: $(READY) ## Check formatting, style, types and the import layers
	@ruff format --check .
	@ruff check .
	@mypy
	@lint-imports

.PHONY: format
format: $(READY) ## Format the code and apply ruff's fixes
	@ruff format .
	@ruff check --fix .

# Programs about packages, apart from the packages of the project.
TOOLS := .venv-tools
$(TOOLS)/.ready: Makefile
	@$(PYTHON) -m venv $(TOOLS)
	@$(TOOLS)/bin/python -m pip install --quiet uv==0.13.9 pip-audit==2.10.1 cyclonedx-bom==7.5.0
	@touch $@

.PHONY: lock
lock: $(TOOLS)/.ready ## Renew requirements.lock from pyproject.toml: UPGRADE="NAME ..." renews single packages
	@PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" python infra/packages/lock.py $(UPGRADE)

.PHONY: audit
audit: $(READY) $(TOOLS)/.ready ## Look up known vulnerabilities of the packages, and write build/sbom.json
	@PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" python infra/packages/audit.py "$(BIN)/python"

.PHONY: clean
clean: ## Remove the environment and the tools' caches; data, models, reports and MLflow's store stay
	@rm -rf $(VENV) $(TOOLS) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
