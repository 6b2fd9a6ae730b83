"""The files of attachments: on disk before their records go out, whole or not at all."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
from airbyte_cdk.models import (
    AirbyteMessageSerializer,
    AirbyteRecordMessageFileReference,
    ConfiguredAirbyteCatalogSerializer,
)

from integration_tests.asana_emulator import Account, AsanaEmulator, make_account
from integration_tests.asana_emulator.files import FileTrouble
from integration_tests.reading import SERVICE, Json, Said, catalog_of, config_for, run
from source_asana import SourceAsana
from source_asana.reading.files.downloads import MAX_FAILURES_IN_ROW
from source_asana.reading.files.staging import RESERVED_BYTES
from source_asana.transfer import Transfer

pytestmark = pytest.mark.once

MEGABYTE = 1_000_000
EVIL_NAMES = {
    "../../etc/passwd": ".._.._etc_passwd",
    "/etc/passwd": "_etc_passwd",
    "..": "file",
    "con": "_con",
    "a\0b/c\\d.txt": "ab_c_d.txt",
    "\u6d77" * 100 + ".pdf": "\u6d77" * 83 + ".pdf",
    "Caf\u00e9 \U0001f5fa.png": "Caf\u00e9 \U0001f5fa.png",
}


class Attached:
    """A project with attachments of its own in an emulated account, and a folder for the files."""

    def __init__(self, asana: AsanaEmulator, folder: Path) -> None:
        self.asana = asana
        self.folder = folder
        self.project = str(asana.change(new_project))

    def attach(self, name: str = "Chart.pdf", *, size: int = 1000, host: str = "asana") -> str:
        """The gid of a new attachment of the project."""
        return str(self.asana.change(lambda a: a.attach(self.project, name, size=size, host=host)))

    def trouble(self, gid: str, kind: Any, **how: Any) -> None:
        """Let something go wrong with a file."""
        self.asana.files.trouble(gid, FileTrouble(kind, **how))

    def read(self, *, transfer: Mapping[str, Any] | None = None, **how: Any) -> Said:
        """Read the attachments of the project with their files."""
        how.setdefault("catalog", with_files(mode=how.pop("mode", "full_refresh")))
        config = config_for(self.asana, project_gids=[self.project], **how.pop("config", {}))
        limits = {"patience": 0.01, "silent_seconds": 10.0} | dict(transfer or {})
        self.asana.ledger.reset()
        self.asana.files.requests.clear()
        transfer_within = Transfer(directory=self.folder, **limits)
        said = run("read", self.asana, config, transfer=transfer_within, **how)
        assert_no_link_in_logs(said)
        return said

    def on_disk(self) -> dict[str, int]:
        """Every file below the folder, hidden ones too, with its size."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path.stat().st_size for path in found}

    def assert_whole(self, said: Said, gids: Collection[str]) -> None:
        """These files are on disk and in their records, with their whole content; no others."""
        references = references_of(said)
        assert references.keys() == set(gids)
        assert len(self.on_disk()) == len(references)
        for gid, reference in references.items():
            path = Path(reference["staging_file_url"])
            assert path == self.folder / reference["source_file_relative_path"]
            assert path.parent == self.folder / "attachments" / gid
            assert path.stat().st_size == reference["file_size_bytes"]
            assert sha256(path.read_bytes()).hexdigest() == self.asana.files.digest(gid)


def assert_no_link_in_logs(said: Said) -> None:
    """Only records have the links, which open the files to anyone."""
    others = [message for message in said.messages if message["type"] != "RECORD"]
    assert b"X-Amz-" not in orjson.dumps(others)


def new_project(account: Account) -> str:
    workspace = account.listing(account.people[SERVICE], "workspaces", "")[0]
    return account.create_project(workspace, "Charts")


def with_files(*streams: str, mode: str = "full_refresh") -> Json:
    """A catalog of attachments with their files, and further streams."""
    catalog = catalog_of(["attachments", *streams])
    catalog["streams"][0] |= {"include_files": True, "sync_mode": mode}
    return catalog


def messages_of(said: Said) -> list[Json]:
    return [message["record"] for message in said.of_type("RECORD")]


def references_of(said: Said) -> dict[str, Json]:
    """The `file_reference` of each record that has one."""
    records = messages_of(said)
    return {r["data"]["gid"]: r["file_reference"] for r in records if "file_reference" in r}


def states_of(said: Said) -> list[Json]:
    return [message["state"] for message in said.of_type("STATE")][-1:]


@pytest.fixture(scope="module")
def storage() -> Iterator[AsanaEmulator]:
    with AsanaEmulator(make_account("sample"), serves_files=True) as asana:
        yield asana


@pytest.fixture
def attached(storage: AsanaEmulator, tmp_path: Path) -> Attached:
    return Attached(storage, tmp_path)


def missing(said: Said, gid: str) -> str:
    """Why a file is missing, in the words of the log; the stream is complete all the same."""
    assert gid in {record["data"]["gid"] for record in messages_of(said)}
    assert gid not in references_of(said)
    assert said.statuses("attachments")[-1] == "COMPLETE"
    assert said.exit_status == 0
    (counted,) = [line for line in said.logs("WARN") if "missing (" in line]
    assert counted.startswith("attachments: ")
    (why,) = [line for line in said.logs("WARN") if f"no file for {gid}: " in line]
    return why.partition(f"{gid}: ")[2]


def test_each_file_that_asana_has_is_on_disk_and_in_its_record(attached: Attached) -> None:
    gids = [attached.attach(f"Chart {number}.pdf", size=number) for number in (1, 70_000, 300)]
    said = attached.read()
    attached.assert_whole(said, gids)
    assert said.logs("WARN") == []
    assert "attachments: 3 files, 0.1 MB" in said.logs("INFO")


def test_the_whole_account_needs_no_request_more_than_without_files(
    storage: AsanaEmulator, tmp_path: Path
) -> None:
    def read(catalog: Json) -> tuple[Said, dict[str, int]]:
        storage.ledger.reset()
        transfer = Transfer(directory=tmp_path)
        said = run("read", storage, config_for(storage), catalog, transfer=transfer)
        return said, storage.ledger.by_path()

    plain, requests = read(catalog_of(["attachments"]))
    storage.files.requests.clear()
    said, with_files_too = read(with_files())
    assert with_files_too == requests
    assert said.records() == plain.records() or len(messages_of(said)) == len(messages_of(plain))
    ours = {r["gid"] for r in said.records()["attachments"] if r["host"] == "asana"}
    assert references_of(said).keys() == ours
    assert sorted(request.gid for request in storage.files.requests) == sorted(ours)


def test_no_token_leaves_for_the_host_of_the_files(attached: Attached) -> None:
    attached.attach()
    attached.read()
    (request,) = attached.asana.files.requests
    token = attached.asana.tokens.pat(SERVICE)
    assert not request.headers.keys() & {"authorization", "cookie", "proxy-authorization"}
    assert token not in str(request)


def test_passwords_of_netrc_do_not_leave_for_the_host_of_the_files(
    attached: Attached, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = attached.folder.parent / "netrc"
    netrc.write_text("default login somebody password something\n")
    monkeypatch.setenv("NETRC", str(netrc))
    gid = attached.attach()
    attached.assert_whole(attached.read(), [gid])


def test_files_of_other_services_are_not_downloaded(attached: Attached) -> None:
    links = {attached.attach("Plan", host=host) for host in ("gdrive", "dropbox", "external")}
    said = attached.read()
    assert {record["data"]["gid"] for record in messages_of(said)} == links
    assert references_of(said) == {}
    assert attached.asana.files.requests == []
    assert said.logs("WARN") == []


def test_without_include_files_nothing_is_downloaded(attached: Attached) -> None:
    attached.attach()
    for given in ({}, {"include_files": False}, {"include_files": None}):
        catalog = catalog_of(["attachments"])
        catalog["streams"][0] |= given
        said = attached.read(catalog=catalog)
        assert len(messages_of(said)) == 1
        assert references_of(said) == {}
    assert attached.asana.files.requests == []
    assert attached.on_disk() == {}


def test_only_attachments_say_that_they_have_files(sample: AsanaEmulator) -> None:
    said = run("discover", sample, config_for(sample))
    streams = said.of_type("CATALOG")[0]["catalog"]["streams"]
    assert [s["name"] for s in streams if s.get("is_file_based")] == ["attachments"]


def test_a_catalog_with_few_columns_gets_the_files_and_only_those_columns(
    attached: Attached,
) -> None:
    gid = attached.attach("Chart.pdf")
    catalog = catalog_of(["attachments"], {"attachments": ["gid", "created_at"]})
    catalog["streams"][0]["include_files"] = True
    said = attached.read(catalog=catalog)
    assert [record["data"].keys() for record in messages_of(said)] == [{"gid", "created_at"}]
    attached.assert_whole(said, [gid])
    assert list(attached.on_disk()) == [f"attachments/{gid}/Chart.pdf"]


def test_a_file_is_on_disk_before_its_record_goes_out(attached: Attached) -> None:
    gids = [attached.attach(size=50_000) for _ in range(8)]
    found = set()

    def check(line: str) -> bool:
        record = orjson.loads(line).get("record", {})
        if "file_reference" in record:
            path = Path(record["file_reference"]["staging_file_url"])
            assert path.stat().st_size == 50_000
            found.add(record["data"]["gid"])
        return False

    attached.read(killed_before=check)
    assert found == set(gids)


def test_airbytes_own_models_read_the_reference(attached: Attached) -> None:
    gid = attached.attach()
    (line,) = [line for line in attached.read().lines if '"file_reference"' in line]
    record = AirbyteMessageSerializer.load(orjson.loads(line)).record
    assert record
    assert record.file_reference == AirbyteRecordMessageFileReference(
        staging_file_url=str(attached.folder / "attachments" / gid / "Chart.pdf"),
        source_file_relative_path=f"attachments/{gid}/Chart.pdf",
        file_size_bytes=1000,
    )


def test_callers_in_the_same_process_get_the_reference_too(attached: Attached) -> None:
    gid, link = attached.attach(), attached.attach(host="gdrive")
    source = SourceAsana(asana_url=attached.asana.url, transfer=Transfer(directory=attached.folder))
    config = config_for(attached.asana, project_gids=[attached.project])
    catalog = ConfiguredAirbyteCatalogSerializer.load(with_files())
    messages = source.read(logging.getLogger("airbyte"), config, catalog)
    references = {m.record.data["gid"]: m.record.file_reference for m in messages if m.record}
    assert references.keys() == {gid, link}
    assert references[link] is None
    assert references[gid].source_file_relative_path == f"attachments/{gid}/Chart.pdf"


def test_a_state_comes_after_the_records_with_files_that_it_covers(attached: Attached) -> None:
    gids = [attached.attach(size=60_000) for _ in range(3)]
    attached.trouble(gids[1], "slow", seconds=0.6)
    said = attached.read(mode="incremental", seconds_between_states=0.0)
    states = [
        place
        for place, message in enumerate(said.messages)
        if message["type"] == "STATE" and attached.project in orjson.dumps(message).decode()
    ]
    records = [n for n, message in enumerate(said.messages) if message["type"] == "RECORD"]
    assert len(records) == 3
    assert max(records) < min(states)


@pytest.mark.parametrize("size", [0, 1, 20 * MEGABYTE])
def test_a_file_of_any_size_is_whole(attached: Attached, size: int) -> None:
    gid = attached.attach(size=size)
    attached.assert_whole(attached.read(), [gid])
    assert list(attached.on_disk().values()) == [size]


def test_evil_names_stay_in_their_folders_and_are_distinct(attached: Attached) -> None:
    safe = {attached.attach(name): name_on_disk for name, name_on_disk in EVIL_NAMES.items()}
    same = {attached.attach("Chart.pdf"): "Chart.pdf" for _ in range(3)}
    said = attached.read()
    attached.assert_whole(said, (safe | same).keys())
    paths = {f"attachments/{gid}/{name}" for gid, name in (safe | same).items()}
    assert attached.on_disk().keys() == paths
    assert {r["source_file_relative_path"] for r in references_of(said).values()} == paths


def test_asana_is_asked_for_a_new_link_once_one_has_expired(attached: Attached) -> None:
    gid, other = attached.attach(), attached.attach()
    attached.trouble(gid, "expired", times=1)
    said = attached.read()
    attached.assert_whole(said, [gid, other])
    asked = [request for request in attached.asana.ledger.requests if gid in request.path]
    assert [(request.path, request.status) for request in asked] == [(f"/attachments/{gid}", 200)]
    assert said.logs("WARN") == []


def test_a_refused_file_leaves_its_record_without_one(attached: Attached) -> None:
    gid, other = attached.attach(), attached.attach()
    attached.trouble(gid, "refused")
    said = attached.read()
    host = attached.asana.files.url.partition("//")[2]
    assert missing(said, gid) == f"HTTP 403 from {host}"
    attached.assert_whole(said, [other])
    assert "attachments: 1 of 2 files missing (1 refused)." in said.text
    # One new link is enough to know that it is not the link:
    asked = [request for request in attached.asana.ledger.requests if gid in request.path]
    assert len(asked) == 1


def test_a_file_that_is_gone_when_asana_is_asked_again_is_missing(attached: Attached) -> None:
    gid = attached.attach()
    attached.trouble(gid, "expired")
    attached.asana.controls.deny("/attachments/{attachment_gid}", 404, only=gid)
    assert missing(attached.read(), gid) == "Asana no longer shows it (404)"


@pytest.mark.parametrize("kind", ["cut", "reset", "status"])
def test_a_download_that_broke_off_is_repeated(attached: Attached, kind: str) -> None:
    gid = attached.attach(size=200_000)
    attached.trouble(gid, kind, times=1)
    attached.assert_whole(attached.read(), [gid])
    assert len(attached.asana.files.requests) == 2


@pytest.mark.parametrize(
    ("kind", "how", "why"),
    [
        ("cut", {}, "the connection to {} was lost or refused"),
        ("reset", {}, "the connection to {} was lost or refused"),
        ("status", {"status": 503}, "HTTP 503 from {}"),
        ("status", {"status": 500}, "HTTP 500 from {}"),
        ("silent", {"seconds": 20.0}, "{} did not respond in time"),
        ("redirect", {"location": "file:///etc/passwd"}, "the link is not a plain HTTPS link"),
        ("redirect", {"location": "http://[::1"}, "the link redirects to a malformed one"),
        (
            "redirect",
            {"location": "http://me:mine@127.0.0.1/"},
            "the link is not a plain HTTPS link",
        ),
        ("redirect", {"location": "?again"}, "too many redirects"),
    ],
)
def test_a_download_that_never_ends_well_leaves_nothing_on_disk(
    attached: Attached, kind: str, how: dict[str, Any], why: str
) -> None:
    gid, other = attached.attach(size=200_000), attached.attach()
    if how.get("location") == "?again":
        how = {"location": attached.asana.files.link(gid)}
    attached.trouble(gid, kind, **how)
    said = attached.read(transfer={"silent_seconds": 0.5})
    assert missing(said, gid) == why.format(attached.asana.files.url.partition("//")[2])
    attached.assert_whole(said, [other])


def test_a_slow_file_comes(attached: Attached) -> None:
    gid = attached.attach(size=60_000)
    attached.trouble(gid, "slow", seconds=0.6)
    attached.assert_whole(attached.read(transfer={"silent_seconds": 5.0}), [gid])


def test_a_file_that_takes_too_long_is_given_up(attached: Attached) -> None:
    gid = attached.attach(size=60_000)
    attached.trouble(gid, "slow", seconds=4.0)
    assert "did not respond in time" in missing(attached.read(transfer={"file_seconds": 0.5}), gid)
    assert attached.on_disk() == {}


def test_a_redirect_is_followed_without_a_token(attached: Attached) -> None:
    gid, other = attached.attach(), attached.attach(size=77)
    attached.trouble(gid, "redirect", location=attached.asana.files.link(other))
    said = attached.read()
    assert {r["file_size_bytes"] for r in references_of(said).values()} == {77}
    assert not any("authorization" in r.headers for r in attached.asana.files.requests)


def test_a_redirect_to_asana_does_not_carry_the_token_either(attached: Attached) -> None:
    gid = attached.attach()
    attached.trouble(gid, "redirect", location=f"{attached.asana.base_url}/users/me")
    assert missing(attached.read(), gid).startswith("HTTP 401")


def test_a_file_above_the_limit_is_not_requested(attached: Attached) -> None:
    gid, other = attached.attach(size=1001), attached.attach(size=1000)
    said = attached.read(transfer={"max_bytes": 1000})
    assert missing(said, gid).startswith("larger than")
    attached.assert_whole(said, [other])
    assert {request.gid for request in attached.asana.files.requests} == {other}


def test_a_file_larger_than_it_said_is_stopped_at_the_limit(attached: Attached) -> None:
    gid = attached.attach(size=10)
    attached.asana.files.sizes[gid] = 5 * MEGABYTE
    assert missing(attached.read(transfer={"max_bytes": MEGABYTE}), gid) == "larger than 0.001 GB"
    assert attached.on_disk() == {}


def test_an_endless_file_is_stopped_at_the_limit(attached: Attached) -> None:
    gid = attached.attach()
    attached.trouble(gid, "endless")
    assert missing(attached.read(transfer={"max_bytes": MEGABYTE}), gid) == "larger than 0.001 GB"
    assert attached.on_disk() == {}


@pytest.mark.parametrize("real", [0, 70, 5000])
def test_a_record_says_how_large_the_file_is_really(attached: Attached, real: int) -> None:
    gid = attached.attach(size=900)
    attached.asana.files.sizes[gid] = real
    said = attached.read()
    attached.assert_whole(said, [gid])
    assert references_of(said)[gid]["file_size_bytes"] == real
    assert messages_of(said)[0]["data"]["size"] == 900


def test_a_file_of_unknown_length_is_whole_if_it_is_as_large_as_asana_says(
    attached: Attached,
) -> None:
    whole, half = attached.attach(size=1000), attached.attach(size=1000)
    attached.asana.files.sizes[half] = 500
    attached.trouble("*", "open")
    said = attached.read()
    attached.trouble("*", "open", times=0)
    assert missing(said, half) == "the connection ended before the file did"
    attached.assert_whole(said, [whole])


def test_a_full_disk_leaves_records_without_files(attached: Attached) -> None:
    gid, other = attached.attach(size=2 * MEGABYTE), attached.attach(size=1000)
    free = RESERVED_BYTES + MEGABYTE
    said = attached.read(transfer={"free_bytes": lambda _: free})
    assert missing(said, gid) == "no space left in the staging directory"
    attached.assert_whole(said, [other])
    assert "Give the staging directory more space." in said.text
    assert {request.gid for request in attached.asana.files.requests} == {other}


def test_a_staging_directory_that_cannot_be_written_is_reported(attached: Attached) -> None:
    gid = attached.attach()
    (attached.folder / "attachments").touch()
    said = attached.read()
    assert missing(said, gid) == "cannot write to the staging directory: File exists"
    assert "Let the connector write to the staging directory." in said.text


def test_after_many_failures_in_a_row_the_rest_is_not_requested(attached: Attached) -> None:
    gids = [attached.attach() for _ in range(3 * MAX_FAILURES_IN_ROW)]
    attached.trouble("*", "reset")
    said = attached.read()
    attached.trouble("*", "reset", times=0)
    assert len(messages_of(said)) == len(gids)
    asked = {request.gid for request in attached.asana.files.requests}
    assert MAX_FAILURES_IN_ROW <= len(asked) < len(gids)
    assert f"{len(gids)} of {len(gids)} files missing ({len(gids)} failed)" in said.text
    assert len([line for line in said.logs("WARN") if "no file for" in line]) == 10


def test_a_later_sync_replaces_the_file(attached: Attached) -> None:
    gid = attached.attach(size=5000)
    attached.assert_whole(attached.read(), [gid])
    attached.asana.files.sizes[gid] = 30
    attached.assert_whole(attached.read(), [gid])


def draw(attached: Attached) -> str:
    """The gid of an attachment of a new task."""

    def drawn(account: Account) -> str:
        return account.attach(account.create_task(attached.project, "Draw"), "Draft.png", size=300)

    return str(attached.asana.change(drawn))


def read_now(attached: Attached) -> Said:
    """A first incremental sync, long after the last change."""
    attached.asana.account.clock.advance(3600)
    return attached.read(mode="incremental")


def read_later(attached: Attached, before: Said) -> Said:
    """The next incremental sync, an hour later."""
    attached.asana.account.clock.advance(3600)
    return attached.read(mode="incremental", state=states_of(before))


def test_the_next_sync_gets_files_that_failed_and_no_others(attached: Attached) -> None:
    drawn, fine = draw(attached), draw(attached)
    attached.trouble(drawn, "reset")
    first = read_now(attached)
    assert references_of(first).keys() == {fine}
    attached.trouble(drawn, "reset", times=0)
    second = read_later(attached, first)
    assert references_of(second).keys() == {drawn}
    assert messages_of(read_later(attached, second)) == []


def test_a_file_that_is_refused_for_good_is_not_asked_for_again(attached: Attached) -> None:
    attached.trouble(draw(attached), "refused")
    first = read_now(attached)
    assert len(messages_of(first)) == 1
    assert messages_of(read_later(attached, first)) == []


def test_files_that_are_all_refused_come_when_the_network_lets_them(attached: Attached) -> None:
    gids = attached_to_one_task(attached, 4)
    attached.trouble("*", "refused")
    first = read_now(attached)
    assert references_of(first) == {}
    assert "refused, as all files so far" in first.text
    attached.trouble("*", "refused", times=0)
    assert references_of(read_later(attached, first)).keys() == gids


def attached_to_one_task(attached: Attached, number: int) -> set[str]:
    def attach(account: Account) -> set[str]:
        task = account.create_task(attached.project, "Draw")
        return {account.attach(task, f"{at}.png", size=300) for at in range(number)}

    gids: set[str] = attached.asana.change(attach)
    return gids


def test_other_streams_go_on_while_files_come(attached: Attached) -> None:
    """The files come only after all stories were requested: no worker may wait for them first."""

    def fill(account: Account) -> None:
        for number in range(20):
            task = account.create_task(attached.project, f"Draw no. {number}")
            account.attach(task, "Draft.png", size=10)

    attached.asana.change(fill)
    attached.trouble("*", "gate", seconds=30.0)
    attached.asana.files.gate = lambda: (
        attached.asana.ledger.count("/tasks/{task_gid}/stories") >= 20
    )
    said = attached.read(catalog=with_files("stories"), config={"num_workers": 4})
    attached.trouble("*", "gate", times=0)
    assert len(references_of(said)) == 20


PROGRAM = Path(sys.executable).with_name("source-asana")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_ended_sync_leaves_no_half_file_under_its_name(
    attached: Attached, number: signal.Signals
) -> None:
    gid = attached.attach("Chart.pdf", size=60_000)
    attached.trouble(gid, "silent", seconds=60.0)
    staging = attached.folder / "staging"
    staging.mkdir()
    config, catalog = attached.folder / "config.json", attached.folder / "catalog.json"
    config.write_bytes(orjson.dumps(config_for(attached.asana, project_gids=[attached.project])))
    catalog.write_bytes(orjson.dumps(with_files()))
    environment = os.environ | {
        "ASANA_BASE_URL": attached.asana.url,
        "AIRBYTE_STAGING_DIRECTORY": str(staging),
    }
    command = [str(PROGRAM), "read", "--config", str(config), "--catalog", str(catalog)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as program:
        ends_at = time.monotonic() + 60
        while not any(path.stat().st_size for path in staging.rglob("*.part")):
            assert time.monotonic() < ends_at
            time.sleep(0.05)
        program.send_signal(number)
        output = program.communicate(timeout=60)[0]
    assert program.returncode == -number
    assert b'"type":"RECORD"' not in output
    left = [path.name for path in staging.rglob("*") if path.is_file()]
    assert "Chart.pdf" not in left
    if number == signal.SIGTERM:
        assert left == []
    attached.trouble(gid, "silent", times=0)
    attached.folder = staging
    said = attached.read()
    assert references_of(said).keys() == {gid}
