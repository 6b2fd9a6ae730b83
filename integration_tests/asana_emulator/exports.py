"""Resource exports: the jobs that make them, and their files, which have an origin of their own.

https://developers.asana.com/reference/createresourceexport
"""

import asyncio
import gzip
import socket
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from typing import Any

import orjson
from aiohttp import web

from .account import Account, Record, Viewer
from .asked import Asked
from .clock import stamp
from .controls import Controls
from .documented import Tree, field_tree
from .endpoints import instant
from .export_controls import FileTrouble
from .ledger import Ledger
from .opt_fields import Selection, cut, selection
from .refusal import Refusal, missing, unknown
from .wire import LINGER_NOT

FORBIDDEN = "workspace: Only service accounts of Enterprise+ organizations can export resources"
ONE_AT_A_TIME = "workspace: An export of this workspace is in progress"
EXPORT_PATH = "/object_export/"
FIRST_JOB = 1_290_000_000_000_001
RUNNING = ("not_started", "in_progress")
INSIDE = {"stories": "StoryResponse", "attachments": "AttachmentResponse"}
NOT_IN_FILE = {"stories": frozenset[str](), "attachments": frozenset({"download_url", "view_url"})}
BOMB_MEGABYTES = 100
LONGEST_HANG = 3600.0
EXPORT_NAMES = ("gid", "resource_type", "created_at", "completed_at", "download_url")
JOB_FIELDS: Tree = {
    **{name: {} for name in ("gid", "resource_type", "resource_subtype", "status")},
    "new_resource_export": {name: {} for name in EXPORT_NAMES},
}


@dataclass
class Job:
    """A job, what it was asked for, and the file that it makes."""

    gid: str
    workspace: str
    asked: Asked
    parameters: Sequence[Mapping[str, Any]]
    created_at: str
    completed_at: str | None = None
    status: str = "not_started"
    polls: int = 0
    file: bytes | None = None


@dataclass
class Exports:
    """The exports of an account. `origin`: the address of the files.

    `headers`: those of each request for a file. `requested`: the `data` of each request for an
    export that was begun.
    """

    account: Account
    controls: Controls
    ledger: Ledger
    origin: str = ""
    headers: list[dict[str, str]] = field(default_factory=list)
    requested: list[Mapping[str, Any]] = field(default_factory=list)
    jobs: dict[str, Job] = field(default_factory=dict)

    def start(self, asked: Asked, content: bytes) -> bytes:
        """Begin an export; the body with its job. Raises Refusal."""
        data = _data(content)
        workspace = data.get("workspace")
        if not isinstance(workspace, str):
            raise missing("workspace")
        if self.account.kind(workspace) != "workspace":
            raise unknown("workspace", workspace)
        viewer = asked.person.viewer
        is_seen = viewer.service_account and self.account.may_read(viewer, workspace)
        if not is_seen or not self.account.record(viewer, workspace)["is_organization"]:
            raise Refusal(403, FORBIDDEN)
        if self.controls.exports.is_busy or self._is_running(workspace):
            raise Refusal(403, ONE_AT_A_TIME)
        parameters = data.get("export_request_parameters")
        if not isinstance(parameters, list) or not parameters:
            raise missing("export_request_parameters")
        for each in parameters:
            self._check(each)
        gid = str(FIRST_JOB + len(self.jobs))
        job = Job(gid, workspace, asked, parameters, stamp(self.account.clock.now()))
        if self.controls.exports.made == "at_start":
            job.file = self._file(job)
        self.jobs[gid] = job
        self.requested.append(data)
        return orjson.dumps({"data": self._shown(job)})

    def body(self, asked: Asked) -> bytes:
        """The body with a job, for who began it: each question brings it nearer to its end."""
        job = self.jobs.get(asked.gid)
        if job is None or job.asked.person.name != asked.person.name:
            raise unknown("job", asked.gid)
        if job.status in RUNNING:
            job.polls += 1
            job.status = "in_progress"
            if self.controls.exports.polls is not None and job.polls >= self.controls.exports.polls:
                job.status = self.controls.exports.outcome
                job.completed_at = stamp(self.account.clock.now())
                job.file = job.file or self._file(job)
        chosen, strange = selection(asked.query.get("opt_fields", ""), JOB_FIELDS)
        self.ledger.note_unknown(asked.template, strange, asked.query.keys() - {"opt_fields"})
        whole = self._shown(job)
        return orjson.dumps({"data": cut(whole, chosen) if "opt_fields" in asked.query else whole})

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """Give a file to a client that knows its URL."""
        self.headers.append(dict(request.headers))
        gid = request.path.removeprefix(EXPORT_PATH).removesuffix(".jsonl.gz")
        job = self.jobs.get(gid)
        if job is None or job.file is None or request.query_string != _signature(gid):
            return web.Response(status=403)
        match self._trouble():
            case ("reset" | "hang") as trouble:
                return await _half(request, job.file, is_reset=trouble == "reset")
            case trouble:
                return self._whole(job.file, trouble)

    def _whole(self, file: bytes, trouble: FileTrouble | None) -> web.Response:
        elsewhere = {"Location": f"{self.origin}/elsewhere"}
        match trouble:
            case "missing" | "forbidden":
                response = web.Response(status=404 if trouble == "missing" else 403)
            case "redirect":
                response = web.Response(status=302, headers=elsewhere)
            case "not_gzip":
                response = web.Response(body=gzip.decompress(file))
            case "cut":
                response = web.Response(body=file[: len(file) // 2])
            case "bomb":
                response = web.Response(body=_bomb())
            case _:
                response = web.Response(body=file, content_type="application/gzip")
        return response

    def _trouble(self) -> FileTrouble | None:
        times = self.controls.exports.times
        if times == 0:
            return None
        self.controls.exports.times = None if times is None else times - 1
        return self.controls.exports.trouble

    def _is_running(self, workspace: str) -> bool:
        return any(
            job.workspace == workspace and job.status in RUNNING for job in self.jobs.values()
        )

    def _shown(self, job: Job) -> Record:
        has_file = job.status == "succeeded" and self.controls.exports.has_url
        url = f"{self.origin}{EXPORT_PATH}{job.gid}.jsonl.gz?{_signature(job.gid)}"
        return {
            "gid": job.gid,
            "resource_type": "job",
            "resource_subtype": "export_request",
            "status": job.status,
            "new_resource_export": {
                "gid": str(int(job.gid) + 1_000_000),
                "resource_type": "export_request",
                "created_at": job.created_at,
                "completed_at": job.completed_at,
                "download_url": url if has_file else None,
            },
        }

    def _check(self, parameters: Any) -> None:
        if not isinstance(parameters, dict) or parameters.get("resource_type") != "task":
            raise Refusal(400, "resource_type: The emulator exports tasks")
        filters, fields = parameters.get("filters", {}), parameters.get("fields")
        if not isinstance(filters, dict) or set(filters) - {"modified_at.after"}:
            raise Refusal(400, "filters: The emulator filters by modified_at.after")
        for name, value in filters.items():
            instant(name, value)
        if not isinstance(fields, list) or not all(isinstance(name, str) for name in fields):
            raise Refusal(400, "fields: Must be names")
        _, strange = _selected(",".join(fields))
        self.ledger.note_unknown("/exports/resource", strange, ())

    def _file(self, job: Job) -> bytes:
        """The file: a zipped line for each task, in no order."""
        zipped = zlib.compressobj(1, wbits=16 + zlib.MAX_WBITS)
        lines = [orjson.dumps(line) + b"\n" for line in self._lines(job)]
        return b"".join((*map(zipped.compress, lines), zipped.flush()))

    def _lines(self, job: Job) -> Iterator[Any]:
        viewer = job.asked.person.viewer
        tasks = list(
            _tasks(self.account, viewer, job.workspace, subtasks=self.controls.exports.subtasks)
        )
        Random(1).shuffle(tasks)
        for parameters in job.parameters:
            chosen, _ = _selected(",".join(parameters["fields"]))
            after = parameters.get("filters", {}).get("modified_at.after")
            bound = "" if after is None else stamp(instant("modified_at.after", after))
            for gid in tasks:
                if self.account.modified_at(gid) > bound:
                    line: Any = self._line(viewer, gid, chosen)
                    line = self.controls.exports.line(line) if self.controls.exports.line else line
                    if line is not None:
                        yield line

    def _line(self, viewer: Viewer, task: str, chosen: Selection) -> Record:
        whole = self.account.record(viewer, task)
        for name, left_out in NOT_IN_FILE.items():
            if name in chosen.fields:
                children = self.account.listing(viewer, name, task)
                records = (self.account.record(viewer, child) for child in children)
                inside = [{n: r[n] for n in r if n not in left_out} for r in records]
                whole = {**whole, name: inside}
        return cut(whole, chosen)


def _tasks(account: Account, viewer: Viewer, workspace: str, *, subtasks: bool) -> Iterator[str]:
    """The tasks of a workspace, each once."""
    people = account.listing(viewer, "users", workspace)
    mine = (account.user_task_list(user, workspace) for user in people)
    parents: Iterable[str] = [*account.listing(viewer, "projects", workspace), *filter(None, mine)]
    seen: set[str] = set()
    for parent in parents:
        waiting = list(account.listing(viewer, "tasks", parent))
        while waiting:
            task = waiting.pop()
            if task not in seen:
                seen.add(task)
                yield task
                waiting += account.listing(viewer, "subtasks", task) if subtasks else ()


@lru_cache(maxsize=64)
def _selected(fields: str) -> tuple[Selection, tuple[str, ...]]:
    inside = {name: field_tree(record) for name, record in INSIDE.items()}
    return selection(fields, {**field_tree("TaskResponse"), **inside})


def _data(content: bytes) -> Mapping[str, Any]:
    body: Any = None
    with suppress(orjson.JSONDecodeError):
        body = orjson.loads(content)
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, dict):
        raise Refusal(400, "Could not parse request data, invalid JSON")
    return data


def _signature(gid: str) -> str:
    return f"X-Amz-Expires=300&X-Amz-Signature=signed{gid}"


async def _half(request: web.BaseRequest, whole: bytes, *, is_reset: bool) -> web.StreamResponse:
    """Half of a file; then the connection is reset, or nothing more comes."""
    response = web.StreamResponse(headers={"Content-Length": str(len(whole))})
    await response.prepare(request)
    await response.write(whole[: len(whole) // 2])
    if is_reset and request.transport is not None:
        wire = request.transport.get_extra_info("socket")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        request.transport.abort()
    await asyncio.sleep(LONGEST_HANG)  # ends when the client goes
    return response


@lru_cache(maxsize=1)
def _bomb() -> bytes:
    """One line of blanks without an end."""
    zipped = zlib.compressobj(1, wbits=16 + zlib.MAX_WBITS)
    blanks = b" " * 1_000_000
    return b"".join((*(zipped.compress(blanks) for _ in range(BOMB_MEGABYTES)), zipped.flush()))
