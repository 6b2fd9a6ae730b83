# `make` lists the tasks. Each sets up what it needs.

PYTHONS := $(shell sh .ci/pythons)
PYTHON ?= $(firstword $(PYTHONS))
MAIN := $(if $(PYTHON),$(shell sh .ci/pythons $(PYTHON)))
OTHERS = $(filter-out $(MAIN),$(PYTHONS))
COMPILE = .venv/bin/uv pip compile --quiet --upgrade --universal \
	--python-version 3.11 --generate-hashes --no-header --annotation-style line
# A module stays with one process, for its tests may share what is dear to make; the longest first.
AT_ONCE = --numprocesses auto --dist loadfile --no-loadscope-reorder
# Images of CI often forbid Python to cache bytecode. The tests start many programs, and each would then
# compile all of its imports, which takes longer than what the test looks at.
export PYTHONDONTWRITEBYTECODE =
DOCKER ?= docker
IMAGE ?= source-asana:dev
# For a DOCKER that keeps docker's commands below a command `docker` of its own.
DOCKER_COMMAND = $(DOCKER)$(shell $(DOCKER) docker --version >/dev/null 2>&1 && echo ' docker')

.PHONY: help sync dbt dbt-test dbt-compile dbt-environment dbt-warehouses-environment test test-all test-others pyairbyte \
	histories pace faults check bench image image-test docs lock environment

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s%s\n", $$1, $$2 }' Makefile

sync: environment ## Sync the sample account, or CONFIG=secrets/config.json; STREAMS=tasks,users FILE= DATABASE= FRESH=1
	@.venv/bin/python -m local_sync \
		$(if $(CONFIG),--config '$(CONFIG)') $(if $(STREAMS),--streams '$(STREAMS)') \
		$(if $(FILE),--file '$(FILE)') $(if $(DATABASE),--database '$(DATABASE)') $(if $(FRESH),--fresh)

dbt: environment dbt-environment ## Build and test the dbt models on what make sync wrote; FILE= or DATABASE=
	@.venv/bin/python -m local_sync.models \
		$(if $(FILE),--file '$(FILE)') $(if $(DATABASE),--database '$(DATABASE)')

dbt-test: environment dbt-environment ## Test the dbt models and docs/sql.md in DuckDB and PostgreSQL
	.venv/bin/python -m pytest -q -m dbt integration_tests/test_models.py integration_tests/test_sql.py

dbt-compile: environment dbt-warehouses-environment ## Compile the dbt models for Snowflake, BigQuery and Databricks
	.venv/bin/python -m pytest -q --numprocesses auto -m dbt integration_tests/test_warehouses.py

dbt-environment: environment
	@sh .ci/tools .venv-dbt requirements-dbt.lock

dbt-warehouses-environment: environment
	@sh .ci/tools .venv-dbt-warehouses requirements-dbt-warehouses.lock

test: environment ## Test with the newest supported Python, or PYTHON=, and measure coverage
	.venv/bin/python -m pytest -q $(AT_ONCE) --cov

test-all: test test-others ## Test with every supported Python that this machine has

# TESTS= narrows what the others run.
test-others:
	@set -e; for python in $(OTHERS); do \
		directory=.venv-$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
		sh .ci/environment $$directory $$python; \
		echo "$$directory/bin/python -m pytest"; \
		$$directory/bin/python -m pytest -q $(AT_ONCE) -m 'not once' $(TESTS); \
	done

pyairbyte: environment ## Test what PyAirbyte makes of every stream, in a notebook
	.venv/bin/python -m pytest -q -m '' integration_tests/test_pyairbyte.py

histories: environment ## Hold incremental syncs against N random histories of an account (default 1000); SEED=, WORKERS=
	.venv/bin/python -m integration_tests.test_histories --histories $(or $(N),1000) \
		--seed $(or $(SEED),0) --workers $(or $(WORKERS),1)

pace: environment ## Show how much of the quota is used, and with the CDK's own retry; MINUTES=5.5
	.venv/bin/python -m integration_tests.pace $(if $(MINUTES),--minutes $(MINUTES))

faults: environment ## Print what comes of each fault, with 1, 10 and 25 workers; ROWS='some words'
	@.venv/bin/python -m integration_tests.faults '$(ROWS)'

check: environment ## Format, lint, types, the Dockerfile, known vulnerabilities
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/mypy
	.venv/bin/hadolint Dockerfile
	.venv/bin/python .ci/audit.py

bench: environment ## Measure against the published connector; CASES=quick for a few minutes
	@sh benchmarks/environments
	@.venv/bin/python -m benchmarks --cases '$(or $(CASES),all)'

image: ## Build the connector's image, IMAGE=source-asana:dev, with docker or DOCKER=
	$(DOCKER) build --tag $(IMAGE) .

image-test: environment image ## Run that image on the emulated account: read-only, another user, no rights
	DOCKER='$(DOCKER_COMMAND)' CONNECTOR_IMAGE='$(IMAGE)' \
		.venv/bin/python -m pytest -m image_tests integration_tests/test_image.py

docs: environment ## Write the tables, the reference and the pictures that come from the code
	@.venv/bin/python -m docs_from_code

lock: environment ## Pin the newest versions that pyproject.toml allows
	$(COMPILE) pyproject.toml --group dev --output-file requirements-dev.lock
	$(COMPILE) pyproject.toml --constraints requirements-dev.lock --output-file requirements.lock
	$(COMPILE) --group dbt --output-file requirements-dbt.lock
	$(COMPILE) --group dbt-warehouses --output-file requirements-dbt-warehouses.lock

environment:
	@sh .ci/environment .venv '$(MAIN)'
