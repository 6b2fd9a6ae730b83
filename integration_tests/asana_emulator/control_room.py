"""The emulator's controls over HTTP, to use it as a program.

    GET  /_emulator/ledger                          the requests so far
    GET  /_emulator/truth?stream=tasks&token=member expected records, one JSON object per line
    GET  /_emulator/floor?streams=tasks,users&token=member
                                                    of both, a part: &choice={"project_gids": ["…"]}
    POST /_emulator/controls  {"latency": 0.05, "deny": [{"pattern": "…", "status": 403}],
                               "fail": [{"pattern": "…", "kind": 503, "bare": true}],
                               "truncate": [{"pattern": "/tasks?project=*", "after": 100}],
                               "quota_of": [{"name": "member", "per_minute": 150}],
                               "exports": {"outcome": "failed"}, …}
    POST /_emulator/changes   [{"change": "comment", "task": "…", "text": "…"}]
    POST /_emulator/clock     {"advance": 900}
    POST /_emulator/reset     the ledger forgets, faults, denials and truncations end

None of these counts as a request to Asana.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from .changes import Changes
from .export_controls import ExportControls
from .truth import Choice

if TYPE_CHECKING:
    from .server import AsanaEmulator

CONTROL_PATH = "/_emulator"
SETTINGS = frozenset(
    {
        "assumed_parameters",
        "cost_per_minute",
        "event_delay",
        "demanded_parameters",
        "gzip",
        "headers",
        "inline_children",
        "inline_omits",
        "latency",
        "latency_jitter",
        "lost_events",
        "limit_may_change",
        "max_in_flight",
        "max_unpaged",
        "offset_lifetime",
        "old_sync_tokens",
        "quota_headers",
        "quota_kind",
        "quota_per_minute",
        "quota_window",
        "shuffles_events",
        "sync_token_hours",
        "sync_token_prefix",
        "truncate_after",
        "whole_time_entries",
        "workspace_events",
    }
)
CHANGES = frozenset(name for name in vars(Changes) if not name.startswith("_"))


class ControlRoom:
    """Answers requests below `/_emulator`."""

    def __init__(self, asana: "AsanaEmulator") -> None:
        self._asana = asana
        self._rooms: Mapping[
            tuple[str, str], Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
        ] = {
            ("GET", "ledger"): self._ledger,
            ("GET", "truth"): self._truth,
            ("GET", "floor"): self._floor,
            ("POST", "controls"): self._controls,
            ("POST", "changes"): self._changes,
            ("POST", "clock"): self._clock,
            ("POST", "reset"): self._reset,
        }

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        room = self._rooms.get((request.method, request.path.removeprefix(f"{CONTROL_PATH}/")))
        if room is None:
            return _json({"error": f"no such control: {request.method} {request.path}"}, 404)
        try:
            return await room(request)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            return _json({"error": f"{type(error).__name__}: {error}"}, 400)

    async def _ledger(self, _: web.BaseRequest) -> web.StreamResponse:
        return _json(self._asana.ledger.summary())

    async def _truth(self, request: web.BaseRequest) -> web.StreamResponse:
        records = self._asana.expected(
            request.query["stream"],
            request.query["token"],
            export_ids=_names(request, "export_ids"),
            choice=_choice(request),
        )
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        for record in records:
            await response.write(orjson.dumps(record) + b"\n")
        return response

    async def _floor(self, request: web.BaseRequest) -> web.StreamResponse:
        streams, token = _names(request, "streams"), request.query["token"]
        ids, choice = _names(request, "export_ids"), _choice(request)
        return _json(self._asana.floor(streams, token, export_ids=ids, choice=choice))

    async def _controls(self, request: web.BaseRequest) -> web.StreamResponse:
        controls, wanted = self._asana.controls, orjson.loads(await request.read())
        for name, value in wanted.items():
            if name in SETTINGS:
                setattr(controls, name, value)
            elif name in ("deny", "fail", "truncate", "quota_of"):
                for arguments in value:
                    getattr(controls, name)(**arguments)
            elif name == "exports":
                controls.exports = ExportControls(**value)
            elif name == "allow":
                for pattern in value:
                    controls.allow(pattern)
            elif name in ("heal", "expire_offsets"):
                getattr(controls, name)()
            else:
                message = f"no such control: {name}"
                raise ValueError(message)
        return _json({})

    async def _changes(self, request: web.BaseRequest) -> web.StreamResponse:
        outcomes = []
        for arguments in orjson.loads(await request.read()):
            change = arguments.pop("change")
            if change not in CHANGES:
                message = f"no such change: {change}"
                raise ValueError(message)
            outcomes.append(getattr(self._asana.account, change)(**arguments))
        return _json({"outcomes": outcomes})

    async def _clock(self, request: web.BaseRequest) -> web.StreamResponse:
        self._asana.account.clock.advance(orjson.loads(await request.read())["advance"])
        return _json({"now": self._asana.account.clock.now().isoformat()})

    async def _reset(self, _: web.BaseRequest) -> web.StreamResponse:
        self._asana.controls.heal()
        self._asana.ledger.reset()
        return _json({})


def _names(request: web.BaseRequest, parameter: str) -> list[str]:
    return [name for name in request.query.get(parameter, "").split(",") if name]


def _choice(request: web.BaseRequest) -> Choice:
    given: dict[str, Any] = orjson.loads(request.query.get("choice", "{}"))
    for name, value in given.items():
        given[name] = tuple(value) if isinstance(value, list) else value
    return Choice(**given)


def _json(answer: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(answer), content_type="application/json")
