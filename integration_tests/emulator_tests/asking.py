"""Requests to the emulator, as any client sends them, and the path of Asana's own document."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from integration_tests.asana_emulator import AsanaEmulator

Json = dict[str, Any]

DOCUMENT = Path(
    os.environ.get("ASANA_OPENAPI", Path(__file__).parents[3] / "shared" / "asana_oas.yaml")
)
"""The path of Asana's OpenAPI document: next to the project, or from the environment."""


def ask(
    asana: AsanaEmulator, path: str, token: str = "", *, timeout: float = 10, **query: Any
) -> requests.Response:
    headers = {"Authorization": f"Bearer {token or asana.tokens.pat('service')}"}
    parameters = {name: str(value) for name, value in query.items()}
    return requests.get(asana.base_url + path, parameters, headers=headers, timeout=timeout)


def told(asana: AsanaEmulator, path: str, token: str = "", **query: Any) -> Json:
    answer = ask(asana, path, token, **query)
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


def gids(body: Json) -> list[str]:
    return [record["gid"] for record in body["data"]]


def message(answer: requests.Response) -> str:
    return str(answer.json()["errors"][0]["message"])


def pages(asana: AsanaEmulator, path: str, **query: Any) -> Iterator[Json]:
    page = told(asana, path, **query)
    yield page
    while page["next_page"]:
        page = told(asana, path, **query, offset=page["next_page"]["offset"])
        yield page


def first_offset(asana: AsanaEmulator, project: str) -> str:
    page = told(asana, "/tasks", project=project, limit=1)
    return str(page["next_page"]["offset"])


def of_stream(asana: AsanaEmulator, stream: str, who: str = "service") -> list[Json]:
    return list(asana.expected(stream, who))


def control(asana: AsanaEmulator, name: str, wanted: object = None) -> Any:
    url = f"{asana.url}/_emulator/{name}"
    if wanted is None:
        answer = requests.get(url, timeout=10)
    else:
        answer = requests.post(url, json=wanted, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()
