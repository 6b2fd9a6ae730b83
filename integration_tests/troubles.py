"""The rows of the table of faults: what may go wrong in a sync, and the expected result."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from itertools import cycle
from typing import Any, Literal, Unpack

from integration_tests.asana_emulator import Account, AsanaEmulator
from integration_tests.asana_emulator.controls import Mishap, When
from integration_tests.asana_emulator.endpoints import DOCUMENTED_TEMPLATES
from integration_tests.asana_emulator.oddities import repeated, with_entries, with_numeric_gids
from integration_tests.asana_emulator.tokens import TOKEN_PATH
from integration_tests.reading import SERVICE
from source_asana.streams.declared import STREAMS
from source_asana.streams.sources import AsanaStream

Mode = Literal["full refresh", "first sync", "later sync"]
FULL_REFRESH: Mode = "full refresh"
FIRST: Mode = "first sync"
LATER: Mode = "later sync"
MODES = (FULL_REFRESH, FIRST, LATER)
PLAYED = STREAMS
"""Every trouble is played with all streams."""

FROM_NOTHING, INCREMENTAL = (FULL_REFRESH, FIRST), (FIRST, LATER)

TRANSIENT, CONFIG, SYSTEM = "transient_error", "config_error", "system_error"
THE_SYNC = None
"""Means the sync as a whole, instead of a stream."""

ORGANIZATION, QUIZ_TEAM = "1201000000000001", "1201000000000002"
LAMPS_AND_LENSES = "1203000000000001"
GULL_ROCK, PAINT, CHOIR = "1205000000000001", "1205000000000002", "1205000000000004"
BLINKS = "1213000000000001"
COMMENT = "1208000000000033"
EXPORTS = ("1216000000000001", "1216000000000002", "1216000000000003")
NO_EXPORT = "1216000000000999"

TASKS, EVENTS = "/tasks", "/events"
SECTIONS = "/projects/{project_gid}/sections"
STORIES = "/tasks/{task_gid}/stories"
SUBTASKS = "/tasks/{task_gid}/subtasks"
LATER_PAGES = "/projects/*/sections?offset=*"
EVERYTHING = "/*"

OF_SECTIONS = ("sections", "sections_compact")
OF_STORIES = ("stories", "stories_compact")
OF_ATTACHMENTS = ("attachments", "attachments_compact")
OF_PORTFOLIOS = (
    *("portfolios", "portfolios_compact", "portfolio_items"),
    *("portfolios_memberships", "portfolio_memberships", "project_portfolio_settings"),
)
OF_SEVERAL_KINDS = ("custom_field_settings", "status_updates")
"""Their records belong to projects, portfolios or goals."""
OF_PROJECTS = (
    *("project_briefs", "project_memberships", "allocations", "task_templates"),
    *("custom_types", "budgets", "rates"),
)
OF_TASKS = ("tasks", "subtasks", *OF_STORIES, *OF_ATTACHMENTS)

NEVER = 30.0
MINUTE = 60.0

Begin = Callable[[AsanaEmulator], object]


def nothing(_: object) -> None:
    """Do nothing, where everything works."""


@dataclass(frozen=True)
class Trouble:
    """Something that goes wrong during one sync, and is all right again in the next.

    `begin` makes it happen; `grow` makes the account larger first. `errors` are the failure types
    of the streams that end INCOMPLETE, or of the sync that ends as a whole; None where they depend
    on chance. `skipped`: how many records the other streams lack because Asana refuses them.
    `without`: streams that are not selected. `leaves_old_rows`: the changes during the sync are
    beyond Asana's limits, see docs/incremental.md. `loses_events`: no events report the earlier
    changes. `costs`: the requests above the floor, where that is certain. `takes_long`: takes
    seconds. `learns_the_quota`, `patience` and `answer_seconds` are about the connector.
    """

    name: str
    begin: Begin = nothing
    errors: Mapping[str | None, str] | None = field(default_factory=dict)
    skipped: Mapping[str, int] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    grow: Callable[[Account], object] = nothing
    modes: tuple[Mode, ...] = MODES
    person: str = SERVICE
    export_ids: tuple[str, ...] = EXPORTS
    uses_oauth: bool = False
    learns_the_quota: bool = False
    leaves_old_rows: bool = False
    loses_events: bool = False
    costs: int | None = None
    takes_long: bool = False
    patience: float = 0.02
    answer_seconds: float = 180.0

    @property
    def streams(self) -> dict[str, type[AsanaStream]]:
        """The selected streams."""
        return {name: stream for name, stream in PLAYED.items() if name not in self.without}

    def expected_skips(self, mode: Mode) -> Mapping[str, int]:
        """The number of missing records; a later sync adds to the records of the first one."""
        if mode != LATER:
            return self.skipped
        return {name: n for name, n in self.skipped.items() if not PLAYED[name].cursor_field}

    def expected_errors(self, mode: Mode) -> Mapping[str | None, str] | None:
        """The failure types; a full refresh does not request events."""
        if self.errors is None or mode != FULL_REFRESH:
            return self.errors
        return {stream: kind for stream, kind in self.errors.items() if stream != "events"}


# -- beginnings -------------------------------------------------------------------------------


def at(*places: str, kind: int | Mishap, **when: Unpack[When]) -> Begin:
    """Cause it at each of these places, once by default."""

    def begin(asana: AsanaEmulator) -> None:
        for place in places:
            asana.controls.fail(place, kind, **when)

    return begin


def everywhere(kind: int | Mishap, *how: When) -> Begin:
    """Once at each endpoint, so that every second attempt succeeds; `how` takes turns."""
    ways = cycle(how or (When(),))
    return all_of(*(at(place, kind=kind, **next(ways)) for place in DOCUMENTED_TEMPLATES))


def one_task_each(*kinds: int | Mishap) -> Begin:
    """Disturb the stories of each task in one of these ways."""

    def begin(asana: AsanaEmulator) -> None:
        tasks = [task["gid"] for task in asana.expected("tasks", SERVICE)]
        for task, kind in zip(tasks, kinds, strict=False):
            asana.controls.fail(STORIES, kind, only=task)

    return begin


def denied(place: str, status: int, *, only: str = "") -> Begin:
    """Refuse it for the whole sync."""
    return lambda asana: asana.controls.deny(place, status, only=only)


def odd(place: str, change: Callable[[Any], Any], *, only: str = "") -> Begin:
    """Answer with data that Asana should not send."""
    return lambda asana: asana.controls.alter(place, change, only=only)


def cut(place: str, after: int) -> Begin:
    """Truncate a listing that is longer."""
    return lambda asana: asana.controls.truncate(place, after)


def amid(place: str, change: Begin, *, after: int = 0) -> Begin:
    """Change something just before such a request is answered."""
    return lambda asana: asana.controls.interrupt(place, lambda: change(asana), after=after)


def all_of(*beginnings: Begin) -> Begin:
    """Cause several troubles in one sync."""
    return lambda asana: [begin(asana) for begin in beginnings]


# -- troubles --------------------------------------------------------------------------------


def six_pages_of_sections(account: Account) -> None:
    for number in range(540):
        account.create_section(GULL_ROCK, f"Step {number}")


def two_levels_of_subtasks(account: Account) -> None:
    task = account.listing(account.people[SERVICE], "tasks", GULL_ROCK)[0]
    account.add_subtask(account.add_subtask(task, "Upper"), "Lower")


def list_a_subtask_below_itself(asana: AsanaEmulator) -> None:
    """List a subtask below itself."""
    subtasks = asana.expected("subtasks", SERVICE)
    upper = next(subtask for subtask in subtasks if subtask["name"] == "Upper")
    odd(SUBTASKS, lambda data: [*data, upper], only=upper["gid"])(asana)


def demand_an_owner_of_portfolios(asana: AsanaEmulator) -> None:
    asana.controls.demanded_parameters = {"/portfolios": "owner"}


def expire_offsets(asana: AsanaEmulator) -> None:
    asana.controls.expire_offsets()


def fifteen_minutes_pass(asana: AsanaEmulator) -> None:
    asana.account.clock.advance(16 * MINUTE)


def offsets_for_any_limit(asana: AsanaEmulator) -> None:
    """Accept an offset with another `limit` too."""
    asana.controls.limit_may_change = True


def expire_one_page_later_each_time(asana: AsanaEmulator) -> None:
    """Expire the second page of the listing, then, after it starts over, the third, and so on."""
    for page in range(5):
        amid(LATER_PAGES, expire_offsets, after=page * (page + 3) // 2)(asana)


def wait_for_a_time_of_the_day(asana: AsanaEmulator) -> None:
    soon = formatdate(asana.account.clock.now().timestamp() + 1, usegmt=True)
    at("/workspaces", kind=429, retry_after=soon)(asana)


def fifty_requests_in_three_seconds(asana: AsanaEmulator) -> None:
    asana.controls.quota_window = 3
    asana.controls.quota_per_minute = 1000


def overdraw_the_cost_quota(asana: AsanaEmulator) -> None:
    asana.controls.cost_quota.window = 1
    asana.controls.cost_per_minute = 60_000


def shuffle_events(asana: AsanaEmulator) -> None:
    asana.controls.shuffles_events = True


def lose_events(share: float) -> Begin:
    """Lose this share of the events before they reach the stream of a project."""
    return lambda asana: setattr(asana.controls, "lost_events", share)


def zip_answers(asana: AsanaEmulator) -> None:
    asana.controls.gzip = True


def delete_fifty_of_the_first_sections(asana: AsanaEmulator) -> None:
    sections = asana.account.listing(asana.account.people[SERVICE], "sections", GULL_ROCK)
    for gid in sections[10:60]:
        asana.account.delete(gid)


def delete_a_task_with_subtasks(asana: AsanaEmulator) -> None:
    account, service = asana.account, asana.account.people[SERVICE]
    tasks = account.listing(service, "tasks", GULL_ROCK)
    account.delete([gid for gid in tasks if account.listing(service, "subtasks", gid)][-1])


def delete_a_project(asana: AsanaEmulator) -> None:
    asana.account.delete(PAINT)


def rotate_refresh_tokens(asana: AsanaEmulator) -> None:
    asana.tokens.rotate_refresh_token = True


def expire_access_tokens(asana: AsanaEmulator) -> None:
    asana.tokens.expire_access_tokens()


def grants_say(term: object) -> Begin:
    """Give this lifetime in seconds with each access token."""

    def begin(asana: AsanaEmulator) -> None:
        asana.tokens.expires_in = term

    return begin


# -- the rows ---------------------------------------------------------------------------------

SERVER_ERRORS = [
    Trouble(
        f"{status} with Asana's JSON, a gateway's page or nothing, once at each endpoint",
        everywhere(status, When(), When(bare=True), When(empty=True)),
    )
    for status in (500, 502, 503, 504)
]
OTHER_STATUSES = [
    Trouble(f"{status}, once at each endpoint", everywhere(status)) for status in (408, 424)
]
BROKEN: tuple[tuple[str, Mishap], ...] = (
    ("a connection reset before the answer", "reset"),
    ("a connection closed in the headers", "cut_headers"),
    ("a connection reset in the body", "reset_body"),
    ("a connection closed in the body", "truncated"),
    ("half of the JSON", "half_json"),
    ("JSON as text/plain", "wrong_type"),
    ("JSON that is not Asana's", "wrong_shape"),
    ("a portal's page with status 200", "portal"),
    ("a redirect", "redirect"),
    ("a body declared as gzip that is not gzip", "bad_gzip"),
)
BROKEN_ANSWERS = [
    Trouble(f"{words}, once at each endpoint", everywhere(kind)) for words, kind in BROKEN
]
TOO_SLOW: tuple[tuple[str, Mishap], ...] = (
    ("a server that hangs", "hang"),
    ("an answer that comes too late", "stall"),
    ("a body that trickles too long", "trickle"),
)
SLOWNESS = [
    Trouble("answers as gzip", zip_answers, costs=0),
    Trouble("an answer that takes half a second", at(TASKS, kind="stall", seconds=0.5), costs=0),
    Trouble(
        "a body that trickles for half a second", at(TASKS, kind="trickle", seconds=0.5), costs=0
    ),
    *(
        Trouble(
            words,
            at(TASKS, kind=kind, seconds=NEVER),
            answer_seconds=1.0,
            patience=5.0,
            costs=1,
            takes_long=True,
        )
        for words, kind in TOO_SLOW
    ),
]
LIMITS = [
    Trouble("429 with seconds", at("/workspaces", kind=429, retry_after=1), costs=1),
    Trouble("429 with a time of the day", wait_for_a_time_of_the_day, costs=1),
    Trouble("429 without a header", at("/workspaces", kind=429), costs=1),
    Trouble("429 as a gateway's page", at("/workspaces", kind=429, bare=True), costs=1),
    Trouble(
        "429 in the middle of a sync",
        at(STORIES, kind=429, retry_after=1, after=20),
        costs=1,
        modes=FROM_NOTHING,
    ),
    Trouble("a quota that is used up", fifty_requests_in_three_seconds, learns_the_quota=True),
]
LASTING = [
    Trouble(
        "500 for the tasks of one project",
        at(TASKS, kind=500, only=GULL_ROCK, times=None),
        errors=dict.fromkeys(OF_TASKS, TRANSIENT),
    ),
    Trouble(
        "resets for the sections of one project",
        at(SECTIONS, kind="reset", only=GULL_ROCK, times=None),
        errors=dict.fromkeys(OF_SECTIONS, TRANSIENT),
    ),
    Trouble(
        "a portal's page for the projects of one workspace",
        at("/projects", kind="portal", only=QUIZ_TEAM, times=None),
        errors=dict.fromkeys(
            ("projects", "events", *OF_SECTIONS, *OF_TASKS, *OF_PROJECTS, *OF_SEVERAL_KINDS),
            TRANSIENT,
        ),
    ),
    Trouble(
        "503 for all portfolios",
        at("/portfolios", kind=503, times=None),
        errors=dict.fromkeys((*OF_PORTFOLIOS, *OF_SEVERAL_KINDS), TRANSIENT),
    ),
    Trouble(
        "500 for all subtasks",
        at(SUBTASKS, kind=500, times=None),
        errors=dict.fromkeys(("subtasks", *OF_STORIES, *OF_ATTACHMENTS), TRANSIENT),
    ),
    Trouble(
        "500 for all events",
        at(EVENTS, kind=500, times=None),
        errors={"events": TRANSIENT},
        modes=INCREMENTAL,
        leaves_old_rows=True,
    ),
    Trouble(
        "redirects of all sections",
        at(SECTIONS, kind="redirect", times=None),
        errors=dict.fromkeys(OF_SECTIONS, TRANSIENT),
    ),
    Trouble("400 for all tags", denied("/tags", 400), errors={"tags": SYSTEM}),
    Trouble(
        "500 for all stories",
        at(STORIES, kind=500, times=None),
        errors=None,  # ten failures in a row may end the sync
        leaves_old_rows=True,
    ),
    Trouble(
        "504 for the list of workspaces",
        at("/workspaces", kind=504, bare=True, times=None),
        errors=dict.fromkeys(PLAYED.keys() - {"organization_exports"}, TRANSIENT),
    ),
    Trouble(
        "a portal's page for everything",
        at(EVERYTHING, kind="portal", times=None),
        errors=dict.fromkeys(PLAYED, TRANSIENT),
    ),
    Trouble(
        "503 for everything after thirty requests",
        at(EVERYTHING, kind=503, times=None, after=30),
        errors=None,  # ten failures in a row end the sync; a stream with fewer may end first
        leaves_old_rows=True,
    ),
    Trouble(
        "one answer in four lost at random, one request in twenty permanently",
        all_of(
            *(
                at(EVERYTHING, kind=kind, times=None, probability=0.06)
                for kind in (500, "reset", "html", "half_json")
            )
        ),
        errors=None,
        leaves_old_rows=True,
    ),
]
PAGES = [
    Trouble("an offset that expires", amid(LATER_PAGES, expire_offsets, after=2), costs=4),
    Trouble("an offset that expires at each next page", expire_one_page_later_each_time),
    Trouble(
        "an offset that expires whenever it is used",
        at(LATER_PAGES, kind="expired_offset", times=None),
        errors=dict.fromkeys(OF_SECTIONS, SYSTEM),
    ),
    Trouble(
        "an offset that expires while all workers wait for the rate limit",
        all_of(
            at(LATER_PAGES, kind=429, retry_after=1, after=2),
            amid(LATER_PAGES, fifteen_minutes_pass, after=2),
        ),
        takes_long=True,
    ),
    Trouble(
        "pages that shrink because records of the first one are deleted",
        amid(LATER_PAGES, delete_fifty_of_the_first_sections, after=1),
        modes=FROM_NOTHING,
    ),
]
CUTS = [
    Trouble(
        "projects with truncated lists of tasks",
        cut("/tasks?project=*", 4),
        modes=FROM_NOTHING,
    ),
    Trouble(
        "projects and sections with truncated lists of tasks",
        cut(TASKS, 4),
        errors=dict.fromkeys(OF_TASKS, SYSTEM),
        modes=FROM_NOTHING,
    ),
    Trouble(
        "tasks with truncated lists of stories",
        cut(STORIES, 4),
        errors=dict.fromkeys(OF_STORIES, SYSTEM),
    ),
]
GONE = [
    Trouble(
        "a task deleted before the records below it are requested",
        amid(STORIES, delete_a_task_with_subtasks),
    ),
    Trouble(
        "a project deleted before the records below it are requested",
        amid(TASKS, delete_a_project),
        leaves_old_rows=True,
    ),
    Trouble(
        "a portfolio deleted before the records below it are requested",
        denied(BLINKS, 404),
        skipped={
            "portfolio_items": 2,
            "project_portfolio_settings": 2,
            "portfolios_memberships": 2,
            "portfolio_memberships": 3,
            "status_updates": 1,
        },
    ),
    Trouble(
        "a team deleted before the records below it are requested",
        denied(LAMPS_AND_LENSES, 404),
        skipped={"team_memberships": 3},
    ),
]
REFUSALS = [
    *(
        Trouble(
            f"{status} for the sections of one project",
            denied(SECTIONS, status, only=GULL_ROCK),
            skipped=dict.fromkeys(OF_SECTIONS, 3),
            modes=FROM_NOTHING,
        )
        for status in (402, 403, 404, 451)
    ),
    Trouble(
        "403 for all of a project",
        denied(GULL_ROCK, 403),
        skipped={
            **dict.fromkeys(OF_SECTIONS, 3),
            "tasks": 7,
            "subtasks": 8,
            **dict.fromkeys(OF_STORIES, 53),
            **dict.fromkeys(OF_ATTACHMENTS, 8),
            **dict.fromkeys(("project_memberships", "allocations", "task_templates", "rates"), 2),
            **dict.fromkeys(("status_updates", "budgets"), 1),
        },
        modes=FROM_NOTHING,
    ),
    Trouble(
        "403 for a workspace",
        denied(QUIZ_TEAM, 403),
        skipped={
            **dict.fromkeys(("tags", "projects", "subtasks", *OF_ATTACHMENTS), 1),
            **dict.fromkeys(("goals", "goal_memberships", "project_templates"), 1),
            **dict.fromkeys(("roles", "ooo_entries"), 1),
            **dict.fromkeys((*OF_SECTIONS, *OF_STORIES), 2),
            **dict.fromkeys(("tasks", "user_task_lists", "workspace_memberships"), 3),
            "project_memberships": 1,
        },
        modes=FROM_NOTHING,
    ),
    *(
        Trouble(
            f"{status} for all sections",
            denied(SECTIONS, status),
            errors=dict.fromkeys(OF_SECTIONS, CONFIG),
        )
        for status in (403, 404, 451)
    ),
    Trouble(
        "402 for all portfolios, as on a smaller plan",
        denied("/portfolios", 402),
        errors=dict.fromkeys(OF_PORTFOLIOS, CONFIG),
        skipped={"custom_field_settings": 12, "status_updates": 1},
    ),
    Trouble(
        "403 for all events",
        denied(EVENTS, 403),
        errors={"events": CONFIG},
        modes=INCREMENTAL,
        leaves_old_rows=True,
    ),
    Trouble("a guest's token", person="restricted", export_ids=(), without=("audit_log_events",)),
    Trouble("an export that does not exist", export_ids=(*EXPORTS, NO_EXPORT)),
    Trouble(
        "404 for all exports",
        denied("/organization_exports/{organization_export_gid}", 404),
        errors={"organization_exports": CONFIG},
    ),
]
ODD_GRANTS: tuple[tuple[str, Mishap], ...] = (
    ("a reset", "reset"),
    ("a gateway's page", "html"),
    ("half of its JSON", "half_json"),
    ("no token", "without_token"),
    ("no lifetime", "without_expiry"),
)
TOKENS = [
    Trouble("an access token that expires", amid(STORIES, expire_access_tokens, after=1)),
    Trouble(
        "a refresh token that is refused at once",
        at(TOKEN_PATH, kind="invalid_grant", times=None),
        errors={THE_SYNC: CONFIG},
    ),
    Trouble(
        "a refresh token that is refused during the sync",
        all_of(
            amid(STORIES, expire_access_tokens, after=1),
            at(TOKEN_PATH, kind="invalid_grant", times=None, after=1),
        ),
        errors={THE_SYNC: CONFIG},
        leaves_old_rows=True,
    ),
    Trouble(
        "a token endpoint that is down",
        at(TOKEN_PATH, kind=503, times=None),
        errors={THE_SYNC: TRANSIENT},
    ),
    Trouble(
        "a token endpoint that goes down",
        all_of(
            amid(STORIES, expire_access_tokens, after=1),
            at(TOKEN_PATH, kind=503, bare=True, times=None, after=1),
        ),
        errors={THE_SYNC: TRANSIENT},
        leaves_old_rows=True,
    ),
    Trouble(
        "a token endpoint that hangs",
        at(TOKEN_PATH, kind="hang", seconds=NEVER, times=None),
        errors={THE_SYNC: TRANSIENT},
        answer_seconds=0.5,
        takes_long=True,
    ),
    Trouble("a token endpoint that is slow", at(TOKEN_PATH, kind="stall", seconds=0.5)),
    *(
        Trouble(f"a token endpoint that gives {words} once", at(TOKEN_PATH, kind=kind))
        for words, kind in ODD_GRANTS
    ),
    Trouble("refresh tokens that are valid once", rotate_refresh_tokens),
    Trouble(
        "refresh tokens that are valid once, and an access token that expires",
        all_of(rotate_refresh_tokens, amid(STORIES, expire_access_tokens, after=1)),
    ),
]
EVENTS_AND_QUOTAS = [
    Trouble(
        "answers that cost more than Asana allows",
        overdraw_the_cost_quota,
        modes=(LATER,),
        takes_long=True,
    ),
    Trouble("events in no order", shuffle_events, modes=INCREMENTAL, costs=0),
    Trouble(
        "sync tokens that are too old",
        at(EVENTS, kind="old_sync_token", times=None),
        modes=(LATER,),
        loses_events=True,
        leaves_old_rows=True,
    ),
    Trouble(
        "sync tokens that are refused with 400",
        at(EVENTS, kind=400, times=None),
        errors={"events": SYSTEM},
        modes=(LATER,),
        leaves_old_rows=True,
    ),
    Trouble(
        "no event arrives",
        lose_events(1.0),
        modes=(LATER,),
        leaves_old_rows=True,
        loses_events=True,
    ),
    Trouble(
        "single events that never arrive",
        lose_events(0.3),
        modes=(LATER,),
        leaves_old_rows=True,
        loses_events=True,
    ),
]
MIXED = [
    Trouble(
        "all transient faults at once",
        all_of(
            one_task_each(
                *(500, 502, 503, 504, 429, "reset", "cut_headers", "reset_body", "truncated"),
                *("half_json", "wrong_type", "wrong_shape", "portal", "bad_gzip", "html"),
            ),
            at("/users", "/attachments", kind=503, bare=True),
            at(LATER_PAGES, kind="expired_offset"),
            amid(SUBTASKS, expire_access_tokens),
        ),
        grow=six_pages_of_sections,
        uses_oauth=True,
        modes=FROM_NOTHING,
        takes_long=True,
    ),
]
CREDENTIALS = [
    *(
        Trouble(f"access tokens with a lifetime of {term!r}", grants_say(term))
        for term in ("0", -1, [3600], 1e300)
    ),
    Trouble(
        "a token endpoint that asks for a pause",
        at(TOKEN_PATH, kind=429, retry_after=1),
        patience=5.0,
        takes_long=True,
    ),
    Trouble(
        "a token endpoint that asks for a longer wait than the patience",
        at(TOKEN_PATH, kind=503, retry_after=1800, times=None),
        errors={THE_SYNC: TRANSIENT},
    ),
    Trouble(
        "refresh tokens that are valid once, and malformed lifetimes",
        all_of(rotate_refresh_tokens, grants_say(None), amid(STORIES, expire_access_tokens)),
    ),
]

ODD_JSON: tuple[tuple[str, str], ...] = (
    ("half an emoji", '"\\ud83d"'),
    ("NaN", "NaN"),
    ("a number beyond any double", "1e999"),
    ("bytes that are not UTF-8", '"caf\xe9"'),
    ("a line break inside a string", '"two\nlines"'),
    ("U+0000", '"\\u0000"'),
)
ODD_LOCATIONS = ("http://proxy/\xe9", "http://[", "http://host:port:1/")
ENDLESS: tuple[tuple[str, Mishap], ...] = (
    ("the same offset on every page", "same_offset"),
    ("two offsets in turn", "two_offsets"),
    ("always new offsets of the same page", "new_offsets"),
    ("always new offsets of empty pages", "empty_pages"),
)
NEXT_PAGES = ("[]", '"again"', "{}", '{"offset":""}', '{"offset":null}')
ODD_WIRE = [
    *(
        Trouble(
            f"{words} in every answer",
            at(
                EVERYTHING,
                kind="rewritten",
                times=None,
                old='{"data":',
                new=f'{{"odd":{value},"data":',
            ),
            costs=0,
        )
        for words, value in ODD_JSON
    ),
    Trouble(
        "a byte order mark before every answer",
        at(
            EVERYTHING,
            kind="rewritten",
            times=None,
            old='{"data":',
            new='\xef\xbb\xbf{"data":',
        ),
        costs=0,
    ),
    Trouble(
        "redirects to an invalid address, once at each endpoint",
        everywhere("redirect", *(When(location=location) for location in ODD_LOCATIONS)),
    ),
    Trouble("a body of 600 MB", at(TASKS, kind="bomb"), costs=1, takes_long=True),
    Trouble(
        "headers that trickle too long",
        at(TASKS, kind="slow_headers", seconds=NEVER),
        answer_seconds=1.0,
        patience=5.0,
        costs=1,
        takes_long=True,
    ),
    *(
        Trouble(
            f"429 with Retry-After: {seconds}",
            at("/workspaces", kind=429, retry_after=seconds),
            costs=1,
            takes_long=True,
        )
        for seconds in ("86400", "-5", "nan", "inf")
    ),
    Trouble("401 once, for a valid token", at("/workspaces", kind=401), costs=2, takes_long=True),
    Trouble(
        "401 for the sections of one project, with a valid token",
        at(SECTIONS, kind=401, only=GULL_ROCK, times=None),
        skipped=dict.fromkeys(OF_SECTIONS, 3),
        modes=FROM_NOTHING,
        takes_long=True,
    ),
    *(
        Trouble(
            words,
            at(SECTIONS, kind=kind, only=GULL_ROCK, times=None),
            errors=dict.fromkeys(OF_SECTIONS, SYSTEM),
        )
        for words, kind in ENDLESS
    ),
    Trouble(
        "five empty pages before the sections of one project",
        at(SECTIONS, kind="hidden_page", only=GULL_ROCK, times=5),
        costs=5,
    ),
    *(
        Trouble(
            f"next_page {value}, once at each endpoint",
            everywhere("rewritten", When(old='"next_page":null', new=f'"next_page":{value}')),
        )
        for value in NEXT_PAGES
    ),
    Trouble(
        "next_page [] for the sections of one project",
        at(
            SECTIONS,
            kind="rewritten",
            only=GULL_ROCK,
            times=None,
            old='"next_page":null',
            new='"next_page":[]',
        ),
        errors=dict.fromkeys(OF_SECTIONS, TRANSIENT),
    ),
    Trouble(
        "412 without a sync token for the events of one project",
        at(EVENTS, kind=412, only=GULL_ROCK, times=None),
        errors={"events": SYSTEM},
        modes=INCREMENTAL,
        leaves_old_rows=True,
    ),
    Trouble(
        "events that do not end, of one project",
        at(EVENTS, kind="same_sync_token", only=GULL_ROCK, times=None),
        errors={"events": SYSTEM},
        modes=(LATER,),
        leaves_old_rows=True,
    ),
]
BIG_PAGES = [
    Trouble(
        "pages of more than 20 records that time out at a gateway",
        at(EVERYTHING, kind=504, times=None, above_limit=20, bare=True),
    ),
    Trouble(
        "later pages of more than 20 records that time out",
        at(LATER_PAGES, kind=504, times=None, above_limit=20),
    ),
    Trouble(
        "later pages of more than 20 records that time out, with offsets for any limit",
        all_of(
            offsets_for_any_limit,
            at(LATER_PAGES, kind=504, times=None, above_limit=20, after=2),
        ),
    ),
    Trouble(
        "pages of more than 20 records that come too late",
        at(SECTIONS, kind="stall", times=None, above_limit=20, seconds=NEVER),
        answer_seconds=0.2,
        takes_long=True,
    ),
    Trouble(
        "sections for which Asana is too slow at any page size",
        at(SECTIONS, kind=504, times=None),
        errors=dict.fromkeys(OF_SECTIONS, TRANSIENT),
    ),
]

ODD_RECORDS = [
    Trouble(
        "entries that are not records, on every page",
        odd(EVERYTHING, with_entries(None, "task", 7, {}, {"gid": None}, {"name": "Odd"})),
    ),
    Trouble("each entry twice, on every page", odd(EVERYTHING, repeated)),
    Trouble("gids that are numbers, on every page", odd(EVERYTHING, with_numeric_gids), costs=0),
    Trouble(
        "no workspace, as for a user who was removed",
        odd("/workspaces", lambda _: []),
        errors=dict.fromkeys(PLAYED.keys() - {"organization_exports"}, CONFIG),
    ),
    Trouble(
        "subtasks that are below themselves",
        list_a_subtask_below_itself,
        grow=two_levels_of_subtasks,
    ),
    Trouble(
        "portfolios that Asana lists only with an owner",
        demand_an_owner_of_portfolios,
        person="member",
        export_ids=(),
        without=("audit_log_events",),
    ),
]

TROUBLES = [
    Trouble("nothing", costs=0),
    *ODD_WIRE,
    *SERVER_ERRORS,
    *OTHER_STATUSES,
    *BROKEN_ANSWERS,
    *SLOWNESS,
    *(replace(trouble, takes_long=True) for trouble in LIMITS),
    *LASTING,
    *(replace(trouble, grow=six_pages_of_sections) for trouble in PAGES),
    *(replace(trouble, grow=six_pages_of_sections) for trouble in BIG_PAGES),
    *CUTS,
    *GONE,
    *REFUSALS,
    *(replace(trouble, uses_oauth=True) for trouble in (*TOKENS, *CREDENTIALS)),
    *EVENTS_AND_QUOTAS,
    *MIXED,
    *ODD_RECORDS,
]
