"""The order in which a request is checked and answered."""

import asyncio
import sys
from collections.abc import Mapping
from email.utils import formatdate

import orjson
from aiohttp import web

from .account import Account, Viewer
from .answers import Answers
from .asked import Asked
from .controls import Controls, Fault
from .endless import NEVER_ENDING, asked_from_the_start, without_end
from .endpoints import EVENTS, JOB, RESOURCE_EXPORTS, found_at
from .events import EventStreams
from .exports import Exports
from .ledger import Ledger, Request
from .paging import expired
from .refusal import Refusal, missing, refusal
from .tokens import TOKEN_PATH, Person, Tokens
from .wire import JSON_TYPE, Reply, gateway_reply, sent

API = "/api/1.0"
ANONYMOUS = Person("", Viewer(""))
TOO_MANY_IN_FLIGHT = "1"
UNANSWERED = ("reset", "hang")


class Conversation:
    """Answers requests as Asana would: token, limits, trouble, and only then the question."""

    def __init__(
        self,
        account: Account,
        tokens: Tokens,
        controls: Controls,
        ledger: Ledger,
        kept_bytes: int,
    ) -> None:
        self._account = account
        self._tokens = tokens
        self._controls = controls
        self._ledger = ledger
        self.answers = Answers(account, controls, kept_bytes)
        self._events = EventStreams(account, controls, ledger)
        self.exports = Exports(account, controls, ledger)

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == TOKEN_PATH:
            return await self._grant(request)
        path = request.path.removeprefix(API)
        template, gid = found_at(path) if path != request.path else ("", "")
        person = self._tokens.who(_bearer(request))
        asked = Asked(template, path, gid, _query(request), person or ANONYMOUS)
        if person is None or self._is_cut_off():
            return await self._send(request, asked, self._refused(refusal(401)), None)
        in_flight = self._controls.in_flight
        in_flight.enter(person.name)
        self._ledger.note_in_flight(in_flight.current.total())
        try:
            return await self._answer(request, asked)
        finally:
            in_flight.leave(person.name)

    async def _answer(self, request: web.BaseRequest, asked: Asked) -> web.StreamResponse:
        fault = None
        try:
            self._keep_to_limits(asked)
            fault = await self._trouble(asked)
            if asked.template == RESOURCE_EXPORTS:
                reply = self._export_reply(request.method, asked, await request.read(), fault)
            else:
                reply = self._reply(request, asked, fault)
        except Refusal as refused:
            reply = self._refused(refused)
        return await self._send(request, asked, reply, fault)

    def _is_cut_off(self) -> bool:
        most = self._controls.cut_off_after
        return most is not None and self._ledger.count() >= most

    def _keep_to_limits(self, asked: Asked) -> None:
        """Rejected requests count. https://developers.asana.com/docs/rate-limits"""
        name = asked.person.name
        waits = (limit.retry_after(name) for limit in self._controls.limits)
        seconds = max((wait for wait in waits if wait is not None), default=None)
        if seconds is not None:
            says_when = self._controls.quota_headers
            raise refusal(429, headers={"Retry-After": str(seconds)} if says_when else {})
        if self._controls.in_flight.is_exceeded(name):
            raise refusal(429, headers={"Retry-After": TOO_MANY_IN_FLIGHT})

    async def _trouble(self, asked: Asked) -> Fault | None:
        """Wait as the network would, and find out what is to go wrong with the answer."""
        delay = self._controls.delay()
        if delay:
            await asyncio.sleep(delay)
        for action in self._controls.due(asked):
            action()
        return self._controls.fault(asked)

    def _beforehand(self, asked: Asked, fault: Fault | None) -> Reply | None:
        """What is answered, or refused, before Asana looks at the question."""
        if fault is not None:
            reply = gateway_reply(fault, self._headers())
            if reply is not None:
                return reply
            if fault.kind == "expired_offset":
                raise expired()
            if fault.kind == "old_sync_token":
                self._events.refuse(asked)
            if isinstance(fault.kind, int):
                raise refusal(fault.kind, headers=fault.headers)
        denied = self._controls.denied(asked)
        if denied is not None:
            raise refusal(denied)
        return None

    def _reply(self, request: web.BaseRequest, asked: Asked, fault: Fault | None) -> Reply:
        beforehand = self._beforehand(asked, fault)
        if beforehand is not None:
            return beforehand
        if not asked.template:
            raise refusal(404)
        if request.method != "GET":
            raise refusal(405)
        lacking = self._controls.lacking(asked)
        if lacking is not None:
            raise missing(lacking)
        if asked.template in EVENTS:
            body = self._events.body(asked)
        elif asked.template == JOB:
            body = self.exports.body(asked)
        else:
            never_ends = fault is not None and fault.kind in NEVER_ENDING
            question = asked_from_the_start(asked) if never_ends else asked
            body, index = self.answers.body(question, self._ledger)
            if fault is None:
                self._ledger.note_answer(asked, index)
        if fault is not None:
            body = without_end(body, asked, fault, self._controls.offsets)
        body = self._controls.altered(asked, body)
        self._controls.cost_quota.charge(asked.person.name, body)
        reply = Reply(200, body, self._headers())
        accepted = request.headers.get("Accept-Encoding", "")
        return reply.zipped() if self._controls.gzip and "gzip" in accepted else reply

    def _export_reply(
        self, method: str, asked: Asked, content: bytes, fault: Fault | None
    ) -> Reply:
        beforehand = self._beforehand(asked, fault)
        if beforehand is not None:
            return beforehand
        if method != "POST":
            raise refusal(405)
        return Reply(201, self.exports.start(asked, content), self._headers())

    def _refused(self, refused: Refusal) -> Reply:
        headers = {**self._headers(), **refused.headers}
        return Reply(refused.status, orjson.dumps(refused.body()), headers)

    async def _grant(self, request: web.BaseRequest) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        asked = Asked(TOKEN_PATH, TOKEN_PATH, "", {}, ANONYMOUS)
        fault = await self._trouble(asked)
        try:
            reply = self._beforehand(asked, fault) or self._granted(form, fault)
        except Refusal as refused:
            reply = self._refused(refused)
        return await self._send(request, asked, reply, fault)

    def _granted(self, form: Mapping[str, str], fault: Fault | None) -> Reply:
        match fault and fault.kind:
            case ("invalid_grant" | "without_expiry" | "without_token") as kind:
                status, granted = self._tokens.odd(kind, form)
            case _:
                status, granted = self._tokens.exchange(form)
        return Reply(status, orjson.dumps(granted), self._headers())

    async def _send(
        self, request: web.BaseRequest, asked: Asked, reply: Reply, fault: Fault | None
    ) -> web.StreamResponse:
        self._ledger.note_request(
            Request(
                request.method,
                asked.template,
                asked.path,
                dict(asked.query),
                0 if fault is not None and fault.kind in UNANSWERED else reply.status,
                asked.person.name,
            )
        )
        return await sent(request, reply, fault)

    def _headers(self) -> Mapping[str, str]:
        now = self._account.clock.now().timestamp()
        return {
            "Content-Type": JSON_TYPE,
            "Date": formatdate(now, usegmt=True),
            **self._controls.headers,
        }


def _query(request: web.BaseRequest) -> dict[str, str]:
    """The parameters; long values, the same in thousands of requests, are held once."""
    return {name: sys.intern(value) for name, value in request.query.items()}


def _bearer(request: web.BaseRequest) -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""
