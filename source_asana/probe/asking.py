"""What a probe asks. The one module that makes requests: each once, even if several need it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from source_asana.asana.answer import Answer
from source_asana.asana.client import AsanaClient
from source_asana.asana.errors import AsanaFailure
from source_asana.asana.governor import Governor
from source_asana.asana.rate_limit import RateLimit, Turn
from source_asana.probe.findings import (
    Record,
    Reply,
    Seen,
    Undecided,
    seen,
)
from source_asana.probe.judging import FULL_PAGE
from source_asana.streams.sources import StreamClass
from source_asana.streams.values import usable

MOST_REQUESTS = 80
"""Requests to Asana's API, repeated ones included. None goes out after these."""

MOST_UNANSWERED = 5
"""After so many questions in a row without an answer, nothing more is asked."""

PURPOSE = "probe"
NO_SUCH_GID = "999999999999999"


class OutOfRequests(Exception):
    """A probe has made all the requests that it may make."""


class AsanaSilent(Exception):
    """Asana does not answer, so a probe ends. `why`: in words for the user."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class CountedRequests(RateLimit):
    """A rate limit that lets only `most` requests go out in all. Then it raises OutOfRequests."""

    def __init__(self, governor: Governor, most: int = MOST_REQUESTS) -> None:
        super().__init__(governor)
        self._left = most

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """Wait for a turn, if there is one left. Only one thread asks at a time."""
        if not self._left:
            raise OutOfRequests
        self._left -= 1
        with super().turn() as turn:
            yield turn


class Overheard:
    """Every answer that a client gets, without its content."""

    def __init__(self) -> None:
        self.answers: list[Seen] = []

    def note(self, answer: Answer, seconds: float) -> None:
        """Keep what the report needs of an answer; for the client's `observe`."""
        self.answers.append(seen(answer, seconds))


class Asking:
    """Asks Asana for what a probe needs, and remembers the answers.

    A method raises Undecided, OutOfRequests, AsanaSilent, and like `AsanaClient.answer`.
    """

    def __init__(self, client: AsanaClient, overheard: Overheard) -> None:
        self._client = client
        self._overheard = overheard
        self._replies: dict[tuple[str, frozenset[tuple[str, str]]], Reply] = {}
        self._unanswered = 0

    def ask(self, path: str, **params: str) -> Reply:
        """Asana's answer, whatever its status. Raises Undecided if waiting may change it."""
        reply = self.reply(path, **params)
        if reply.is_passing:
            raise Undecided(reply.unusable())
        return reply

    def reply(self, path: str, **params: str) -> Reply:
        """What came of a request, whatever it was."""
        question = path, frozenset(params.items())
        if question not in self._replies:
            self._replies[question] = self.again(path, params)
        return self._replies[question]

    def again(self, path: str, params: Mapping[str, str]) -> Reply:
        """What comes of a request now, even if it was made before."""
        try:
            answer = self._client.answer(path, params, purpose=PURPOSE)
        except AsanaFailure as failure:
            last = self._overheard.answers[-1]
            self._unanswered += 1
            if last.status == 0 and not last.is_timeout:
                raise AsanaSilent(failure.message) from None
            if self._unanswered == MOST_UNANSWERED:
                why = f"status {last.status}" if last.status else "no answer in time"
                raise AsanaSilent(f"{why}, {MOST_UNANSWERED} times in a row") from None
            return Reply(last.status, {}, last.seconds, last.size)
        self._unanswered = 0
        last = self._overheard.answers[-1]
        return Reply(answer.status, answer.body or {}, last.seconds, answer.size)

    def given(self, path: str, **params: str) -> Reply:
        """An answer 200. Raises Undecided with what any other one means."""
        reply = self.ask(path, **params)
        if not reply.is_ok:
            raise Undecided(reply.unusable())
        return reply

    def listing(self, stream: StreamClass, gid: str = "") -> Reply:
        """The first page of a stream's listing below a parent, as a sync asks for it."""
        path, params = _request(stream, gid)
        return self.given(path, **params)

    def first_page(self, stream: StreamClass, gid: str = "") -> Reply:
        """The same, whatever its status."""
        path, params = _request(stream, gid)
        return self.ask(path, **params)

    def page_after(self, page: Reply, stream: StreamClass, gid: str = "") -> Reply:
        """The page that follows one which has an offset."""
        path, params = _request(stream, gid)
        return self.ask(path, **params, offset=str(page.offset))

    def records(self, stream: StreamClass, gid: str = "") -> list[Record]:
        """The records of that page that have a gid."""
        return usable(self.listing(stream, gid).records, in_requests=True)

    def single(self, stream: StreamClass, kind: str, records: Sequence[Record]) -> Record | None:
        """The first of the records, asked for by its gid with the same fields.

        `kind`: the plural in the path. None where there are no records.
        """
        return self.single_of(stream, kind, records[0]["gid"]) if records else None

    def single_of(self, stream: StreamClass, kind: str, gid: str) -> Record:
        """A record, asked for by its gid with the same fields as in its listing."""
        found = self.given(f"{kind}/{gid}", **_fields(stream)).records
        return found[0] if found else {}

    @property
    def every_answer(self) -> list[Seen]:
        """All answers so far."""
        return self._overheard.answers

    @property
    def every_record(self) -> list[Record]:
        """All records so far."""
        return [record for reply in self._replies.values() for record in reply.records]

    @property
    def date(self) -> str:
        """Asana's time in its latest answer."""
        return self._client.server_date

    @property
    def limited(self) -> dict[str, list[Mapping[str, Any]]]:
        """The bodies of listings that were asked for with a limit, by their endpoint."""
        found: dict[str, list[Mapping[str, Any]]] = {}
        for (path, params), reply in self._replies.items():
            if reply.is_ok and isinstance(reply.body["data"], list) and "limit" in dict(params):
                endpoint = "/".join("*" if part.isdigit() else part for part in path.split("/"))
                found.setdefault(endpoint, []).append(reply.body)
        return found


def _request(stream: StreamClass, gid: str) -> tuple[str, dict[str, str]]:
    """The path and the parameters of a listing's first page."""
    template = str(stream.path())
    before, brace, rest = template.partition("{")
    filled = before + gid + rest.partition("}")[2] if brace else template
    path, _, query = filled.partition("?")
    given = dict(part.split("=") for part in query.split("&") if part)
    pages = stream.pages()
    limit = {"limit": str(FULL_PAGE)} if pages is None or pages.is_paged else {}
    return path, {**given, **_fields(stream), **limit}


def opt_fields(stream: StreamClass) -> str:
    """The fields that a sync requests of a stream, separated by commas."""
    return ",".join(stream.record.opt_fields())


def _fields(stream: StreamClass) -> dict[str, str]:
    pages = stream.pages()
    takes_opt_fields = pages is None or pages.takes_opt_fields
    return {"opt_fields": opt_fields(stream)} if takes_opt_fields else {}
