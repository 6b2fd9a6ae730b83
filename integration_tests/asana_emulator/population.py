"""Accounts in three sizes, the same for the same seed."""

from dataclasses import dataclass
from itertools import product

from .account import Account, Clock
from .bulk import HISTORY_END, HISTORY_START, Block, Bulk, Surroundings
from .company import Company
from .objects import (
    CustomField,
    CustomFieldSetting,
    EnumOption,
    Goal,
    Portfolio,
    Project,
    Tag,
    Team,
    TeamMembership,
    User,
    Workspace,
)

_FIRST_NAMES = (
    "Ada",
    "Björk",
    "Chidi",
    "Dolores",
    "Émile",
    "Fatima",
    "Grzegorz",
    "Ηλέκτρα",
    "Ingrid",
    "真央",
)
_LAST_NAMES = (
    "Acheampong", "Brandywine", "Castellanos", "Duvall", "Eriksen", "Fairweather",
    "Gulliksen", "Haddad", "Ito", "Jankowski", "Kowalczyk", "Lighthouse",
)  # fmt: skip
_COLORS = ("dark-pink", "light-green", "dark-blue", None, "light-warm-gray")
_FOUNDED = "2024-01-15T09:00:00.000Z"
_AUDITED = ("user_login_succeeded", "workspace_export_started", "user_logged_out")
_BUSY = 24  # people who get tasks assigned
FEWEST_TASKS = 250
MENU_OPTIONS = 500
"""Asana's maximum: https://developers.asana.com/reference/createenumoptionforcustomfield"""


@dataclass(frozen=True)
class _Size:
    """Sizes of the regular projects; the first two hold nothing but their own tasks."""

    plain: tuple[int, ...]
    projects: int
    tasks: int


_SIZES = {
    "sample": None,
    "small": _Size(plain=(100, 101), projects=24, tasks=4_800),
    "large": _Size(plain=(100, 101), projects=600, tasks=299_800),
}


def _of(tasks: int, in_each: int) -> _Size:
    """Split tasks into projects of about the same size."""
    return _Size(plain=(100, 101), projects=max(1, tasks // in_each), tasks=tasks - 201)


def make_account(
    size: str | int = "sample",
    seed: int = 1,
    clock: Clock | None = None,
    *,
    menus: int = 0,
    in_each: int = 500,
) -> Account:
    """An account of size `sample` (to read), `small` (5,000 tasks) or `large` (300,000 tasks).

    A number is one of tasks, at least FEWEST_TASKS; a few dozen others are always there too.
    Its projects are of about `in_each` tasks, as those of `large`. `menus`: how many custom fields
    with MENU_OPTIONS options each project has, which every task repeats: about 6 MB in a page of
    100 tasks for each of them.
    """
    if isinstance(size, int) and size < FEWEST_TASKS:
        message = f"an account has at least {FEWEST_TASKS} tasks, not {size}"
        raise ValueError(message)
    present = clock or Clock()
    if present.now() < HISTORY_END:
        message = f"the account's history ends on {HISTORY_END.to_date_string()}"
        raise ValueError(message)
    company = Company(seed)
    account = company.tell()
    regular = _of(size, in_each) if isinstance(size, int) else _SIZES[size]
    if regular:
        _Bureau(company, seed, menus).fill(regular)
        account.events.entries.clear()
    account.clock = present
    return account


class _Bureau:
    """A second organization with hundreds of everything."""

    def __init__(self, company: Company, seed: int, menus: int) -> None:
        self._company = company
        self._holdings = company.holdings
        self._seed = seed
        self._menus = menus
        self._gid = company.holdings.new_gid("workspace")

    def fill(self, size: _Size) -> None:
        self._holdings.add(
            Workspace(
                gid=self._gid,
                name="Bureau of Very Regular Work",
                is_organization=True,
                email_domains=["regular.example"],
            )
        )
        people = self._hire()
        teams = self._form_teams(people)
        tags = self._make_tags(people)
        fields = self._define_fields(people[0])
        blocks = self._start_projects(size, people, teams, fields)
        projects = [block.project for block in blocks]
        self._gather(people[0], projects)
        ref = self._company.account.shapes.ref
        busy = tuple(people[:_BUSY])
        around = Surroundings(
            workspace=self._gid,
            people=busy,
            tags=tuple(tags[:3]),
            names={gid: ref(gid) for gid in (*busy, *projects)},
        )
        self._holdings.bulk = Bulk(self._seed, blocks, around)
        self._write_long_lists(projects[-1])
        self._write_long_records(people[0], projects)

    def _hire(self) -> list[str]:
        """Greta and the service account, and 120 others, one of whom has not joined yet."""
        known = [self._company.user[key] for key in ("greta", "warehouse")]
        names = [f"{first} {last}" for last, first in product(_LAST_NAMES, _FIRST_NAMES)]
        hired = []
        for number, name in enumerate(names):
            gid = self._holdings.new_gid("user")
            joined = number != len(names) - 1
            user = User(
                gid=gid,
                name=name if joined else None,
                email=f"employee.{number}@regular.example",
                has_photo=number % 3 == 0,
            )
            self._holdings.add(user)
            hired.append(gid)
        workspace = self._holdings.own(Workspace, self._gid)
        workspace.members += known + hired
        workspace.guests.update(hired[-5:])
        return known + hired

    def _form_teams(self, people: list[str]) -> list[str]:
        everybody = self._team("Everybody", people)
        rest = [self._team(f"Department {letter}", people[:7]) for letter in "ABCDE"]
        return [everybody, *rest, self._team("Department 0", people[5:9], visibility="secret")]

    def _team(self, name: str, people: list[str], visibility: str = "request_to_join") -> str:
        team = Team(
            gid=self._holdings.new_gid("team"),
            name=name,
            organization=self._gid,
            visibility=visibility,
        )
        self._holdings.add(team, ("team", self._gid))
        for number, user in enumerate(people):
            membership = TeamMembership(
                gid=self._holdings.new_gid("team_membership"),
                team=team.gid,
                user=user,
                is_admin=number == 0,
            )
            self._holdings.add(membership, ("team_membership", team.gid))
        return team.gid

    def _make_tags(self, people: list[str]) -> list[str]:
        tags = []
        for number in range(101):
            tag = Tag(
                gid=self._holdings.new_gid("tag"),
                workspace=self._gid,
                name=f"form {number}b",
                created_at=_FOUNDED,
                color=_COLORS[number % len(_COLORS)],
                followers=people[number % 4 : number % 4 + number % 3],
            )
            self._holdings.add(tag, ("tag", self._gid))
            tags.append(tag.gid)
        return tags

    def _define_fields(self, creator: str) -> tuple[CustomField, ...]:
        priority = self._field("Priority", "enum", creator)
        priority.options += [
            EnumOption(gid=self._holdings.new_gid("enum_option"), name=name, color=color)
            for name, color in (("High", "red"), ("Medium", "orange"), ("Low", "blue"))
        ]
        weight = self._field("Weight", "number", creator)
        weight.precision = 2
        where = self._field("Where", "text", creator)
        menus = [self._menu(f"Menu {number + 1}", creator) for number in range(self._menus)]
        return priority, weight, where, *menus

    def _menu(self, name: str, creator: str) -> CustomField:
        menu = self._field(name, "enum", creator)
        menu.options += [
            EnumOption(
                gid=self._holdings.new_gid("enum_option"),
                name=f"{name}, choice number {number + 1}",
                color=_COLORS[number % len(_COLORS)] or "none",
            )
            for number in range(MENU_OPTIONS)
        ]
        return menu

    def _field(self, name: str, subtype: str, creator: str) -> CustomField:
        field = CustomField(
            gid=self._holdings.new_gid("custom_field"),
            workspace=self._gid,
            name=name,
            subtype=subtype,
            representation=subtype,
            created_by=creator,
        )
        self._holdings.add(field, ("custom_field", self._gid))
        return field

    def _start_projects(
        self, size: _Size, people: list[str], teams: list[str], fields: tuple[CustomField, ...]
    ) -> list[Block]:
        counts = [*size.plain, *_shares(size.tasks, size.projects)]
        blocks: list[Block] = []
        first = 0
        for number, count in enumerate(counts):
            is_plain = number < len(size.plain)
            owner = people[number % _BUSY]
            project = self._company.account.create_project(
                self._gid,
                f"Exactly {count}" if is_plain else f"Volume {number}: {count} matters",
                by=owner,
                sections=[
                    f"Shelf {shelf}" for shelf in range(1, (count if number == 1 else 4) + 1)
                ],
                team=teams[number % len(teams)],
                color=_COLORS[number % len(_COLORS)],
                archived=number % 8 == 5,  # one in eight
                privacy_setting="private" if number % 10 == 7 else "public_to_workspace",
            )
            if not is_plain:
                self._use(project, fields)
            sections = tuple(self._holdings.children("section", project))
            blocks.append(
                Block(
                    project=project,
                    sections=sections,
                    first=first,
                    count=count,
                    fields=() if is_plain else fields,
                    plain=is_plain,
                )
            )
            first += count
        return blocks

    def _use(self, project: str, fields: tuple[CustomField, ...]) -> None:
        for field in fields:
            setting = CustomFieldSetting(
                gid=self._holdings.new_gid("custom_field_setting"),
                custom_field=field.gid,
                parent=project,
                project=project,
            )
            self._holdings.add(setting)
            self._holdings.own(Project, project).settings.append(setting.gid)

    def _gather(self, owner: str, projects: list[str]) -> None:
        portfolio = Portfolio(
            gid=self._holdings.new_gid("portfolio"),
            name="All volumes",
            workspace=self._gid,
            owner=owner,
            created_at=_FOUNDED,
            members={owner: "admin"},
        )
        self._holdings.add(portfolio, ("portfolio", self._gid))
        self._holdings.list_of("item", portfolio.gid).extend(projects)

    def _write_long_lists(self, project: str) -> None:
        """Lists that end at a page boundary, and one record after it."""
        account = self._company.account
        for count in (100, 101):
            self._company.later()
            task = account.create_task(project, f"Say it {count} times")
            for time in range(count - len(self._holdings.children("story", task))):
                account.comment(task, f"This is the time number {time + 1}.")
            task = account.create_task(project, f"Prove it in {count} pictures and {count} steps")
            for number in range(1, count + 1):
                account.attach(task, f"Exhibit {number}.png")
                account.add_subtask(task, f"Step {number}")

    def _write_long_records(self, owner: str, projects: list[str]) -> None:
        """Lists of two pages and more about projects, goals, hours and who did what."""
        account, later = self._company.account, self._company.later
        task = self._holdings.children("task", projects[-1])[-1]
        for number in range(1, 102):
            later()
            account.post_status(projects[2], f"Report no. {number}", text="All in order.", by=owner)
            goal = Goal(
                gid=self._holdings.new_gid("goal"),
                name=f"Resolution no. {number}",
                workspace=self._gid,
                owner=owner,
                members={owner: "editor"},
            )
            self._holdings.add(goal, ("goal", self._gid))
        for number in range(205):
            day = HISTORY_START.add(days=number).to_date_string()
            account.log_time(task, 1 + number % 60, day, by=owner)
        for number in range(250):
            later()
            account.audit(self._gid, _AUDITED[number % len(_AUDITED)], by=owner)


def _shares(total: int, count: int) -> list[int]:
    """Split a total into unequal integers."""
    even, rest = divmod(total, count)
    swing = even // 3
    parts = [even + (swing if number % 2 else -swing) for number in range(count)]
    parts[-1] += rest + (swing if count % 2 else 0)
    return parts
