"""Resource exports: jobs, and files on an origin of their own."""

import gzip
from typing import Any

import orjson
import pytest
import requests

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.asana_emulator.export_controls import ExportControls
from integration_tests.emulator_tests.asking import Json, message, of_stream, told

pytestmark = pytest.mark.once

FIELDS = ["gid", "modified_at", "stories.text", "attachments.name", "attachments.view_url"]


def organization(asana: AsanaEmulator) -> str:
    found = of_stream(asana, "workspaces")
    return next(str(each["gid"]) for each in found if each["is_organization"])


def begin(asana: AsanaEmulator, who: str = "service", **parameters: Any) -> requests.Response:
    asked = {"resource_type": "task", "fields": FIELDS, **parameters}
    data = {"workspace": organization(asana), "export_request_parameters": [asked]}
    headers = {"Authorization": f"Bearer {asana.tokens.pat(who)}"}
    url = f"{asana.base_url}/exports/resource"
    return requests.post(url, json={"data": data}, headers=headers, timeout=10)


def job_of(answer: requests.Response) -> str:
    assert answer.status_code == 201, answer.text
    return str(answer.json()["data"]["gid"])


def ended(asana: AsanaEmulator, job: str) -> Json:
    while True:
        found: Json = told(asana, f"/jobs/{job}")["data"]
        if found["status"] not in ("not_started", "in_progress"):
            return found


def file_of(asana: AsanaEmulator, job: str) -> dict[str, Json]:
    url = ended(asana, job)["new_resource_export"]["download_url"]
    assert not url.startswith(asana.url)
    lines = gzip.decompress(requests.get(url, timeout=10).content).splitlines()
    return {line["gid"]: line for line in map(orjson.loads, lines)}


def test_a_file_has_every_task_with_the_requested_fields(asana: AsanaEmulator) -> None:
    file = file_of(asana, job_of(begin(asana)))
    every = [each for name in ("tasks", "subtasks") for each in of_stream(asana, name)]
    inside = organization(asana)
    tasks = {each["gid"]: each for each in every if each["workspace"]["gid"] == inside}
    assert file.keys() >= tasks.keys()
    for gid, task in tasks.items():
        line = file[gid]
        assert line["modified_at"] == task["modified_at"]
        asked = {"parent": gid, "opt_fields": "name"}
        assert line["attachments"] == told(asana, "/attachments", **asked)["data"]
        path = f"/tasks/{gid}/stories"
        assert line["stories"] == told(asana, path, opt_fields="text")["data"]
    assert "Authorization" not in asana.exports.headers[-1]


def test_a_filter_leaves_out_older_tasks(asana: AsanaEmulator, tasks: list[str]) -> None:
    now = asana.account.clock.now().isoformat()
    asana.account.clock.advance(60)
    asana.change(lambda account: account.comment(tasks[0], "New"))
    job = job_of(begin(asana, filters={"modified_at.after": now}))
    assert file_of(asana, job).keys() == {tasks[0]}


@pytest.mark.parametrize("made", ["at_start", "at_end"])
def test_a_file_is_as_old_as_the_controls_say(
    asana: AsanaEmulator, tasks: list[str], made: Any
) -> None:
    asana.controls.exports = ExportControls(made=made)
    job = job_of(begin(asana))
    asana.change(lambda account: account.comment(tasks[0], "Meanwhile"))
    texts = [story["text"] for story in file_of(asana, job)[tasks[0]]["stories"]]
    assert ("Meanwhile" in texts) is (made == "at_end")


def test_a_workspace_has_one_export_at_a_time(asana: AsanaEmulator) -> None:
    job = job_of(begin(asana))
    refused = begin(asana)
    assert (refused.status_code, "in progress" in message(refused)) == (403, True)
    assert ended(asana, job)["status"] == "succeeded"
    job_of(begin(asana))


def test_only_service_accounts_may_export(asana: AsanaEmulator) -> None:
    assert begin(asana, "member").status_code == 403


def test_a_job_is_shown_to_its_owner_only(asana: AsanaEmulator) -> None:
    job = job_of(begin(asana))
    headers = {"Authorization": f"Bearer {asana.tokens.pat('member')}"}
    refused = requests.get(f"{asana.base_url}/jobs/{job}", headers=headers, timeout=10)
    assert refused.status_code == 404
