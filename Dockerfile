# The connector on Airbyte's base image, the one that metadata.yaml names.
ARG BASE_IMAGE=docker.io/airbyte/python-connector-base:4.1.0@sha256:1d1aa21d34e851df4e8a87b391c27724c06e2597608e7161f4d167be853bd7b6

# An environment of its own, for poetry's packages are in the base image's Python.
# The tests that packages bring along are 60 MB of it.
FROM ${BASE_IMAGE} AS dependencies
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_DEPS=1
WORKDIR /build
COPY requirements.lock ./
RUN python -m venv --without-pip /opt/source-asana \
    && pip --python /opt/source-asana install --require-hashes --only-binary :all: --requirement requirements.lock \
    && find /opt/source-asana -type d -name tests -prune -exec rm -r {} +

# What builds the wheel is pyproject.toml's build-system, at the versions that the other lock pins.
FROM dependencies AS connector
COPY requirements-dev.lock ./
RUN awk '/^[a-z]/ { wanted = /^(hatchling|packaging|pathspec|pluggy|trove-classifiers)==/ } wanted' \
        requirements-dev.lock > backend.lock \
    && python -m venv --without-pip backend \
    && pip --python backend install --require-hashes --only-binary :all: --requirement backend.lock
COPY LICENSE README.md pyproject.toml ./
COPY source_asana source_asana
RUN backend/bin/python -m hatchling build --target wheel \
    && pip --python /opt/source-asana install --no-index --root /connector dist/*.whl

FROM ${BASE_IMAGE}
COPY --from=dependencies /opt/source-asana /opt/source-asana
COPY --from=connector /connector/opt/source-asana /opt/source-asana
# The CDK wants a temporary folder; in a read-only container this is the only one there is.
ENV TMPDIR=/dev/shm \
    AIRBYTE_ENTRYPOINT=/opt/source-asana/bin/source-asana
LABEL io.airbyte.name="airbyte/source-asana" \
      io.airbyte.version="2.1.0"
WORKDIR /airbyte
USER 1000
# No shell in between: SIGTERM is the connector's own to answer.
ENTRYPOINT ["/opt/source-asana/bin/source-asana"]
