"""Control of the emulator over HTTP."""

import json

import pytest
import requests

from integration_tests.asana_emulator import AsanaEmulator, Choice
from integration_tests.emulator_tests.asking import ask, control, gids, told

pytestmark = pytest.mark.once


def test_http_can_control_everything(asana: AsanaEmulator, project: str, tasks: list[str]) -> None:
    control(asana, "controls", {"latency": 0.01, "quota_per_minute": 1000, "max_in_flight": 9})
    control(asana, "controls", {"offset_lifetime": 60, "quota_window": 30})
    controls = asana.controls
    assert (controls.latency, controls.quota_per_minute, controls.max_in_flight) == (0.01, 1000, 9)
    assert (controls.offset_lifetime, controls.quota_window) == (60, 30)
    deny = {"pattern": project, "status": 403}
    fail = {"pattern": "/users/*", "kind": 503, "times": 1}
    control(asana, "controls", {"deny": [deny], "fail": [fail], "expire_offsets": True})
    assert ask(asana, f"/projects/{project}").status_code == 403
    assert ask(asana, "/users/me").status_code == 503
    control(asana, "controls", {"allow": [project]})
    assert ask(asana, f"/projects/{project}").status_code == 200
    control(asana, "controls", {"deny": [deny]})
    control(asana, "controls", {"heal": True})
    assert ask(asana, f"/projects/{project}").status_code == 200
    change = {"change": "comment", "task": tasks[0], "text": "Hello"}
    (story,) = control(asana, "changes", [change])["outcomes"]
    assert story in gids(told(asana, f"/tasks/{tasks[0]}/stories"))
    control(asana, "controls", {"truncate": [{"pattern": "/tasks?project=*", "after": 1}]})
    assert ask(asana, "/tasks", project=project, limit=2).status_code == 400
    control(asana, "reset", {})
    assert ask(asana, "/tasks", project=project, limit=2).status_code == 200
    odd = {"pattern": "/users/*", "kind": 503, "bare": True, "retry_after": "soon"}
    elsewhere = {"pattern": "/users/*", "kind": "redirect", "location": asana.token_url}
    control(asana, "controls", {"fail": [odd, elsewhere]})
    assert ask(asana, "/users/me").headers["Retry-After"] == "soon"
    assert ask(asana, "/users/me").url == asana.token_url
    own = {"name": "member", "per_minute": 6}
    control(asana, "controls", {"quota_kind": "bucket", "quota_headers": False, "quota_of": [own]})
    member = asana.tokens.pat("member")
    refused = [ask(asana, "/users/me", member) for _ in range(2)][1]
    assert (refused.status_code, refused.headers.get("Retry-After")) == (429, None)
    before = asana.account.clock.now()
    control(asana, "clock", {"advance": 3600})
    assert (asana.account.clock.now() - before).total_seconds() >= 3600


def test_http_returns_the_truth_too(asana: AsanaEmulator) -> None:
    ask(asana, "/users/me")
    assert control(asana, "ledger") == asana.ledger.summary()
    assert control(asana, "floor?streams=tasks,users&token=member") == asana.floor(
        ["tasks", "users"], "member"
    )
    url = f"{asana.url}/_emulator/truth?stream=tasks&token=service"
    lines = requests.get(url, timeout=10).text.splitlines()
    assert [json.loads(line) for line in lines] == list(asana.expected("tasks", "service"))
    part = Choice(workspace_gids=(told(asana, "/workspaces")["data"][-1]["gid"],))
    asked = json.dumps({"workspace_gids": part.workspace_gids})
    assert control(asana, f"floor?streams=tasks&token=service&choice={asked}") == asana.floor(
        ["tasks"], "service", choice=part
    )
    lines = requests.get(f"{url}&choice={asked}", timeout=10).text.splitlines()
    assert [json.loads(line) for line in lines] == list(
        asana.expected("tasks", "service", choice=part)
    )
    control(asana, "reset", {})
    assert control(asana, "ledger")["requests"] == 0


@pytest.mark.parametrize(
    ("name", "wanted", "status"),
    [
        ("weather", {}, 404),
        ("controls", {"gravity": 1}, 400),
        ("controls", {"quota_kind": "leaky"}, 400),
        ("controls", {"fail": [{"pattern": "*", "kind": "earthquake"}]}, 400),
        ("changes", [{"change": "__init__"}], 400),
        ("changes", [{"change": "comment", "colour": "red"}], 400),
    ],
)
def test_an_unknown_control_is_refused(
    asana: AsanaEmulator, name: str, wanted: object, status: int
) -> None:
    answer = requests.post(f"{asana.url}/_emulator/{name}", json=wanted, timeout=10)
    assert answer.status_code == status
    assert answer.json()["error"]
