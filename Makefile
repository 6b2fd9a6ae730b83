# `make` lists the tasks. Each sets up what it needs.

PYTHONS := $(shell sh .ci/pythons)
PYTHON ?= $(firstword $(PYTHONS))
MAIN := $(if $(PYTHON),$(shell sh .ci/pythons $(PYTHON)))
OTHERS = $(filter-out $(MAIN),$(PYTHONS))
COMPILE = .venv/bin/uv pip compile --quiet --upgrade --universal \
	--python-version 3.11 --generate-hashes --no-header --annotation-style line
SCHEMA = .venv/bin/check-jsonschema --quiet --builtin-schema
# A module stays with one process, for its tests may share what is dear to make; the longest first.
# Many tests wait, so there are more processes than cores.
AT_ONCE = --numprocesses $(shell expr $$(getconf _NPROCESSORS_ONLN) + 2) --dist loadfile --no-loadscope-reorder
# Images of CI often forbid Python to cache bytecode. The tests start many programs, and each would then
# compile all of its imports, which takes longer than what the test looks at.
export PYTHONDONTWRITEBYTECODE =
EMULATOR = integration_tests/asana_emulator
DOCKER ?= docker
IMAGE ?= source-asana:dev
# The page of this repository, if it is known, and the commit with its time.
SOURCE ?= $(if $(GITHUB_REPOSITORY),$(GITHUB_SERVER_URL)/$(GITHUB_REPOSITORY),$(filter \
	https://%,$(shell git remote get-url origin 2>/dev/null)))
LABELS = --build-arg SOURCE='$(SOURCE)' --build-arg REVISION='$(shell git rev-parse HEAD 2>/dev/null)' \
	--build-arg CREATED='$(shell git log -1 --format=%cI 2>/dev/null)'
# For a DOCKER that keeps docker's commands below a command `docker` of its own.
DOCKER_COMMAND = $(DOCKER)$(shell $(DOCKER) docker --version >/dev/null 2>&1 && echo ' docker')

.PHONY: help sync dbt dbt-test dbt-compile dbt-environment dbt-warehouses-environment test test-all test-others pyairbyte \
	histories pace freshness shortcuts faults check check-workflows audit bench charts image image-test image-push dist release-notes \
	release docs lock environment

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s%s\n", $$1, $$2 }' Makefile

sync: environment ## Sync the sample account, or CONFIG=secrets/config.json; STREAMS=tasks,users FILE= DATABASE= FILES= FRESH=1
	@.venv/bin/python -m local_sync \
		$(if $(CONFIG),--config '$(CONFIG)') $(if $(STREAMS),--streams '$(STREAMS)') \
		$(if $(FILE),--file '$(FILE)') $(if $(DATABASE),--database '$(DATABASE)') \
		$(if $(FILES),--files '$(FILES)') $(if $(FRESH),--fresh)

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
	.venv/bin/python -m pytest -q -m '' integration_tests/test_pyairbyte.py integration_tests/test_deployments.py

histories: environment ## Hold incremental syncs against N random histories of an account (default 1000); SEED=, WORKERS=
	.venv/bin/python -m integration_tests.test_histories --histories $(or $(N),1000) \
		--seed $(or $(SEED),0) --workers $(or $(WORKERS),1)

pace: environment ## Show how much of the quota is used, and with the CDK's own retry; MINUTES=5.5
	.venv/bin/python -m integration_tests.pace $(if $(MINUTES),--minutes $(MINUTES))

freshness: environment ## Count the requests of incremental syncs of many projects; PROJECTS=10000 takes ten minutes
	.venv/bin/python -m integration_tests.freshness $(if $(PROJECTS),--projects $(PROJECTS))

shortcuts: environment ## Count the requests of first syncs with each shortcut, and compare the records; SIZE=large takes an hour
	@.venv/bin/python -m integration_tests.shortcuts $(if $(SIZE),--size '$(SIZE)') $(if $(WAYS),--ways $(WAYS))

faults: environment ## Print what comes of each fault, with 1, 10 and 25 workers; ROWS='some words'
	@.venv/bin/python -m integration_tests.faults '$(ROWS)'

check: environment ## Format, lint, types, spelling, wording, Dockerfile, workflows, vulnerabilities
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/mypy
	.venv/bin/python .ci/phrases.py
	.venv/bin/hadolint Dockerfile
	.venv/bin/validate-pyproject pyproject.toml $(EMULATOR)/pyproject.toml
	.venv/bin/codespell
	@$(MAKE) --no-print-directory check-workflows
	.venv/bin/python .ci/audit.py

check-workflows: environment ## Only what GitHub reads: workflows, templates, Dependabot
	.venv/bin/zizmor --offline --quiet --persona=pedantic .github .pre-commit-config.yaml
	$(SCHEMA) vendor.github-workflows .github/workflows/*.yml
	$(SCHEMA) vendor.github-issue-forms .github/ISSUE_TEMPLATE/[!c]*.yml
	$(SCHEMA) vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(SCHEMA) vendor.dependabot .github/dependabot.yml

audit: environment ## Look for known vulnerabilities; REQUIRED=1 fails if nobody answers
	.venv/bin/python .ci/audit.py $(if $(REQUIRED),--required)

bench: environment ## Measure against the published connector; CASES=quick, large, or a table's title
	@sh benchmarks/environments
	@.venv/bin/python -m benchmarks --cases '$(or $(CASES),usual)'
	@[ '$(or $(CASES),usual)' != usual ] || $(MAKE) --no-print-directory charts

charts: ## Draw the charts of docs/benchmarks.md from its figures
	@[ .venv-charts/ready -nt requirements-charts.lock ] || { \
		'$(MAIN)' -m venv --clear .venv-charts && \
		.venv-charts/bin/python -m pip install --quiet --disable-pip-version-check \
			--require-hashes --no-deps -r requirements-charts.lock && touch .venv-charts/ready; }
	.venv-charts/bin/python -m benchmarks.plot

image: environment ## Build the connector's image, IMAGE=source-asana:dev, with docker or DOCKER=, and its SBOM
	$(DOCKER) build --tag $(IMAGE) $(LABELS) .
	@mkdir -p build
	.venv/bin/python .ci/sbom.py '$(IMAGE)' --docker '$(DOCKER_COMMAND)' --output build/sbom.cdx.json

image-test: image ## Run that image on the emulated account: read-only, another user, no rights
	DOCKER='$(DOCKER_COMMAND)' CONNECTOR_IMAGE='$(IMAGE)' \
		.venv/bin/python -m pytest -m image_tests integration_tests/test_image.py

docs: environment ## Write the tables, the reference and the pictures that come from the code
	@.venv/bin/python -m docs_from_code

dist: environment ## Build wheels and sdists of the connector and of the emulator into dist/
	rm -rf dist
	.venv/bin/python -m hatchling build --directory dist/connector
	cd $(EMULATOR) && '$(CURDIR)/.venv/bin/python' -m hatchling build --directory '$(CURDIR)/dist/emulator'

release-notes: ## Write the changelog's section for TAG=v1.2.3; fails unless that is the version
	@mkdir -p build
	sh .ci/release-notes '$(TAG)' > build/release-notes.md

image-push: ## Push the image to PUSH_TO=REPOSITORY:TAG, with SBOM and provenance
	@DOCKER='$(DOCKER)' sh .ci/push '$(PUSH_TO)' $(LABELS)

release: ## Write GitHub's release of TAG=v1.2.3 from what the workflow has built
	gh release create '$(TAG)' --verify-tag --title '$(TAG)' \
		--notes-file build/release-notes.md dist/*/* build/sbom.cdx.json

# PyAirbyte's other destinations hold back cryptography, which the connector does not share with them.
lock: environment ## Pin the newest versions that pyproject.toml allows
	$(COMPILE) pyproject.toml --group dev --output-file requirements-dev.lock
	@mkdir -p build
	awk '/^[a-z]/ { kept = !/^(cffi|cryptography)==/ } kept' requirements-dev.lock > build/constraints.lock
	$(COMPILE) pyproject.toml --constraints build/constraints.lock --output-file requirements.lock
	$(COMPILE) --group charts --constraints requirements-dev.lock --output-file requirements-charts.lock
	$(COMPILE) --group dbt --output-file requirements-dbt.lock
	$(COMPILE) --group dbt-warehouses --output-file requirements-dbt-warehouses.lock

environment:
	@sh .ci/environment .venv '$(MAIN)'
