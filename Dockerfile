# The connector on Airbyte's base image, the one that metadata.yaml names.
ARG BASE_IMAGE=docker.io/airbyte/python-connector-base:4.1.0@sha256:1d1aa21d34e851df4e8a87b391c27724c06e2597608e7161f4d167be853bd7b6

# An environment of its own, because poetry's packages are in the base image's Python. These packages
# of the CDK are left out: no module that the connector imports needs them.
# integration_tests/test_excluded_packages.py runs every command without them. The tests that packages bring along
# are left out too, and every program but python, which the connector's own program starts with.
FROM ${BASE_IMAGE} AS dependencies
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_DEPS=1
ARG LEFT_OUT="boltons bracex click cloudpickle dateparser google-api-core google-auth \
    google-cloud-secret-manager googleapis-common-protos grpc-google-iam-v1 grpcio grpcio-status \
    joblib markdown-it-py mdurl nltk numpy pandas proto-plus protobuf pyasn1 pyasn1-modules \
    pycparser pygments python-ulid rapidfuzz regex rich rich-click setuptools tqdm tzlocal \
    unidecode wcmatch"
WORKDIR /build
COPY requirements.lock ./
RUN awk -v left_out=" ${LEFT_OUT} " -F == \
        '/^[a-z]/ { wanted = !index(left_out, " " $1 " ") } wanted' requirements.lock > wanted.lock \
    && python -m venv --without-pip /opt/source-asana \
    && pip --python /opt/source-asana install --require-hashes --only-binary :all: --requirement wanted.lock \
    && find /opt/source-asana -type d -name tests -prune -exec rm -r {} + \
    && find /opt/source-asana/bin ! -type d ! -name python -delete \
    && find /opt/source-asana -type f -perm /111 -exec chmod a-x {} +

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
# The CDK makes a folder for cached responses before each command. The connector caches none, so it
# stays empty, but a read-only container has no other place for it. /dev/shm is memory: the large
# file of a resource export prefers a disk if there is one.
ENV TMPDIR=/dev/shm \
    AIRBYTE_ENTRYPOINT=/opt/source-asana/bin/source-asana
LABEL io.airbyte.name="airbyte/source-asana" \
      io.airbyte.version="2.1.0" \
      org.opencontainers.image.title="source-asana" \
      org.opencontainers.image.description="Airbyte source connector for Asana" \
      org.opencontainers.image.documentation="https://docs.airbyte.com/integrations/sources/asana" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="2.1.0"
WORKDIR /airbyte
USER 1000
# No shell in between: SIGTERM is the connector's own to answer.
ENTRYPOINT ["/opt/source-asana/bin/source-asana"]
# `make image` knows these. Last, so that a new commit alone rebuilds nothing.
ARG SOURCE=""
ARG REVISION=""
ARG CREATED=""
LABEL org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
