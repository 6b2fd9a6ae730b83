"""The image, run as Airbyte runs it and with less: no writable place, no privileges."""

import json
import os
import re
import shlex
import signal
import subprocess
import time
import uuid
from pathlib import Path
from typing import Any, Literal

import orjson
import pytest
from airbyte_cdk.test.models import ConnectorTestScenario
from airbyte_cdk.test.standard_tests.docker_base import DockerConnectorTestSuite
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.reading import SERVICE, Json, Said, catalog_of, config_for
from integration_tests.test_deployments import block
from integration_tests.test_excluded_packages import EXCLUDED
from source_asana.streams.declared import STREAMS

ROOT = Path(__file__).parents[1]
IMAGE = os.environ.get("CONNECTOR_IMAGE", "")
DOCKER = shlex.split(os.environ.get("DOCKER", "docker"))

CONFINED = (
    "--read-only",
    # podman would mount writable ones there.
    *("--tmpfs=/tmp:ro", "--tmpfs=/var/tmp:ro", "--tmpfs=/run:ro"),
    *("--cap-drop=all", "--security-opt=no-new-privileges", "--memory=512m"),
)

pytestmark = [
    pytest.mark.image_tests,
    pytest.mark.skipif(not IMAGE, reason="needs an image: make image-test"),
]


def reaching(asana: AsanaEmulator | None) -> tuple[str, ...]:
    """The options of a container that reaches this Asana, and of one without a network."""
    if asana is None:
        return ("--network=none",)
    return ("--network=host", f"--env=ASANA_BASE_URL={asana.url}")


def docker(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*DOCKER, *words], capture_output=True, text=True, timeout=120, check=False
    )


def command_line(
    folder: Path, command: str, asana: AsanaEmulator | None, files: Json, *options: str
) -> list[str]:
    """A confined container that runs a command on these files, which are written to the folder."""
    folder.chmod(0o755)  # pytest's folders are private
    for name, content in files.items():
        (folder / f"{name}.json").write_bytes(orjson.dumps(content))
    mount = f"--volume={folder}:/config:ro"
    arguments = [word for name in files for word in (f"--{name}", f"/config/{name}.json")]
    options = (*CONFINED, *reaching(asana), mount, *options)
    return ["run", "--rm", *options, IMAGE, command, *arguments]


def run_image(folder: Path, command: str, asana: AsanaEmulator | None = None, **files: Any) -> Said:
    done = docker(*command_line(folder, command, asana, files))
    assert "Traceback" not in done.stderr
    return Said(done.stdout.splitlines(), done.returncode)


def run_in_image_shell(script: str) -> str:
    """The output of a shell script in a container with the privileges of its user."""
    done = docker("run", "--rm", "--network=none", "--entrypoint=sh", IMAGE, "-c", script)
    assert done.returncode == 0, done.stderr
    return done.stdout


def image_config() -> Json:
    config: Json = json.loads(docker("image", "inspect", "--format={{json .Config}}", IMAGE).stdout)
    return config


def test_spec_needs_no_network_and_nothing_to_write_to(tmp_path: Path) -> None:
    said = run_image(tmp_path, "spec")
    (message,) = said.of_type("SPEC")
    golden = Path(__file__).parent / "golden" / "spec.json"
    assert message["spec"] == json.loads(golden.read_text(encoding="utf-8"))
    assert said.exit_status == 0


def test_discover_needs_no_network_and_nothing_to_write_to(
    sample: AsanaEmulator, tmp_path: Path
) -> None:
    said = run_image(tmp_path, "discover", config=config_for(sample))
    (message,) = said.of_type("CATALOG")
    assert [stream["name"] for stream in message["catalog"]["streams"]] == list(STREAMS)
    assert said.exit_status == 0


def test_check_says_who_the_token_is(sample: AsanaEmulator, tmp_path: Path) -> None:
    said = run_image(tmp_path, "check", sample, config=config_for(sample))
    status = said.connection_status()
    assert status["status"] == "SUCCEEDED"
    assert status["message"].startswith("Connected as Warehouse")


def test_read_delivers_every_record_of_every_stream(sample: AsanaEmulator, tmp_path: Path) -> None:
    ids = list(sample.account.organization_exports)
    config = config_for(sample, organization_export_ids=ids)
    said = run_image(tmp_path, "read", sample, config=config, catalog=catalog_of(STREAMS))
    assert said.exit_status == 0
    for stream in STREAMS:
        expected = list(sample.expected(stream, SERVICE, export_ids=ids))
        assert len(said.records()[stream]) == len(expected)
        assert said.statuses(stream)[-1] == "COMPLETE"


def test_sigterm_ends_a_read_with_a_state_from_which_the_next_one_resumes(
    asana: AsanaEmulator, tmp_path: Path
) -> None:
    config, catalog = config_for(asana, num_workers=1), catalog_of(["tasks", "stories"])
    name = f"source-asana-{uuid.uuid4().hex}"
    # A single worker asks for the third project's tasks when the first one is complete.
    asana.controls.interrupt("/tasks", lambda: docker("kill", "--signal=TERM", name), after=2)
    words = command_line(
        tmp_path, "read", asana, {"config": config, "catalog": catalog}, f"--name={name}"
    )
    with subprocess.Popen([*DOCKER, *words], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        broken = Said(process.stdout.readlines(), process.wait(timeout=60))
    assert broken.exit_status == 128 + signal.SIGTERM
    assert "Sync canceled" in broken.text
    state = [message["state"] for message in broken.of_type("STATE")]
    assert state

    last = {told["stream"]["stream_descriptor"]["name"]: told for told in state}
    resumed = run_image(
        tmp_path, "read", asana, config=config, catalog=catalog, state=list(last.values())
    )
    assert resumed.exit_status == 0
    for stream in ("tasks", "stories"):
        expected = {record["gid"] for record in asana.expected(stream, SERVICE)}
        before, after = gids(broken, stream), gids(resumed, stream)
        assert before | after == expected
        assert after < expected


def gids(said: Said, stream: str) -> set[str]:
    return {record["gid"] for record in said.records()[stream]}


def test_airbytes_user_runs_the_connector_without_a_shell() -> None:
    config = image_config()
    assert run_in_image_shell("id -u").strip() == config["User"] == "1000"
    assert config["Entrypoint"] == [run_in_image_shell("command -v $AIRBYTE_ENTRYPOINT").strip()]


def test_airbyte_finds_the_connector_through_an_environment_variable() -> None:
    assert '"type":"SPEC"' in run_in_image_shell('eval "$AIRBYTE_ENTRYPOINT spec"')


def test_the_image_says_which_connector_it_holds() -> None:
    labels = image_config()["Labels"]
    held = f"airbyte-source-asana=={labels['io.airbyte.version']}"
    assert labels["io.airbyte.name"] == "airbyte/source-asana"
    assert held in installed()


def test_the_image_says_where_it_comes_from() -> None:
    labels = image_config()["Labels"]
    told = {
        name.removeprefix("org.opencontainers.image."): value
        for name, value in labels.items()
        if name.startswith("org.opencontainers.image.")
    }
    assert told["version"] == labels["io.airbyte.version"]
    assert told["licenses"] == "MIT"
    commit = subprocess.run(
        ["git", "log", "-1", "--format=%H %cI"],  # noqa: S607 - as the Makefile calls it
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert commit.stdout.split() == [told["revision"], told["created"]]
    assert told["source"] == "" or told["source"].startswith("https://")


def test_the_other_packages_are_those_of_the_lock_except_the_excluded_ones() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = set(re.findall(r"^[a-z0-9.-]+==[^ ]+", lock, re.MULTILINE))
    others = {held for held in installed() if not held.startswith("airbyte-source-asana==")}
    names = {held.split("==")[0] for held in others}
    assert "airbyte-cdk" in names
    assert not names & EXCLUDED
    assert others <= pinned


def test_the_only_program_of_the_environment_is_the_connector() -> None:
    runnable = run_in_image_shell("find /opt/source-asana -type f -perm /111").split()
    assert runnable == [image_config()["Entrypoint"][0]]
    assert run_in_image_shell("ls /opt/source-asana/bin").split() == ["python", "source-asana"]


def test_the_bill_of_materials_is_valid_and_names_every_package_of_the_image() -> None:
    text = (ROOT / "build" / "sbom.cdx.json").read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    assert bill["metadata"]["component"]["name"] == image_config()["Labels"]["io.airbyte.name"]
    required = {
        f"{each['name']}=={each['version']}"
        for each in bill["components"]
        if each.get("scope") == "required"
    }
    assert required == installed()
    kinds = {each["purl"].split("/")[0] for each in bill["components"]}
    assert kinds == {"pkg:pypi", "pkg:deb", "pkg:generic"}
    (connector,) = [
        each for each in bill["dependencies"] if "/airbyte-source-asana@" in each["ref"]
    ]
    assert any(needed.startswith("own/airbyte-cdk@") for needed in connector["dependsOn"])


def installed() -> set[str]:
    """The connector and the packages next to it, in the format of a lock."""
    program = (
        "from importlib.metadata import distributions; "
        'print(*(f"{d.name}=={d.version}" for d in distributions()))'
    )
    told = run_in_image_shell(f"/opt/source-asana/bin/python -c '{program}'").split()
    return {re.sub(r"[-_.]+(?=.*==)", "-", held).lower() for held in told}


def test_the_image_has_nothing_that_only_its_build_needed() -> None:
    for tool in ("cc", "gcc", "hatchling"):
        assert run_in_image_shell(f"command -v {tool} || true") == ""
    for leftover in ("integration_tests", "requirements*.lock", "dist"):
        assert (
            run_in_image_shell(f"find /opt /airbyte /build -name '{leftover}' 2>/dev/null || true")
            == ""
        )


def test_the_user_that_runs_the_connector_cannot_change_it() -> None:
    assert run_in_image_shell("find /opt -writable -not -type l") == ""


def put_docker_on_path(folder: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> None:
    """A `docker` that is DOCKER, and runs containers with our options."""
    program = folder / "docker"
    program.write_text(
        "#!/bin/sh\n"
        f'[ "$1" = run ] && shift && set -- run {shlex.join(options)} "$@"\n'
        f'exec {shlex.join(DOCKER)} "$@"\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


def test_the_script_for_cron_resumes_from_its_state_file(
    asana: AsanaEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_docker_on_path(tmp_path, monkeypatch, *reaching(asana))
    monkeypatch.setenv("IMAGE", IMAGE)
    script, secrets = tmp_path / "sync.sh", tmp_path / "secrets"
    script.write_text(block("Cron and Docker", "sh"), encoding="utf-8")
    secrets.mkdir()
    (secrets / "config.json").write_bytes(orjson.dumps(config_for(asana)))

    def synced() -> Said:
        before = {*tmp_path.glob("data/*")}
        done = subprocess.run(["/bin/sh", script], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        (file,) = {*tmp_path.glob("data/*")} - before
        assert file.suffix == ".jsonl"
        return Said(file.read_text(encoding="utf-8").splitlines(), 0)

    first = synced()
    for stream in ("projects", "tasks", "stories"):
        assert gids(first, stream) == {each["gid"] for each in asana.expected(stream, SERVICE)}
    task = first.records()["tasks"][0]["gid"]
    story = asana.change(lambda account: account.comment(task, "Done."))
    time.sleep(1)  # the names of the script's files have seconds
    second = synced()
    assert story in gids(second, "stories")
    assert gids(second, "stories") < gids(first, "stories") | {story}


@pytest.mark.filterwarnings("ignore::UserWarning")
class TestAirbytesImageTests(DockerConnectorTestSuite):
    """The tests of `airbyte-cdk image test`, in confined containers and against the emulator.

    The one that compares with the published spec skips itself where its registry is out of reach.
    """

    @classmethod
    def get_connector_root_dir(cls) -> Path:
        return ROOT

    @pytest.fixture(autouse=True)
    def docker_on_path(
        self, sample: AsanaEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put_docker_on_path(tmp_path, monkeypatch, *CONFINED, *reaching(sample))

    @pytest.fixture
    def scenario(self, sample: AsanaEmulator, tmp_path: Path) -> ConnectorTestScenario:
        ids = list(sample.account.organization_exports)
        config = tmp_path / "config.json"
        config.write_bytes(orjson.dumps(config_for(sample, organization_export_ids=ids)))
        return ConnectorTestScenario(config_path=config)

    @pytest.fixture
    def connector_image_override(self) -> str:
        return IMAGE

    @pytest.fixture
    def connector_base_image_override(self) -> None:
        return None

    @pytest.fixture
    def read_from_streams(self) -> Literal["all"]:
        return "all"

    @pytest.fixture
    def read_scenarios(self) -> Literal["all"]:
        return "all"
