"""An account small enough to read: a company that repairs lighthouses, and its quiz team.

Written as a history: every object is made by the same changes that tests make, on a clock that
runs from the company's first day.
"""

from collections.abc import Callable
from typing import Any

from .account import ASANA, Account
from .bulk import HISTORY_START
from .clock import Clock, stamp
from .gids import gid_of
from .holdings import Holdings
from .objects import (
    Allocation,
    CustomField,
    CustomFieldSetting,
    EnumOption,
    Goal,
    GoalRelationship,
    OrganizationExport,
    Plain,
    Portfolio,
    Project,
    ProjectBrief,
    ProjectTemplate,
    Record,
    Role,
    StatusUpdate,
    Story,
    Tag,
    Task,
    TaskTemplate,
    Team,
    TeamMembership,
    TimePeriod,
    User,
    Workspace,
)
from .shapes import html
from .visibility import Viewer

_HOUR = 3600
_FIRST_SETTING_OF_GOALS = 900_000_000
_PERMISSIONS = (
    "assign_roles",
    "create_and_edit_ai_automations",
    "create_and_edit_ai_teammates",
    "create_app_authorization",
    "create_global_custom_fields",
    "create_goal",
    "create_pat_authorization",
    "create_portfolio",
    "create_project",
    "create_read_only_link",
    "create_team",
    "download_mobile_attachments",
    "export_project_data",
    "import_data",
    "manage_roles",
    "proactive_ai",
    "share_goal_with_domain",
    "share_portfolios_with_org",
    "share_teams_with_org",
    "standard_ai",
    "upload_attachments",
    "view_public_teams",
    "view_shared_with_org_portfolios",
    "view_shared_with_org_projects",
    "view_shared_with_org_tasks",
)
"""What a role permits or not."""


class Company:
    """Plays the history step by step, and keeps by name what later steps need."""

    def __init__(self, seed: int) -> None:
        self.clock = Clock(HISTORY_START)
        self.holdings = Holdings()
        self.account = Account(self.holdings, self.clock)
        self._pace = seed
        self.user: dict[str, str] = {}
        self.field: dict[str, str] = {}
        self.option: dict[str, str] = {}
        self.tag: dict[str, str] = {}
        self.project: dict[str, str] = {}
        self.organization = ""
        self.quiz_team = ""
        self.goal: dict[str, str] = {}
        self.portfolio: dict[str, str] = {}

    def tell(self) -> Account:
        """The whole history."""
        self._found_workspaces()
        self._hire()
        self._form_teams()
        self._define_fields()
        self._make_tags()
        self._start_projects()
        self._relight_gull_rock()
        self._paint_stripes()
        self._keep_secrets()
        self._sing()
        self._quiz()
        self._report()
        self._gather_portfolios()
        self._ask_for_exports()
        self._meanwhile(
            self._set_goals,
            self._welcome,
            self._tell_how_it_goes,
            self._write_hours_down,
            self._make_templates,
            self._audit,
            self._assign_roles,
            self._plan_money_and_absences,
            self._talk_about_goals,
        )
        self.account.events.entries.clear()
        return self.account

    def _meanwhile(self, *chapters: Callable[[], None]) -> None:
        """Run steps that take no time: afterwards the clock is where it was."""
        clock, pace = self.clock, self._pace
        self.clock = self.account.clock = Clock(clock.now())
        for chapter in chapters:
            chapter()
        self.clock = self.account.clock = clock
        self._pace = pace

    def later(self) -> str:
        """Let some hours pass; return the new time as Asana writes it."""
        self._pace = (self._pace * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
        self.clock.advance(
            _HOUR + (self._pace >> 33) % (17 * _HOUR) + (self._pace >> 20) % 1000 / 1000
        )
        return stamp(self.clock.now())

    # -- people -----------------------------------------------------------------------------------

    def _found_workspaces(self) -> None:
        self.organization = self.holdings.new_gid("workspace")
        self.quiz_team = self.holdings.new_gid("workspace")
        self.holdings.add(
            Workspace(
                gid=self.organization,
                name="Otter & Daughters Lighthouse Repairs",
                is_organization=True,
                email_domains=["otter-lights.example", "otterundtoechter.example"],
            )
        )
        self.holdings.add(
            Workspace(gid=self.quiz_team, name="The Thursday Quizzards", is_organization=False)
        )

    def _hire(self) -> None:
        everywhere = (self.organization, self.quiz_team)
        self._person("greta", "Greta Otter", *everywhere)
        self._person("warehouse", "Warehouse (service account)", *everywhere, photo=False)
        self._person("anselm", "Anselm Okonkwo-Þórsson", *everywhere)
        self._person("yui", "田中 結衣", self.organization)
        self._person("pilar", "Pilar Montoya", self.organization, guest=True)
        self._person("invited", None, self.organization, photo=False)
        self._person("stranger", "Nobody Inparticular")
        member, service = (
            Viewer(self.user["greta"]),
            Viewer(self.user["warehouse"], service_account=True),
        )
        self.account.people |= {
            "member": member,
            "service": service,
            "restricted": Viewer(self.user["pilar"]),
            "outsider": Viewer(self.user["stranger"]),
        }
        self.account.actor = self.user["greta"]

    def _person(
        self, key: str, name: str | None, *workspaces: str, guest: bool = False, photo: bool = True
    ) -> None:
        gid = self.holdings.new_gid("user")
        self.user[key] = gid
        self.holdings.add(
            User(gid=gid, name=name, email=f"{key}@otter-lights.example", has_photo=photo)
        )
        for workspace in workspaces:
            container = self.holdings.own(Workspace, workspace)
            container.members.append(gid)
            if guest:
                container.guests.add(gid)

    def _form_teams(self) -> None:
        self.lamps = self._team(
            "Lamps & Lenses", "We keep the light on.", {"greta": "admin", "anselm": "", "yui": ""}
        )
        self.paint = self._team(
            "Paint", "Red, white, red, white.", {"yui": "admin", "pilar": "guest"}
        )
        self.secret = self._team(
            "Surprise parties 🤫", "", {"anselm": "admin"}, visibility="secret"
        )

    def _team(self, name: str, description: str, members: dict[str, str], **fields: Any) -> str:
        gid = self.holdings.new_gid("team")
        team = Team(
            gid=gid, name=name, organization=self.organization, description=description, **fields
        )
        team.endorsed = name.startswith("Lamps")
        team.admins_only = team.visibility == "secret"
        self.holdings.add(team, ("team", self.organization))
        for key, role in members.items():
            membership = TeamMembership(
                gid=self.holdings.new_gid("team_membership"),
                team=gid,
                user=self.user[key],
                is_admin=role == "admin",
                is_guest=role == "guest",
                is_limited_access=role == "guest",
            )
            self.holdings.add(membership, ("team_membership", gid))
        return gid

    # -- vocabulary -------------------------------------------------------------------------------

    def _define_fields(self) -> None:
        self._enum(
            "Urgency", "enum", {"Ships may sink": "red", "This week": "yellow", "Whenever": "blue"}
        )
        self._enum(
            "Weather needed",
            "multi_enum",
            {"Calm sea": "aqua", "No fog": "cool-gray", "Any": "green"},
        )
        self._define("Cost", "number", 1234.5, precision=2, format="currency", currency_code="EUR")
        self._define("Progress", "number", 0.25, precision=0, format="percentage")
        self._define(
            "Height",
            "number",
            31.5,
            precision=1,
            format="custom",
            custom_label="fathoms",
            custom_label_position="suffix",
        )
        self._define(
            "Cost per fathom",
            "number",
            39.19,
            representation="formula",
            precision=2,
            is_read_only=True,
        )
        self._define(
            "Lens maker", "text", "Barbier & Fenestre, Paris", asana_created_field="account_name"
        )
        self._define(
            "Next inspection",
            "date",
            {"date": "2026-09-14", "date_time": "2026-09-14T08:30:00.000Z"},
        )
        self._define("Climbers", "people", [self.user["yui"]])
        self._define(
            "Ticket",
            "text",
            "LAMP-1",
            representation="custom_id",
            id_prefix="LAMP",
            is_read_only=True,
        )
        self._define("Belongs to", "reference", None, input_restrictions=["task", "project"])
        self._define(
            "Hazard pay",
            "number",
            12,
            precision=0,
            privacy_setting="private",
            created_by=self.user["anselm"],
        )
        person = self.holdings.own(User, self.user["greta"])
        person.custom_fields = [gid for key, gid in self.field.items() if key != "Hazard pay"]

    def _define(self, name: str, subtype: str, initial_value: Any, **fields: Any) -> CustomField:
        defaults: Record = {
            "representation": subtype,
            "created_by": self.user["greta"],
            "description": f"{name}, as written in the logbook",
            "has_notifications": subtype == "date",
        }
        field = CustomField(
            gid=self.holdings.new_gid("custom_field"),
            workspace=self.organization,
            name=name,
            subtype=subtype,
            initial_value=initial_value,
            **(defaults | fields),
        )
        self.holdings.add(field, ("custom_field", self.organization))
        self.field[name] = field.gid
        return field

    def _enum(self, name: str, subtype: str, colors: dict[str, str]) -> None:
        field = self._define(name, subtype, None)
        for option, color in colors.items():
            self.option[option] = self.holdings.new_gid("enum_option")
            field.options.append(EnumOption(gid=self.option[option], name=option, color=color))
        field.options[-1].enabled = False
        first = field.options[0].gid
        field.initial_value = first if subtype == "enum" else [first]

    def _make_tags(self) -> None:
        self._tag("slippery", self.organization, "dark-red", "Wear the good boots.")
        self._tag("needs biscuits", self.organization, None, "")
        self._tag("müde", self.quiz_team, "light-purple", "")

    def _tag(self, name: str, workspace: str, color: str | None, notes: str) -> None:
        self.tag[name] = self.holdings.new_gid("tag")
        tag = Tag(
            gid=self.tag[name],
            workspace=workspace,
            name=name,
            created_at=self.later(),
            color=color,
            notes=notes,
            followers=[self.user["greta"]],
        )
        self.holdings.add(tag, ("tag", workspace))

    # -- projects ---------------------------------------------------------------------------------

    def _start_projects(self) -> None:
        self.later()
        self.project["gull rock"] = self._start(
            "Re-light Gull Rock",
            "Broken lens",
            "On the ladder",
            "Shining",
            team=self.lamps,
            color="light-orange",
            icon="light_bulb",
            default_view="board",
            notes="The lamp went out on Tuesday.\nThe gulls have not stopped laughing since.",
            start_on="2024-01-15",
            due_on="2026-10-01",
            brief=self.holdings.new_gid("project_brief"),
            template=_named(
                "project_template", self.holdings.new_gid("project_template"), "Dark lighthouse"
            ),
        )
        self.project["stripes"] = self._start(
            "Paint the stripes, straight this time",
            "Red",
            "White",
            team=self.paint,
            color="dark-red",
            privacy_setting="private_to_team",
            icon="ribbon",
            members={
                self.user["greta"]: "admin",
                self.user["yui"]: "editor",
                self.user["pilar"]: "commenter",
            },
        )
        self.project["party"] = self._start(
            "Greta's birthday (do NOT tell Greta)", "Cake", by="anselm",
            team=self.secret, privacy_setting="private",
        )  # fmt: skip
        self.project["choir"] = self._start(
            "Foghorn choir 2024",
            "Low notes",
            "Lower notes",
            team=self.lamps,
            default_view="calendar",
        )
        self.project["someday"] = self._start("Someday, maybe, after tea", team=self.lamps)
        self.project["quiz"] = self._start(
            "Road to the Pub Quiz final", "To learn", "Learnt", workspace=self.quiz_team, team=None
        )
        belongs = self.holdings.own(CustomField, self.field["Belongs to"])
        belongs.initial_value = [self.project["choir"]]
        self._use_field("project", self.project["gull rock"], *self.field)
        self._use_field("project", self.project["stripes"], "Urgency")
        self._use_field("team", self.lamps, *self.field)

    def _start(
        self, name: str, *sections: str, by: str = "greta", workspace: str = "", **fields: Any
    ) -> str:
        self.later()
        return self.account.create_project(
            workspace or self.organization,
            name,
            sections=sections or ("Untitled section",),
            by=self.user[by],
            **fields,
        )

    def _use_field(self, kind: str, container: str, *names: str) -> None:
        holder: Project | Team | Portfolio | Goal
        match kind:
            case "project":
                holder = self.holdings.own(Project, container)
            case "team":
                holder = self.holdings.own(Team, container)
            case "goal":
                holder = self.holdings.own(Goal, container)
            case _:
                holder = self.holdings.own(Portfolio, container)
        for number, name in enumerate(names, start=_FIRST_SETTING_OF_GOALS):
            setting = CustomFieldSetting(
                gid=gid_of("custom_field_setting", number)
                if kind == "goal"
                else self.holdings.new_gid("custom_field_setting"),
                custom_field=self.field[name],
                parent=container,
                project=self.project["gull rock"],
                is_important=name == "Urgency",
            )
            self.holdings.add(setting)
            holder.settings.append(setting.gid)

    def _all_values(self) -> Record:
        return {
            self.field["Urgency"]: self.option["Ships may sink"],
            self.field["Weather needed"]: [self.option["Calm sea"], self.option["No fog"]],
            self.field["Cost"]: 18499.99,
            self.field["Progress"]: 0.4,
            self.field["Height"]: 17.3,
            self.field["Cost per fathom"]: 1069.36,
            self.field["Lens maker"]: "Chance Brothers, Smethwick",
            self.field["Next inspection"]: {
                "date": "2026-08-01",
                "date_time": "2026-08-01T06:00:00.000Z",
            },
            self.field["Climbers"]: [self.user["yui"], self.user["anselm"]],
            self.field["Ticket"]: "LAMP-7",
            self.field["Belongs to"]: [self.project["choir"]],
            self.field["Hazard pay"]: 25,
        }

    def _whole_numbers(self) -> Record:
        """According to Asana's reference, stories have integers."""
        numbers = {"Cost": 18500, "Progress": 1, "Height": 17, "Cost per fathom": 1088}
        return {self.field[name]: number for name, number in numbers.items()}

    def _section(self, project: str, position: int) -> str:
        return self.holdings.children("section", self.project[project])[position]

    def _task(self, project: str, name: str, **fields: Any) -> str:
        self.later()
        by = self.user[fields.pop("by", "greta")]
        section = self._section(project, fields.pop("section", 0))
        return self.account.create_task(
            self.project[project], name, section=section, by=by, **fields
        )

    def _subtask(self, parent: str, name: str, **fields: Any) -> str:
        self.later()
        return self.account.add_subtask(parent, name, by=self.user["yui"], **fields)

    # -- what happened ----------------------------------------------------------------------------

    def _relight_gull_rock(self) -> None:
        lens = self._grind_lens()
        self._mount_lamp(lens)
        self._climb_ladder(lens)
        for name in (
            "Apologise to the gulls",
            "Count the steps (they never add up)",
            "Oil the door",
        ):
            self._task("gull rock", name, section=1)
        self._task("gull rock", "Empty the tea caddy", tags=[self.tag["needs biscuits"]], section=2)

    def _grind_lens(self) -> str:
        """A task with every kind of change."""
        account, user = self.account, self.user
        lens = self._task(
            "gull rock", "Grind the new lens", notes="Patience & <sand>.", due_on="2026-07-01",
            start_on="2026-06-01", assignee_status="today", actual_time_minutes=1920,
            likes=[user["yui"], user["warehouse"], user["greta"]],
            external={"gid": "lens-42", "data": '{"oven": 3}'},
        )  # fmt: skip
        ref, task_ref = account.shapes.ref, account.shapes.task_ref
        steps = self._steps(lens)
        project, tag = ref(self.project["gull rock"]), ref(self.tag["slippery"])
        steps("added_to_project", f"added to {project['name']}", project=project)
        self._then(lens, assignee=user["yui"])
        self._then(lens, assignee=None)
        self._then(lens, assignee=user["anselm"])
        self._then(lens, name="Grind the new lens (the old one is a doorstop now)")
        self._then(lens, notes="Patience & <sand>. And more sand.")
        self._then(lens, due_on="2026-07-14")
        steps(
            "due_date_changed",
            "changed the due date to the hour",
            source="mobile",
            old_dates={"start_on": "2026-06-01", "due_at": None, "due_on": "2026-07-14"},
            new_dates={
                "start_on": "2026-06-02",
                "due_at": "2026-07-14T15:00:00.000Z",
                "due_on": "2026-07-14",
            },
        )
        steps(
            "due_date_changed",
            "moved the hour",
            old_dates={
                "start_on": "2026-06-02",
                "due_at": "2026-07-14T15:00:00.000Z",
                "due_on": "2026-07-14",
            },
            new_dates={
                "start_on": "2026-06-02",
                "due_at": "2026-07-14T16:30:00.000Z",
                "due_on": "2026-07-14",
            },
        )
        self.later()
        account.move_to_section(lens, self._section("gull rock", 1))
        self._then(lens, tags=[self.tag["slippery"], self.tag["needs biscuits"]])
        steps("added_to_tag", f"added to {tag['name']}", tag=tag)
        steps("follower_added", "added Anselm", follower=ref(user["anselm"]))
        steps("due_today", "this task is due today", source="unknown", by=ASANA)
        self._fill_in(lens)
        comment = self._talk(lens)
        steps("comment_liked", "liked your comment", story=self._story_ref(comment))
        steps("duplicated", "duplicated task from another one", duplicated_from=task_ref(lens))
        steps("marked_duplicate", "marked as a duplicate", duplicate_of=task_ref(lens))
        steps("mentioned", "mentioned this task in another task", task=task_ref(lens))
        steps("attachment_liked", "liked an attachment", source="api")
        self.later()
        account.attach(lens, "Sketch on a napkin.jpg")
        account.attach(lens, "Lens drawings, final (2) REAL final.pdf", host="gdrive")
        account.attach(lens, "Sand supplier", host="external")
        account.attach(lens, "Measurements", host="dropbox")
        self.later()
        account.complete(lens, by=user["anselm"])
        return lens

    def _fill_in(self, task: str) -> None:
        """Gives every custom field a value, and then another one."""
        self._then(task, custom_fields=self._all_values() | self._whole_numbers())
        field, option = self.field, self.option
        self._then(
            task,
            custom_fields={
                field["Urgency"]: option["This week"],
                field["Weather needed"]: [option["Any"]],
                field["Cost"]: 20000,
                field["Lens maker"]: "Ourselves, as it turns out",
                field["Next inspection"]: {"date": "2026-08-15", "date_time": None},
                field["Climbers"]: [self.user["anselm"]],
            },
        )
        self._then(
            task,
            custom_fields={
                field["Next inspection"]: {
                    "date": "2026-08-16",
                    "date_time": "2026-08-16T06:00:00.000Z",
                },
            },
        )

    def _talk(self, task: str) -> str:
        """Comments with everything that a comment can have. Returns the gid of the first."""
        user = self.user
        self.later()
        first = self.account.comment(
            task,
            "It is round! Mostly.",
            by=user["anselm"],
            likes=[user["greta"], user["warehouse"]],
            is_pinned=True,
            sticker_name="splashing_narwhal",
            source="mobile",
            reactions=[{"emoji_base": "👍", "variant": "👍🏽", "count": 2, "reacted": False}],
        )
        self.later()
        link = "https://asana.slack.com/archives/LENS/12345678"
        self.account.comment(
            task, f"See {link}", by=user["yui"], source="email",
            previews=[
                {
                    "fallback": f"Yui: Did you use the good sand? {link}",
                    "footer": "Mar 17, 2024 1:25 PM",
                    "header": "Asana for Slack",
                    "header_link": "https://asana.com/apps/slack",
                    "html_text": "<body>Did you use the <em>good</em> sand?</body>",
                    "text": "Did you use the good sand?",
                    "title": "Yui",
                    "title_link": link,
                }
            ],
        )  # fmt: skip
        self.later()
        long = "Day and night we grind. " * 400
        self.account.edit_comment(self.account.comment(task, "We grind."), long)
        return first

    def _mount_lamp(self, lens: str) -> None:
        account, user = self.account, self.user
        mount = self._task(
            "gull rock",
            "Mount the lamp",
            section=1,
            values=self._all_values(),
            start_at="2026-08-03T05:00:00.000Z",
            start_on="2026-08-03",
            due_at="2026-08-05T21:00:00.000Z",
            due_on="2026-08-05",
            custom_type=_named("custom_type", self.holdings.new_gid("custom_type"), "Night shift"),
            custom_type_status_option=_named(
                "custom_type_status_option",
                self.holdings.new_gid("custom_type_status_option"),
                "Waiting for the tide",
            ),
        )
        self.later()
        account.depend(mount, lens)
        self._then(mount, assignee=user["yui"], resource_subtype="milestone")
        self._then(mount, resource_subtype="custom")
        approval = self._task(
            "gull rock", "Does the Coast Guard like it?", resource_subtype="approval",
            approval_status="pending", assignee=user["greta"],
        )  # fmt: skip
        self._then(approval, approval_status="changes_requested")
        self._then(approval, approval_status="approved", completed=True)
        self.later()
        account.add_to_project(mount, self.project["someday"])
        account.remove_from_project(mount, self.project["someday"])
        account.add_to_project(mount, self.project["choir"])
        account.attach(self.project["gull rock"], "Tide tables 1897.pdf")
        account.attach(self.project["gull rock"], "Map with the good cafés", host="onedrive")

    def _climb_ladder(self, lens: str) -> None:
        """Subtasks, five levels deep; one of them is also in a project."""
        step = self._task("gull rock", "Climb the ladder", section=1)
        for name in ("First rung", "Second rung", "Third rung", "Fourth rung", "Do not look down"):
            step = self._subtask(step, name, assignee=self.user["yui"])
        self.account.comment(step, "I looked down.", by=self.user["yui"])
        self.account.attach(step, "Looking down.mp4", host="vimeo")
        self._subtask(lens, "Before the oven:", is_rendered_as_separator=True)
        shared = self._subtask(lens, "Borrow sand from the beach", tags=[self.tag["slippery"]])
        self.account.add_to_project(shared, self.project["stripes"])
        approval = self._subtask(lens, "Give the sand back", resource_subtype="milestone")
        self.account.comment(approval, "The tide did it for us.")
        self.account.attach(approval, "Receipt from the sea.png")

    def _paint_stripes(self) -> None:
        spirit = self._task("stripes", "Buy a spirit level", assignee=self.user["pilar"])
        self._then(spirit, by=self.user["pilar"], completed=True)
        self._then(spirit, completed=False)
        both = self._task("stripes", "Borrow the ladder back", section=1, by="yui")
        self.account.add_to_project(both, self.project["gull rock"])
        urgent = {self.field["Urgency"]: self.option["Whenever"]}
        self._then(both, custom_fields=urgent)
        for name in ("Red, first coat", "White, first coat", "Red, over the white by mistake"):
            self._task("stripes", name, section=len(name) % 2, by="yui")

    def _keep_secrets(self) -> None:
        cake = self._task("party", "Cake shaped like a lighthouse", by="anselm")
        self._subtask(cake, "It has to light up")
        self.later()
        both = self._task("party", "Fetch the foghorn", by="anselm")
        self.account.add_to_project(both, self.project["choir"], by=self.user["anselm"])
        self.account.create_private_task(
            self.organization, "Hide the cake", by=self.user["anselm"], assignee=self.user["anselm"]
        )
        self.account.create_private_task(
            self.organization, "Renew first-aid certificate", assignee=self.user["greta"]
        )

    def _sing(self) -> None:
        for name in ("BAAAAAAAH", "Find a piccolo foghorn", "Ask the ships for requests"):
            self._then(self._task("choir", name, section=1), completed=True)
        self.later()
        done = {"completed_at": stamp(self.clock.now()), "completed_by": self.user["greta"]}
        self.account.modify_project(self.project["choir"], **done)
        self.account.archive(self.project["choir"])

    def _quiz(self) -> None:
        rivers = self._task("quiz", "All rivers that flow north", assignee=self.user["greta"])
        self._subtask(rivers, "The Nile counts twice")
        self._task("quiz", "Capitals with an ø in them", tags=[self.tag["müde"]], section=1)
        self._task("quiz", "", by="anselm")
        self.account.comment(rivers, "Łódź is not a river. It means boat.", by=self.user["anselm"])
        self.account.attach(rivers, "Rivers.xlsx", host="box")

    def _report(self) -> None:
        now = self.later()
        status = StatusUpdate(
            gid=self.holdings.new_gid("status_update"),
            title="Status update - it flickers!",
            text="The lamp flickers. We call it *Morse*.",
            color="yellow",
            author=self.user["greta"],
            created_at=now,
            modified_at=now,
            parent=self.project["gull rock"],
            status_type="at_risk",
            likes=[self.user["yui"], self.user["warehouse"], self.user["greta"]],
            reactions=[{"emoji_base": "🔦", "variant": "🔦", "count": 1, "reacted": False}],
        )
        gull_rock = self.project["gull rock"]
        self.holdings.add(status, ("status_update", gull_rock))
        self.account.modify_project(gull_rock, status=status, values=self._all_values())
        self.account.share(gull_rock, self.user["anselm"])
        person = self.holdings.own(User, self.user["greta"])
        person.values = self._all_values()

    def _gather_portfolios(self) -> None:
        inner = self._portfolio("Everything that blinks", "greta", "gull rock", "stripes")
        self.portfolio["blinking"] = inner
        outer = self._portfolio("Coast, whole of it", "greta", "choir", "gull rock", public=True)
        self.holdings.list_of("item", outer).append(inner)
        self._portfolio("What Anselm worries about", "anselm", "party", "stripes")
        blinking = self.holdings.own(Portfolio, inner)
        blinking.members[self.user["yui"]] = "viewer"
        blinking.start_on, blinking.due_on = "2024-01-01", "2026-12-31"
        blinking.status = self.holdings.get(Project, self.project["gull rock"]).status
        template = self.holdings.get(Project, self.project["gull rock"]).template
        blinking.templates = [template] if template else []
        self._use_field("portfolio", inner, *self.field)
        blinking.values = self._all_values()

    def _portfolio(self, name: str, owner: str, *projects: str, public: bool = False) -> str:
        portfolio = Portfolio(
            gid=self.holdings.new_gid("portfolio"),
            name=name,
            workspace=self.organization,
            owner=self.user[owner],
            created_at=self.later(),
            members={self.user[owner]: "admin"},
            public=public,
        )
        self.holdings.add(portfolio, ("portfolio", self.organization))
        self.holdings.list_of("item", portfolio.gid).extend(self.project[key] for key in projects)
        return portfolio.gid

    def _ask_for_exports(self) -> None:
        for state in ("finished", "pending", "error"):
            gid = self.holdings.new_gid("organization_export")
            url = (
                f"https://asana-export-us-east-1.s3.amazonaws.com/{self.organization}/{gid}.json.gz"
            )
            export = OrganizationExport(
                gid=gid,
                organization=self.organization,
                created_at=self.later(),
                state=state,
                download_url=url if state == "finished" else None,
            )
            self.holdings.add(export)

    # -- goals and time ---------------------------------------------------------------------------

    def _set_goals(self) -> None:
        year = self._period("FY", "2026-01-01", "2026-12-31")
        quarter = self._period("Q2", "2026-04-01", "2026-06-30", parent=year)
        self._period("Q3", "2026-07-01", "2026-09-30", parent=year)
        self._goal(
            "lights",
            "No lighthouse goes dark (longer than a cup of tea)",
            is_workspace_level=True,
            notes="A cup, not a pot & not a samovar.",
            start_on="2026-01-01",
            due_on="2026-12-31",
            time_period=year,
            status="yellow",
            members={self.user["greta"]: "admin", self.user["yui"]: "commenter"},
            likes=[self.user["yui"], self.user["warehouse"], self.user["greta"]],
            metric={
                "gid": self.holdings.new_gid("goal_metric"),
                "resource_type": "goal_metric",
                "resource_subtype": "number",
                "precision": 2,
                "unit": "currency",
                "currency_code": "EUR",
                "initial_number_value": 0,
                "target_number_value": 1200.5,
                "current_number_value": 412.25,
                "current_display_value": "412.25 EUR saved in candles",
                "progress_source": "subgoal_progress",
                "is_custom_weight": True,
                "can_manage": False,
            },
        )
        self._goal("shine", "Gull Rock shines again", team=self.lamps, time_period=quarter)
        self._goal("straight", "One straight stripe", by="yui", team=self.paint)
        self._goal(
            "surprise",
            "Greta suspects nothing",
            by="anselm",
            privacy_setting="members_only",
            members={self.user["anselm"]: "admin"},
        )
        self._goal("quiz", "Beat the Tuesday Quizzards", workspace=self.quiz_team)
        self._support("lights", self.goal["shine"], 0.75)
        self._support("lights", self.goal["straight"], 0.25)
        self._support("shine", self.project["gull rock"], 1)
        self._support("surprise", self.project["party"], 1)
        self._use_field("goal", self.goal["lights"], *self.field)
        self.account.set_goal(self.goal["lights"], values=self._all_values())

    def _period(self, period: str, start_on: str, end_on: str, parent: str | None = None) -> str:
        gid = self.holdings.new_gid("time_period")
        made = TimePeriod(
            gid=gid,
            workspace=self.organization,
            period=period,
            start_on=start_on,
            end_on=end_on,
            display_name="FY26" if period == "FY" else f"{period} FY26",
            parent=parent,
        )
        self.holdings.add(made, ("time_period", self.organization))
        return gid

    def _goal(
        self, key: str, name: str, *, by: str = "greta", workspace: str = "", **fields: Any
    ) -> None:
        self.later()
        owner = self.user[by]
        self.goal[key] = self.holdings.new_gid("goal")
        goal = Goal(
            gid=self.goal[key],
            name=name,
            workspace=workspace or self.organization,
            owner=owner,
            **({"members": {owner: "editor"}} | fields),
        )
        self.holdings.add(goal, ("goal", goal.workspace))

    def _support(self, key: str, supporting: str, weight: float) -> None:
        relationship = GoalRelationship(
            gid=self.holdings.new_gid("goal_relationship"),
            supported_goal=self.goal[key],
            supporting=supporting,
            weight=weight,
        )
        self.holdings.add(relationship, ("goal_relationship", self.goal[key]))

    def _welcome(self) -> None:
        """People join and are away, and a team becomes a member of a portfolio."""
        organization = self.holdings.own(Workspace, self.organization)
        organization.joined[self.user["pilar"]] = self.later()
        organization.away[self.user["greta"]] = {"start_on": "2026-08-10", "end_on": "2026-08-24"}
        organization.away[self.user["yui"]] = {"start_on": "2026-12-24", "end_on": None}
        blinking = self.holdings.own(Portfolio, self.portfolio["blinking"])
        blinking.teams[self.lamps] = "viewer"

    def _tell_how_it_goes(self) -> None:
        self.later()
        self.account.post_status(
            self.portfolio["blinking"],
            "Two of three blink",
            text="The third one stares.",
            status_type="on_track",
            by=self.user["yui"],
        )
        self.later()
        self.account.post_status(
            self.goal["lights"],
            "It was a large cup",
            text="Forty minutes of darkness. Whose cup is *that*?",
            status_type="at_risk",
            likes=[self.user["anselm"]],
        )

    def _write_hours_down(self) -> None:
        """The lens took 32 hours in total, as its actual time shows."""
        lens = self._called("Grind the new lens")
        self.holdings.own(Task, lens).actual_time_minutes = None
        grinding = {
            "gid": self.holdings.new_gid("time_tracking_category"),
            "resource_type": "time_tracking_category",
            "name": "Grinding (teeth included)",
            "color": "yellow-orange",
        }
        gull_rock = self.project["gull rock"]
        self._hours(
            lens,
            480,
            "2024-02-01",
            by="anselm",
            attributable_to=gull_rock,
            categories=[grinding],
            approval_status="APPROVED",
            billable_status="billable",
            description="Sand & patience",
        )
        self._hours(lens, 960, "2024-02-02", by="yui", attributable_to=gull_rock)
        self._hours(lens, 480, "2024-02-05", approval_status="DRAFT", categories=[grinding])
        self._hours(self._called("Borrow sand"), 45, "2024-02-02", by="yui")
        self._hours(self._called("Buy a spirit level"), 90, "2024-02-06", by="pilar")
        self._hours(self._called("Hide the cake"), 15, "2024-02-07", by="anselm")
        self._allot(gull_rock, "yui", {"type": "hours", "value": 12})
        self._allot(gull_rock, "anselm", {"type": "percent", "value": 62.5})
        self._allot(self.project["party"], "anselm", None)

    def _hours(
        self, task: str, minutes: int, entered_on: str, *, by: str = "greta", **fields: Any
    ) -> None:
        self.later()
        self.account.log_time(task, minutes, entered_on, by=self.user[by], **fields)

    def _allot(self, project: str, assignee: str, effort: Record | None) -> None:
        allocation = Allocation(
            gid=self.holdings.new_gid("allocation"),
            project=project,
            assignee=self.user[assignee],
            created_by=self.user["greta" if effort else "anselm"],
            start_date="2026-06-01",
            end_date="2026-07-14",
            effort=effort,
        )
        self.holdings.add(allocation, ("allocation", project), ("allocation", self.organization))

    def _called(self, name: str) -> str:
        """The task whose name starts with this."""
        return next(task.gid for task in self.holdings.kept(Task) if task.name.startswith(name))

    # -- templates, the brief, the audit log ------------------------------------------------------

    def _make_templates(self) -> None:
        gull_rock = self.holdings.get(Project, self.project["gull rock"])
        dark = (gull_rock.template or {})["gid"]
        self._template(
            dark,
            "Dark lighthouse",
            self.organization,
            team=self.lamps,
            description="First find the door & knock.",
            color="dark-warm-gray",
            requested_dates=[
                {
                    "gid": self.holdings.new_gid("template_date"),
                    "name": "Day of darkness",
                    "description": "When the lamp went out",
                }
            ],
            requested_roles=[
                _named("template_role", self.holdings.new_gid("template_role"), "Ladder holder")
            ],
        )
        self._template(
            self.holdings.new_gid("project_template"), "Quiz night", self.quiz_team, public=False
        )
        self.holdings.add(
            ProjectBrief(
                gid=gull_rock.brief or "",
                project=gull_rock.gid,
                title="Why it is dark, and for how long",
                text="The lamp broke <itself>. We were having tea at the time.",
            )
        )
        self._task_template("Answer an angry ship", self._recipe())
        self._task_template("Feed the gulls", self._plain_recipe("Feed the gulls"))

    def _template(self, gid: str, name: str, workspace: str, **fields: Any) -> None:
        template = ProjectTemplate(
            gid=gid, name=name, workspace=workspace, owner=self.user["greta"], **fields
        )
        self.holdings.add(template, ("project_template", workspace))

    def _task_template(self, name: str, recipe: Record) -> None:
        project = self.project["gull rock"]
        template = TaskTemplate(
            gid=self.holdings.new_gid("task_template"),
            name=name,
            project=project,
            created_by=self.user["anselm"],
            created_at=self.later(),
            recipe=recipe,
        )
        self.holdings.add(template, ("task_template", project))

    def _plain_recipe(self, name: str) -> Record:
        """A recipe with only a name."""
        empty = ("memberships", "dependencies", "dependents", "followers", "attachments")
        return {
            "name": name,
            "task_resource_subtype": "default_task",
            "description": "",
            "html_description": html(""),
            "relative_start_on": None,
            "relative_due_on": None,
            "due_time": None,
            "subtasks": [],
            "custom_fields": [],
        } | {part: [] for part in empty}

    def _recipe(self) -> Record:
        """A recipe with everything that a recipe can have."""
        shapes = self.account.shapes
        chart = self.holdings.children("attachment", self.project["gull rock"])[0]
        letter = "Dear ship, we are sorry about the rocks & the dark."
        return self._plain_recipe("Answer an angry ship") | {
            "description": letter,
            "html_description": html(letter),
            "memberships": [shapes.ref(self.project["gull rock"])],
            "relative_start_on": 1,
            "relative_due_on": 3,
            "due_time": "13:15:00.000Z",
            "dependencies": [{"name": "Calm down", "task_resource_subtype": "default_task"}],
            "dependents": [{"name": "Send biscuits", "task_resource_subtype": "milestone_task"}],
            "followers": shapes.refs([self.user["greta"]]),
            "attachments": [shapes.ref(chart) | {"resource_subtype": "asana"}],
            "subtasks": [{"name": "Find the stamp", "task_resource_subtype": "approval_task"}],
            "custom_fields": [
                shapes.field_with_value(gid, value) for gid, value in self._all_values().items()
            ],
        }

    def _audit(self) -> None:
        """Events of the audit log."""
        person = self.holdings.get(User, self.user["pilar"])
        pilar = self.account.shapes.ref(person.gid) | {"email": person.email}
        self._audited(
            "user_login_succeeded",
            category="logins",
            resource=pilar,
            by=person.gid,
            details={"saml_response": "<Response>It is I.</Response>"},
            context={
                "context_type": "web",
                "client_ip_address": "192.0.2.17",
                "user_agent": "Semaphore/1.0 (flags; both)",
            },
        )
        self._audited(
            "user_workspace_role_changed",
            category="roles",
            resource=pilar,
            details={
                "old_value": "member",
                "new_value": "guest",
                "group": {"gid": self.paint, "name": "Paint"},
            },
        )
        biscuit = _named("task", gid_of("task", 999_999), "Eat the evidence")
        self._audited(
            "task_deleted",
            resource=biscuit | {"resource_subtype": "milestone"},
            context={
                "context_type": "api",
                "api_authentication_method": "oauth",
                "client_ip_address": "192.0.2.4",
                "user_agent": "Biscuit tin",
                "oauth_app_name": "Tidy keeper",
                "on_behalf_of_user_id": 12345,
            },
        )
        self._audited(
            "attachment_downloaded",
            category="access_control",
            resource=_named("attachment", gid_of("attachment", 999_999), "Sketch.jpg"),
            by=ASANA,
            context={"context_type": "asana", "rule_name": "When the lamp goes out"},
        )
        self._audited("workspace_export_started", category="organization_export")
        self._audited(
            "team_visibility_changed",
            category="admin_settings",
            resource=self.account.shapes.ref(self.secret),
            by=self.user["anselm"],
            details={"old_value": "public", "new_value": "secret"},
        )

    def _audited(self, event_type: str, **fields: Any) -> None:
        self.later()
        self.account.audit(self.organization, event_type, **fields)

    # -- what organizations of the larger plans have ----------------------------------------------

    def _assign_roles(self) -> None:
        """Asana's own roles, one that somebody made, and one of the other workspace."""
        self._role("Member", self.organization, "member", is_standard=True)
        self._role("Guest", self.organization, "guest", is_standard=True)
        self._role(
            "Keeper of the keys",
            self.organization,
            "admin",
            description="May lend out the keys & wants them back.",
            permissions={"task_deletion_policy": "owned", "allowed_guest_invites": "none"},
        )
        self._role("Quizmaster", self.quiz_team, "super_admin")

    def _role(
        self, name: str, workspace: str, base: str, permissions: Record | None = None, **fields: Any
    ) -> None:
        allowed = dict.fromkeys(_PERMISSIONS, base != "guest")
        may = {"task_deletion_policy": "all", "allowed_guest_invites": "all"}
        role = Role(
            gid=self.holdings.new_gid("role"),
            workspace=workspace,
            name=name,
            created_at=self.later(),
            modified_at=self.later(),
            base=base,
            permissions=allowed | may | (permissions or {}),
            **fields,
        )
        self.holdings.add(role, ("role", workspace))

    def _plan_money_and_absences(self) -> None:
        """Types of tasks, budgets, rates, timesheets, and days off."""
        gull_rock, stripes = self.project["gull rock"], self.project["stripes"]
        self._plain(
            gid_of("custom_type", 1),
            self.organization,
            ("custom_type", gull_rock),
            ("custom_type", stripes),
            name="Night shift",
            status_options=[
                self._status_option(
                    gid_of("custom_type_status_option", 1), "Waiting for the tide", "Incomplete"
                ),
                self._status_option(
                    self.holdings.new_gid("custom_type_status_option"), "High & dry", "Complete"
                ),
            ],
        )
        for number, (name, color) in enumerate(
            (("Grinding (teeth included)", "yellow-orange"), ("Whistling", "none")), start=1
        ):
            self._plain(
                gid_of("time_tracking_category", number),
                self.organization,
                ("time_tracking_category", self.organization),
                name=name,
                color=color,
                is_archived=color == "none",
            )
        self._plain(
            self.holdings.new_gid("budget"),
            gull_rock,
            ("budget", gull_rock),
            refers={"parent": gull_rock},
            budget_type="cost",
            estimate={
                "billable_status_filter": "billable",
                "source": "tasks",
                "enabled": True,
                "units": "EUR",
                "value": 4200.5,
            },
            actual={"billable_status_filter": "any", "value": 1920.25, "units": "EUR"},
            total={"enabled": True, "value": 5000, "units": "EUR"},
        )
        helper = self.holdings.new_gid("placeholder")
        self._plain(helper, self.organization, name="Somebody with a ladder")
        for resource, amount in ((self.user["yui"], 61.5), (helper, 12)):
            self._plain(
                self.holdings.new_gid("rate"),
                gull_rock,
                ("rate", gull_rock),
                refers={
                    "parent": gull_rock,
                    "resource": resource,
                    "created_by": self.user["greta"],
                },
                rate=amount,
                currency_code="EUR",
            )
        for person, state, week in (
            ("yui", "APPROVED", ("2024-01-29", "2024-02-04")),
            ("anselm", "DRAFT", ("2024-02-05", "2024-02-11")),
        ):
            self._plain(
                self.holdings.new_gid("timesheet_approval_status"),
                self.organization,
                ("timesheet_approval_status", self.organization),
                refers={"user": self.user[person], "workspace": self.organization},
                approval_status=state,
                created_at=self.later(),
                start_date=week[0],
                end_date=week[1],
            )
        for person, workspace, days in (
            ("greta", self.organization, ("2026-08-10", "2026-08-24")),
            ("greta", self.quiz_team, ("2026-09-03", "2026-09-03")),
            ("yui", self.organization, ("2026-12-24", "2027-01-03")),
        ):
            self._plain(
                self.holdings.new_gid("ooo_entry"),
                self.user[person],
                ("ooo_entry", workspace),
                refers={"user": self.user[person], "created_by": self.user["greta"]},
                start_date=days[0],
                end_date=days[1],
            )

    def _status_option(self, gid: str, name: str, completion: str) -> Record:
        return _named("custom_type_status_option", gid, name) | {
            "completion_state": completion,
            "enabled": True,
            "color": "blue",
        }

    def _plain(
        self,
        gid: str,
        home: str,
        *places: tuple[str, str],
        name: str | None = None,
        refers: dict[str, str] | None = None,
        **values: Any,
    ) -> None:
        plain = Plain(gid=gid, home=home, name=name, values=values, refers=refers or {})
        self.holdings.add(plain, *places)

    def _talk_about_goals(self) -> None:
        """Stories of a goal, and a file in a project's brief."""
        for subtype, text, details in (
            ("comment_added", "Whose cup is it, & where is the lid?", {}),
            ("name_changed", "changed the name", {"old_name": "Light!", "new_name": "Lights!"}),
        ):
            story = Story(
                gid=self.holdings.new_gid("story"),
                task=self.goal["lights"],
                resource_subtype=subtype,
                text=text,
                created_at=self.later(),
                created_by=self.user["yui"],
                details=details,
                likes=[self.user["greta"]],
            )
            self.holdings.add(story, ("story", self.goal["lights"]))
        self.later()
        gull_rock = self.holdings.get(Project, self.project["gull rock"])
        self.account.attach(gull_rock.brief or "", "Sketch of the dark.png")

    # -- small steps ------------------------------------------------------------------------------

    def _then(self, task: str, **fields: Any) -> None:
        self.later()
        self.account.modify_task(task, **fields)

    def _steps(self, task: str) -> Callable[..., str]:
        """Adds stories to one task, hours apart."""

        def step(subtype: str, text: str, /, source: str = "web", **details: Any) -> str:
            self.later()
            gid = self.account.tell(task, subtype, text, **details)
            self.holdings.own(Story, gid).source = source
            return gid

        return step

    def _story_ref(self, gid: str) -> Record:
        story = self.holdings.get(Story, gid)
        return {
            "gid": gid,
            "resource_type": "story",
            "created_at": story.created_at,
            "created_by": self.account.shapes.ref(story.created_by or ""),
            "resource_subtype": story.resource_subtype,
            "text": story.text,
        }


def _named(kind: str, gid: str, name: str) -> Record:
    return {"gid": gid, "resource_type": kind, "name": name}
