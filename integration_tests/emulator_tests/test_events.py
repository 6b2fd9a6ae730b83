"""The events of a project, a task, and a whole workspace."""

import pytest

from integration_tests.asana_emulator import AsanaEmulator
from integration_tests.emulator_tests.asking import ask, message, told

pytestmark = pytest.mark.once


def sync_token(asana: AsanaEmulator, resource: str) -> str:
    refused = ask(asana, "/events", resource=resource)
    assert refused.status_code == 412
    assert "Sync token invalid or too old" in message(refused)
    return str(refused.json()["sync"])


def test_a_sync_token_returns_the_events_since(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    token = sync_token(asana, project)
    assert told(asana, "/events", resource=project, sync=token)["data"] == []
    story = asana.change(lambda account: account.comment(tasks[0], "Looks good"))
    body = told(asana, "/events", resource=project, sync=token)
    assert [(event["action"], event["resource"]["gid"]) for event in body["data"]] == [
        ("added", story)
    ]
    assert body["has_more"] is False
    assert told(asana, "/events", resource=project, sync=token)["data"] == body["data"]
    assert told(asana, "/events", resource=project, sync=body["sync"])["data"] == []
    assert told(asana, f"/projects/{project}/events", sync=token)["data"] == body["data"]
    assert told(asana, f"/tasks/{tasks[0]}/events", sync=sync_token(asana, tasks[0]))["data"] == []


def test_events_are_cut_to_opt_fields(asana: AsanaEmulator, project: str, tasks: list[str]) -> None:
    token = sync_token(asana, project)
    asana.change(lambda account: account.modify_task(tasks[0], name="Better"))
    query = {"resource": project, "sync": token, "opt_fields": "action,resource.name,change.field"}
    events = told(asana, "/events", **query)["data"]
    assert {"resource": {"gid": tasks[0], "name": "Better"}, "action": "changed",
            "change": {"field": "name"}} in events  # fmt: skip


def test_a_page_has_a_hundred_events_and_has_more_announces_the_rest(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    token = sync_token(asana, project)
    for number in range(201):
        asana.change(lambda account, n=number: account.comment(tasks[0], f"{n}"))  # type: ignore[misc]
    sizes = []
    more = True
    while more:
        body = told(asana, "/events", resource=project, sync=token)
        token, more = body["sync"], body["has_more"]
        sizes.append(len(body["data"]))
    assert sizes == [100, 100, 1]


def test_a_sync_token_is_refused_after_a_day_with_a_fresh_one(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    token = sync_token(asana, project)
    asana.account.clock.advance(23 * 3600)
    assert ask(asana, "/events", resource=project, sync=token).status_code == 200
    asana.account.clock.advance(2 * 3600)
    refused = ask(asana, "/events", resource=project, sync=token)
    assert refused.status_code == 412
    asana.change(lambda account: account.comment(tasks[0], "Still there?"))
    fresh = refused.json()["sync"]
    assert len(told(asana, "/events", resource=project, sync=fresh)["data"]) == 1


def test_a_sync_token_is_valid_only_for_its_own_resource(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    token = sync_token(asana, project)
    assert ask(asana, "/events", resource=tasks[0], sync=token).status_code == 412
    assert ask(asana, "/events", resource=project, sync="nonsense").status_code == 412


def test_a_sync_token_may_be_refused_once_a_newer_one_was_used(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    first, others = sync_token(asana, project), sync_token(asana, project)
    asana.change(lambda account: account.comment(tasks[0], "Again?"))
    second = told(asana, "/events", resource=project, sync=first)["sync"]
    again = told(asana, "/events", resource=project, sync=first)
    assert len(again["data"]) == 1
    third = told(asana, "/events", resource=project, sync=again["sync"])["sync"]
    assert told(asana, "/events", resource=project, sync=first)["data"] == again["data"]
    asana.controls.old_sync_tokens = 412
    refused = ask(asana, "/events", resource=project, sync=first)
    assert refused.status_code == 412
    assert told(asana, "/events", resource=project, sync=refused.json()["sync"])["data"] == []
    asana.controls.old_sync_tokens = 400
    assert ask(asana, "/events", resource=project, sync=first).status_code == 400
    for good in (second, third, others):
        assert ask(asana, "/events", resource=project, sync=good).status_code == 200


def test_a_sync_token_may_be_refused_as_if_it_were_too_old(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    fault = asana.controls.fail("/events", "old_sync_token")
    token = sync_token(asana, project)
    assert not fault.happened
    fresh = ask(asana, "/events", resource=project, sync=token)
    assert (fresh.status_code, fault.happened) == (412, 1)
    asana.change(lambda account: account.comment(tasks[0], "Go on"))
    later = told(asana, "/events", resource=project, sync=fresh.json()["sync"])
    assert len(later["data"]) == 1


def comments(asana: AsanaEmulator, project: str, tasks: list[str], how_many: int) -> list[str]:
    """The texts of comments, in the order of a project's events."""
    token = sync_token(asana, project)
    for number in range(how_many):
        asana.change(lambda account, n=number: account.comment(tasks[0], f"{n}"))  # type: ignore[misc]
    heard: list[str] = []
    more = True
    while more:
        body = told(asana, "/events", resource=project, sync=token)
        again = told(asana, "/events", resource=project, sync=token)
        assert again["data"] == body["data"]
        heard += [event["resource"]["gid"] for event in body["data"]]
        token, more = body["sync"], body["has_more"]
    return heard


def test_the_events_of_a_page_may_be_in_no_order(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    asana.controls.shuffles_events = True
    heard = comments(asana, project, tasks, 150)
    assert heard != sorted(heard)
    assert sorted(heard[:100]) + sorted(heard[100:]) == sorted(heard)
    assert len(heard) == 150


def test_single_events_may_be_permanently_lost(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    asana.controls.lost_events = 0.2
    heard = comments(asana, project, tasks, 150)
    assert heard == sorted(heard)
    assert 100 < len(heard) < 150
    asana.controls.lost_events = 1.0
    assert comments(asana, project, tasks, 5) == []
    asana.controls.heal()
    assert len(comments(asana, project, tasks, 5)) == 5


def test_events_may_take_a_while_to_arrive(
    asana: AsanaEmulator, project: str, tasks: list[str]
) -> None:
    asana.controls.event_delay = 60
    token = sync_token(asana, project)
    asana.change(lambda account: account.comment(tasks[0], "Slow news"))
    body = told(asana, "/events", resource=project, sync=token)
    assert body["data"] == []
    asana.account.clock.advance(61)
    assert len(told(asana, "/events", resource=project, sync=body["sync"])["data"]) == 1


@pytest.fixture
def everything(asana: AsanaEmulator, organization: str) -> str:
    """The path with all events of an Enterprise+ organization."""
    asana.controls.workspace_events = True
    return f"/workspaces/{organization}/events"


def test_a_workspace_returns_all_of_its_events(
    asana: AsanaEmulator, everything: str, organization: str, tasks: list[str], plain_workspace: str
) -> None:
    sync = ask(asana, everything).json()["sync"]
    asana.change(lambda account: account.comment(tasks[0], "Hm."))
    lone = asana.change(lambda account: account.create_private_task(organization, "Alone"))
    asana.change(lambda account: account.modify_task(lone, name="Still alone"))
    asana.change(lambda account: account.create_private_task(plain_workspace, "Elsewhere"))
    asana.change(lambda account: account.delete(lone))
    body = told(asana, everything, sync=sync)
    happened = [(event["type"], event["action"]) for event in body["data"]]
    assert happened == [
        ("story", "added"),
        ("task", "added"),
        ("task", "changed"),
        ("story", "added"),
        ("task", "deleted"),
    ]
    assert body["has_more"] is False
    assert told(asana, everything, sync=body["sync"])["data"] == []
    assert ask(asana, everything, sync="nonsense").status_code == 412


def test_a_page_has_a_thousand_events_of_a_workspace(
    asana: AsanaEmulator, everything: str, tasks: list[str]
) -> None:
    sync = ask(asana, everything).json()["sync"]
    for number in range(1001):
        asana.account.comment(tasks[0], f"{number}")
    first = told(asana, everything, sync=sync)
    assert (len(first["data"]), first["has_more"]) == (1000, True)
    second = told(asana, everything, sync=first["sync"])
    assert (len(second["data"]), second["has_more"]) == (1, False)


def test_events_of_a_workspace_are_for_service_accounts_of_enterprise_plus(
    asana: AsanaEmulator, everything: str, plain_workspace: str
) -> None:
    assert ask(asana, everything, asana.tokens.pat("member")).status_code == 403
    assert ask(asana, f"/workspaces/{plain_workspace}/events").status_code == 403
    asana.controls.workspace_events = False
    assert ask(asana, everything).status_code == 403
