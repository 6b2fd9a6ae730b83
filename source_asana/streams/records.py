"""The shape of each Asana record, one field at a time. https://developers.asana.com/reference

`means` is what a destination shows as the comment of the column.
"""

from source_asana.streams.fields import (
    BOOLEAN,
    DATE,
    DATE_TIME,
    INTEGER,
    NUMBER,
    STRING,
    ObjectShape,
    Shape,
    array_of,
    object_,
)


def record_of(resource_type: str) -> ObjectShape:
    """The columns with which the records of a `resource_type` begin."""
    return object_(
        gid=STRING.means(f"Unique ID of the {resource_type.replace('_', ' ')}."),
        resource_type=STRING.means(f"Always `{resource_type}`."),
    )


# Columns that the connector adds

ADDED: dict[str, Shape] = {
    "workspace_gid": STRING.means("Workspace that the record belongs to.").joins("workspaces"),
    "portfolio_gid": STRING.means("Portfolio that the item is in.").joins("portfolios"),
    "event_id": STRING.means(
        "Unique ID of the event, computed from its values because Asana sends none."
    ),
    "_ab_cdc_deleted_at": DATE_TIME.means(
        "When the record was deleted (UTC). Null if it was not deleted."
    ),
}

# What records hold of each other

RESOURCE = object_(
    gid=STRING,
    resource_type=STRING,
)

NAMED_RESOURCE = RESOURCE.also(
    name=STRING,
)

USER_REFERENCE = NAMED_RESOURCE.joins("users")
MEMBER_REFERENCE = NAMED_RESOURCE.joins("users", "teams")
TEAM_REFERENCE = NAMED_RESOURCE.joins("teams")
WORKSPACE_REFERENCE = NAMED_RESOURCE.joins("workspaces")
PROJECT_REFERENCE = NAMED_RESOURCE.joins("projects")
SECTION_REFERENCE = NAMED_RESOURCE.joins("sections")
TAG_REFERENCE = NAMED_RESOURCE.joins("tags")
PORTFOLIO_REFERENCE = NAMED_RESOURCE.joins("portfolios")

TASK_REFERENCE = NAMED_RESOURCE.also(
    resource_subtype=STRING,
    created_by=RESOURCE.joins("users"),
).joins("tasks", "subtasks")

STORY_REFERENCE = RESOURCE.also(
    created_at=DATE_TIME,
    created_by=USER_REFERENCE,
    resource_subtype=STRING,
    text=STRING,
).joins("stories")

STATUS_UPDATE_REFERENCE = RESOURCE.also(
    title=STRING,
    resource_subtype=STRING,
).joins("status_updates")

PROJECT_STATUS = RESOURCE.also(
    title=STRING.means("Headline of the status."),
    text=STRING.means("Text of the status."),
    html_text=STRING.means("Text of the status as HTML."),
    color=STRING.means("Color of the status: green, yellow, red, blue, or complete."),
    author=USER_REFERENCE,
    created_at=DATE_TIME,
    created_by=USER_REFERENCE,
    modified_at=DATE_TIME,
)

LIKE = object_(
    gid=STRING,
    user=USER_REFERENCE,
)

REACTION = object_(
    emoji_base=STRING.means("Emoji without its skin tone."),
    variant=STRING.means("Emoji as people chose it."),
    count=NUMBER.means("Number of people who reacted with it."),
    reacted=BOOLEAN.means("Whether the token's owner is one of them."),
)

ENUM_OPTION = NAMED_RESOURCE.also(
    enabled=BOOLEAN.means("Whether people can choose the option."),
    color=STRING,
)

CUSTOM_FIELD_VALUE = record_of("custom_field").also(
    gid=STRING.means("Unique ID of the custom field. A value has the ID of its field."),
    name=STRING.means("Name of the custom field."),
    type=STRING.means(
        "Deprecated by Asana; use `resource_subtype`. Type of the field, such as enum."
    ),
    enum_options=array_of(ENUM_OPTION).means(
        "Options to choose from. Null unless the type is enum or multi_enum."
    ),
    enabled=BOOLEAN.means(
        "Whether the field is in use on the record with the value. Null in field definitions."
    ),
    representation_type=STRING.means(
        "Type of the field as Asana shows it: text, enum, multi_enum, number, date, people, "
        "formula, custom_id, or reference."
    ),
    id_prefix=STRING.means("Prefix of the IDs in a custom_id field. Null for other types."),
    input_restrictions=array_of(STRING).means(
        "What a reference field can refer to: task, project, portfolio, or goal."
    ),
    is_formula_field=BOOLEAN.means("Whether Asana computes the value from a formula."),
    date_value=object_(
        date=DATE.means("Day of the value."),
        date_time=DATE_TIME.means("Time of the value (UTC). Null if only a day is set."),
    ).means("Value of a date field. Null if not set, and for other types."),
    enum_value=ENUM_OPTION.means(
        "Chosen option of an enum field. Null if not set, and for other types."
    ),
    multi_enum_values=array_of(ENUM_OPTION).means(
        "Chosen options of a multi_enum field. Null for other types."
    ),
    number_value=NUMBER.means("Value of a number field. Null if not set, and for other types."),
    text_value=STRING.means("Value of a text field. Null if not set, and for other types."),
    display_value=STRING.means("Value as text, whatever its type. Null if not set."),
)

# The definition of a custom field; in a task it comes with the task's value.
CUSTOM_FIELD = CUSTOM_FIELD_VALUE.also(
    description=STRING.means("Description of the custom field."),
    precision=INTEGER.means(
        "Decimal places of a number field, 0 to 6. A percentage of precision 0 has whole percents."
    ),
    format=STRING.means(
        "How numbers are shown: currency, identifier, percentage, custom, duration, or none."
    ),
    currency_code=STRING.means(
        "ISO 4217 code of the currency, such as EUR. Null unless `format` is currency."
    ),
    custom_label=STRING.means(
        "Text beside the value, such as a unit. Null unless `format` is custom."
    ),
    custom_label_position=STRING.means(
        "Side of the label: prefix or suffix. Null unless `format` is custom."
    ),
    is_global_to_workspace=BOOLEAN.means(
        "Whether the field is in the workspace's field library, rather than in one project only."
    ),
    has_notifications_enabled=BOOLEAN.means(
        "Whether a task's followers are notified when the value changes."
    ),
    asana_created_field=STRING.means(
        "Asana's own key for a field it provides, such as estimated_time. Null for other fields."
    ),
    is_value_read_only=BOOLEAN.means("Whether people cannot edit the value."),
    created_by=USER_REFERENCE.means("Person who created the custom field."),
    people_value=array_of(USER_REFERENCE).means(
        "People chosen in a people field. Null for other types."
    ),
    reference_value=array_of(
        NAMED_RESOURCE.joins("projects", "tasks", "subtasks", "portfolios", "goals")
    ).means("Records chosen in a reference field. Null for other types."),
    html_text_value=STRING.means("Value of a text field as HTML. Null for other types."),
    privacy_setting=STRING.means("Who can see the field: public_with_guests, public, or private."),
    default_access_level=STRING.means(
        "Access that new members of the field get: admin, editor, or user."
    ),
    resource_subtype=STRING.means(
        "Type of the field: text, enum, multi_enum, number, date, people, or reference."
    ),
)

CUSTOM_FIELD_SETTING = record_of("custom_field_setting").also(
    project=PROJECT_REFERENCE.means("Deprecated by Asana; use `parent`."),
    is_important=BOOLEAN.means(
        "Whether the list view of the project or portfolio shows the field."
    ),
    parent=NAMED_RESOURCE.joins("projects", "portfolios").means(
        "Project or portfolio that uses the field."
    ),
    custom_field=CUSTOM_FIELD.joins("custom_fields").means("Definition of the field."),
)

CUSTOM_FIELD_SETTINGS = array_of(CUSTOM_FIELD_SETTING).joins("custom_field_settings")

STORY_DATES = object_(
    start_on=DATE.means("Start date."),
    due_at=DATE_TIME.means("Due time (UTC)."),
    due_on=DATE.means("Due date."),
)

# Records

WORKSPACE = record_of("workspace").also(
    name=STRING.means("Name of the workspace."),
    email_domains=array_of(STRING).means(
        "Email domains of the organization. Empty for a plain workspace."
    ),
    is_organization=BOOLEAN.means(
        "Whether the workspace is an organization, which has teams and email domains."
    ),
)

USER = record_of("user").also(
    name=STRING.means("Full name of the person."),
    email=STRING.means("Email address. Null if the token may not see it."),
    photo=object_(
        image_21x21=STRING,
        image_27x27=STRING,
        image_36x36=STRING,
        image_60x60=STRING,
        image_128x128=STRING,
        image_1024x1024=STRING,
    ).means("Links to the profile photo, by size in pixels. Null if there is no photo."),
    workspaces=array_of(WORKSPACE_REFERENCE).means(
        "Workspaces that the person and the token's owner share."
    ),
    custom_fields=array_of(CUSTOM_FIELD_VALUE)
    .joins("custom_fields")
    .means("Custom fields of the person, with their values."),
)

_WHO = "all_team_members or only_team_admins"

TEAM = record_of("team").also(
    name=STRING.means("Name of the team."),
    description=STRING.means("Description of the team as plain text."),
    html_description=STRING.means("Description of the team as HTML."),
    organization=WORKSPACE_REFERENCE.means("Organization of the team."),
    permalink_url=STRING.means("Link to the team in Asana."),
    visibility=STRING.means("Who can find the team: secret, request_to_join, or public."),
    edit_team_name_or_description_access_level=STRING.means(
        f"Who can change the name and description: {_WHO}."
    ),
    edit_team_visibility_or_trash_team_access_level=STRING.means(
        f"Who can change the visibility or delete the team: {_WHO}."
    ),
    member_invite_management_access_level=STRING.means(
        f"Who can decide on invitations of members: {_WHO}."
    ),
    guest_invite_management_access_level=STRING.means(
        f"Who can decide on invitations of guests: {_WHO}."
    ),
    join_request_management_access_level=STRING.means(
        f"Who can decide on requests to join: {_WHO}."
    ),
    team_member_removal_access_level=STRING.means(f"Who can remove members: {_WHO}."),
    team_content_management_access_level=STRING.means(
        "Who can create and share content: no_restriction or only_team_admins."
    ),
    endorsed=BOOLEAN.means("Whether the organization endorses the team."),
    custom_field_settings=CUSTOM_FIELD_SETTINGS.plain().means(
        "Custom fields that the team uses. They are not in custom_field_settings."
    ),
)

TEAM_MEMBERSHIP = record_of("team_membership").also(
    user=USER_REFERENCE.means("Person in the team."),
    team=TEAM_REFERENCE.means("Team that the person is in."),
    is_guest=BOOLEAN.means("Whether the person is a guest in the team."),
    is_limited_access=BOOLEAN.means("Whether the person has limited access to the team."),
    is_admin=BOOLEAN.means("Whether the person is an admin of the team."),
)

# A nested portfolio fills those of a project's columns that it has too.
PORTFOLIO_ITEM = NAMED_RESOURCE.also(
    gid=STRING.means("Unique ID of the project or nested portfolio.").joins(
        "projects", "portfolios"
    ),
    resource_type=STRING.means("What the item is: `project` or `portfolio`."),
    name=STRING.means("Name of the project or nested portfolio."),
    archived=BOOLEAN.means("Whether the project is archived."),
    color=STRING.means("Color of the project, such as light-green. Null if none."),
    icon=STRING.means("Icon of the project, such as rocket."),
    created_at=DATE_TIME.means("When the project was created (UTC)."),
    current_status=PROJECT_STATUS.means(
        "Deprecated by Asana; use `current_status_update`. Latest status of the project."
    ),
    current_status_update=STATUS_UPDATE_REFERENCE.means(
        "Latest status update of the project. Null if there is none."
    ),
    custom_field_settings=CUSTOM_FIELD_SETTINGS.means(
        "Custom fields that tasks in the project can have."
    ),
    default_view=STRING.means("View that opens first: list, board, calendar, or timeline."),
    due_date=DATE.means("Deprecated by Asana; use `due_on`."),
    due_on=DATE.means("Day the project is due. Null if it has no due date."),
    html_notes=STRING.means("Description of the project as HTML."),
    members=array_of(USER_REFERENCE).means("People who are members of the project."),
    modified_at=DATE_TIME.means(
        "When the project itself was last modified (UTC). Changes to its tasks do not count."
    ),
    notes=STRING.means("Description of the project as plain text."),
    public=BOOLEAN.means(
        "Deprecated by Asana; use `privacy_setting`. Whether the project is public."
    ),
    privacy_setting=STRING.means(
        "Who can find the project: public_to_workspace, private_to_team, or private."
    ),
    start_on=DATE.means("Day work on the project starts. Null if it has no start date."),
    default_access_level=STRING.means(
        "Access that new members get: admin, editor, commenter, or viewer."
    ),
    minimum_access_level_for_customization=STRING.means(
        "Access needed to change how the project works and looks: admin or editor."
    ),
    minimum_access_level_for_sharing=STRING.means(
        "Access needed to share the project and manage its members: admin or editor."
    ),
    custom_fields=array_of(CUSTOM_FIELD_VALUE.also(resource_subtype=STRING))
    .joins("custom_fields")
    .means("Custom fields of the project itself, with their values."),
    completed=BOOLEAN.means("Whether the project is complete."),
    completed_at=DATE_TIME.means("When the project was completed (UTC). Null while it is open."),
    completed_by=USER_REFERENCE.means("Person who completed the project. Null while it is open."),
    followers=array_of(USER_REFERENCE).means("Members who are notified of new tasks."),
    owner=USER_REFERENCE.asked_by_name().means("Owner of the project. Null if it has none."),
    team=TEAM_REFERENCE.means(
        "Team that the project is shared with. Null without one; see also project_memberships."
    ),
    permalink_url=STRING.means("Link to the project in Asana."),
    project_brief=RESOURCE.joins("project_briefs").means(
        "Brief of the project. Null if it has none."
    ),
    created_from_template=NAMED_RESOURCE.joins("project_templates").means(
        "Template that the project was made from. Null if it was made without one."
    ),
    workspace=WORKSPACE_REFERENCE.means("Workspace or organization that the project is in."),
)

PROJECT = PORTFOLIO_ITEM.also(
    **record_of("project").columns,
    name=STRING.means("Name of the project."),
    # Kept for the tables that have it.
    is_template=BOOLEAN.means("Always null, because Asana no longer has this field."),
)

SECTION = record_of("section").also(
    name=STRING.means("Name of the section: its heading in a list, or its column on a board."),
    created_at=DATE_TIME.means("When the section was created (UTC)."),
    project=PROJECT_REFERENCE.means("Project that the section is in."),
    projects=array_of(PROJECT_REFERENCE).means("Deprecated by Asana; use `project`."),
)

TASK = record_of("task").also(
    name=STRING.means("Name of the task."),
    resource_subtype=STRING.means("Kind of task: default_task, milestone, approval, or custom."),
    created_by=RESOURCE.joins("users").means("Person who created the task."),
    approval_status=STRING.means(
        "State of an approval: pending, approved, rejected, or changes_requested. Null for other "
        "tasks."
    ),
    assignee_status=STRING.means(
        "Deprecated by Asana. When the assignee plans to do the task: today, upcoming, later, new, "
        "or inbox."
    ),
    assigned_by=USER_REFERENCE.means("Person who assigned the task. Null if Asana knows of none."),
    completed=BOOLEAN.means("Whether the task is complete."),
    completed_at=DATE_TIME.means("When the task was completed (UTC). Null while it is open."),
    completed_by=USER_REFERENCE.means("Person who completed the task. Null while it is open."),
    created_at=DATE_TIME.means("When the task was created (UTC)."),
    dependencies=array_of(RESOURCE.joins("tasks", "subtasks")).means(
        "Tasks that this task waits for."
    ),
    dependents=array_of(RESOURCE.joins("tasks", "subtasks")).means(
        "Tasks that wait for this task."
    ),
    due_at=DATE_TIME.means("When the task is due (UTC). Null if it has no due time."),
    due_on=DATE.means("Day the task is due. Null if it has no due date."),
    external=object_(
        gid=STRING.means("The app's own ID for the task."),
        data=STRING.means("Text that the app stored."),
    ).means("What an OAuth app stored with the task. Null for other apps and tokens."),
    html_notes=STRING.means("Description of the task as HTML."),
    hearted=BOOLEAN.means("Deprecated by Asana; use `liked`."),
    hearts=array_of(LIKE).means("Deprecated by Asana; use `likes`."),
    is_rendered_as_separator=BOOLEAN.means(
        "Whether Asana shows the task as a dividing line in a list, like a heading."
    ),
    liked=BOOLEAN.means("Whether the token's owner likes the task."),
    likes=array_of(LIKE).means("Likes of the task, each with the person who gave it."),
    memberships=array_of(
        object_(
            project=PROJECT_REFERENCE,
            section=SECTION_REFERENCE,
        )
    ).means("Projects that the task is in, each with the section it is in there."),
    modified_at=DATE_TIME.means(
        "When the task was last modified (UTC). Comments count; moves to other projects do not."
    ),
    notes=STRING.means("Description of the task as plain text."),
    num_hearts=INTEGER.means("Deprecated by Asana; use `num_likes`."),
    num_likes=INTEGER.means("Number of people who like the task."),
    num_subtasks=INTEGER.means("Number of subtasks directly below the task."),
    start_at=DATE_TIME.means("When work on the task starts (UTC). Null if it has no start time."),
    start_on=DATE.means("Day work on the task starts. Null if it has no start date."),
    actual_time_minutes=NUMBER.means(
        "Total time tracked on the task, in minutes. Null if none, or if time tracking is off."
    ),
    assignee=USER_REFERENCE.means("Person the task is assigned to. Null if unassigned."),
    assignee_section=NAMED_RESOURCE.means(
        "Section of the assignee's My tasks list. Null unless the token belongs to the assignee."
    ),
    custom_fields=array_of(CUSTOM_FIELD)
    .joins("custom_fields")
    .means("Custom fields of the task, with their values."),
    custom_type=NAMED_RESOURCE.joins("custom_types").means(
        "Custom task type. Null for standard tasks."
    ),
    custom_type_status_option=NAMED_RESOURCE.means(
        "Status that the custom task type defines. Null for standard tasks."
    ),
    followers=array_of(USER_REFERENCE).means("People who follow the task."),
    parent=TASK_REFERENCE.means("Task that this is a subtask of. Null if it is not a subtask."),
    projects=array_of(PROJECT_REFERENCE).means("Projects that the task is in."),
    tags=array_of(TAG_REFERENCE).means("Tags on the task."),
    workspace=WORKSPACE_REFERENCE.means("Workspace or organization that the task is in."),
    permalink_url=STRING.means("Link to the task in Asana."),
)

STORY = record_of("story").also(
    created_at=DATE_TIME.means("When the comment or change was made (UTC)."),
    created_by=USER_REFERENCE.means("Person who commented or made the change."),
    type=STRING.means(
        "`comment` for what a person wrote, `system` for a change that Asana recorded."
    ),
    resource_subtype=STRING.means(
        "What happened, such as comment_added, assigned, or section_changed."
    ),
    text=STRING.means("Comment, or change in words. The words for a change can vary."),
    html_text=STRING.means("Same as `text`, as HTML."),
    is_pinned=BOOLEAN.means("Whether the story is pinned to the top of its task."),
    is_editable=BOOLEAN.means("Whether the text can still be edited."),
    is_edited=BOOLEAN.means("Whether the text was edited after it was posted."),
    sticker_name=STRING.means("Sticker in the comment, such as trophy. Null if there is none."),
    source=STRING.means("Where the change was made: web, email, mobile, api, or unknown."),
    target=TASK_REFERENCE.means("Task that the story belongs to."),
    hearted=BOOLEAN.means("Deprecated by Asana; use `liked`."),
    hearts=array_of(LIKE).means("Deprecated by Asana; use `likes`."),
    num_hearts=INTEGER.means("Deprecated by Asana; use `num_likes`."),
    liked=BOOLEAN.means("Whether the token's owner likes the story."),
    likes=array_of(LIKE).means("Likes of the story, each with the person who gave it."),
    num_likes=INTEGER.means("Number of people who like the story."),
    reaction_summary=array_of(REACTION).means("Emoji reactions to the story, one item per emoji."),
    previews=array_of(
        object_(
            fallback=STRING,
            footer=STRING,
            header=STRING,
            header_link=STRING,
            html_text=STRING,
            text=STRING,
            title=STRING,
            title_link=STRING,
        )
    ).means("Previews of linked content in a comment. Null for other stories."),
    # What a system story is about: which of these it has follows from its subtype.
    story=STORY_REFERENCE.means("Story that the change refers to. Null for other stories."),
    task=TASK_REFERENCE.means("Task that the change refers to. Null for other stories."),
    project=PROJECT_REFERENCE.means(
        "Project that the task was added to or removed from. Null for other stories."
    ),
    tag=TAG_REFERENCE.means("Tag that was added or removed. Null for other stories."),
    assignee=USER_REFERENCE.means("Person who was assigned. Null for other stories."),
    follower=USER_REFERENCE.means("Follower who was added or removed. Null for other stories."),
    dependency=TASK_REFERENCE.means(
        "Task that was added or removed as a dependency. Null for other stories."
    ),
    duplicate_of=TASK_REFERENCE.means(
        "Task that this one was marked a duplicate of. Null for other stories."
    ),
    duplicated_from=TASK_REFERENCE.means(
        "Task that this one was copied from. Null for other stories."
    ),
    custom_field=CUSTOM_FIELD_VALUE.joins("custom_fields").means(
        "Custom field whose value changed. Null for other stories."
    ),
    old_name=STRING.means("Name before it changed. Null for other stories."),
    new_name=STRING.means("Name after it changed. Null for other stories."),
    old_dates=STORY_DATES.means("Dates before they changed. Null for other stories."),
    new_dates=STORY_DATES.means("Dates after they changed. Null for other stories."),
    old_resource_subtype=STRING.means(
        "Kind of task before it changed, such as default_task. Null for other stories."
    ),
    new_resource_subtype=STRING.means(
        "Kind of task after it changed, such as milestone. Null for other stories."
    ),
    old_section=SECTION_REFERENCE.means(
        "Section that the task was moved from. Null for other stories."
    ),
    new_section=SECTION_REFERENCE.means(
        "Section that the task was moved to. Null for other stories."
    ),
    old_approval_status=STRING.means("Approval status before. Null for other stories."),
    new_approval_status=STRING.means("Approval status after. Null for other stories."),
    old_text_value=STRING.means("Value of a text field before it changed. Null for other stories."),
    new_text_value=STRING.means("Value of a text field after it changed. Null for other stories."),
    old_number_value=NUMBER.means(
        "Value of a number field before it changed. Null for other stories."
    ),
    new_number_value=NUMBER.means(
        "Value of a number field after it changed. Null for other stories."
    ),
    old_enum_value=ENUM_OPTION.means(
        "Option of an enum field before it changed. Null for other stories."
    ),
    new_enum_value=ENUM_OPTION.means(
        "Option of an enum field after it changed. Null for other stories."
    ),
    old_multi_enum_values=array_of(ENUM_OPTION).means(
        "Options of a multi_enum field before they changed. Null for other stories."
    ),
    new_multi_enum_values=array_of(ENUM_OPTION).means(
        "Options of a multi_enum field after they changed. Null for other stories."
    ),
    old_date_value=STORY_DATES.asked_by_name().means(
        "Value of a date field before it changed. Null for other stories."
    ),
    new_date_value=STORY_DATES.asked_by_name().means(
        "Value of a date field after it changed. Null for other stories."
    ),
    old_people_value=array_of(USER_REFERENCE).means(
        "People in a people field before it changed. Null for other stories."
    ),
    new_people_value=array_of(USER_REFERENCE).means(
        "People in a people field after it changed. Null for other stories."
    ),
)

ATTACHMENT = record_of("attachment").also(
    name=STRING.means("Name of the file."),
    resource_subtype=STRING.means(
        "Service that has the file: asana, dropbox, gdrive, onedrive, box, vimeo, or external."
    ),
    created_at=DATE_TIME.means("When the file was attached (UTC)."),
    download_url=STRING.means(
        "Link to the file's content that works for about two minutes. Null for some services."
    ),
    permanent_url=STRING.means("Link to the file that does not expire but needs a login to Asana."),
    host=STRING.means("Same service as in `resource_subtype`."),
    parent=TASK_REFERENCE.joins("projects", "project_briefs", "tasks", "subtasks").means(
        "Task, project, or project brief that the file is attached to."
    ),
    size=INTEGER.means("Size of the file in bytes. Null unless Asana itself has the file."),
    view_url=STRING.means("Link to a page that shows the file. Null if the service has none."),
    connected_to_app=BOOLEAN.means(
        "Whether the app that reads the data has a widget for the file. Null for most services."
    ),
)

TAG = record_of("tag").also(
    name=STRING.means("Name of the tag."),
    color=STRING.means("Color of the tag, such as light-green. Null if none."),
    notes=STRING.means("Description of the tag."),
    created_at=DATE_TIME.means("When the tag was created (UTC)."),
    followers=array_of(USER_REFERENCE).means("People who follow the tag."),
    workspace=WORKSPACE_REFERENCE.means("Workspace or organization that the tag is in."),
    permalink_url=STRING.means("Link to the tag in Asana."),
)

PORTFOLIO = record_of("portfolio").also(
    name=STRING.means("Name of the portfolio."),
    archived=BOOLEAN.means("Whether the portfolio is archived."),
    color=STRING.means("Color of the portfolio, such as light-green."),
    start_on=DATE.means("Day work on the portfolio starts. Null if it has no start date."),
    due_on=DATE.means("Day the portfolio is due. Null if it has no due date."),
    default_access_level=STRING.means("Access that new members get: admin, editor, or viewer."),
    created_at=DATE_TIME.means("When the portfolio was created (UTC)."),
    created_by=USER_REFERENCE.means("Person who created the portfolio."),
    custom_field_settings=CUSTOM_FIELD_SETTINGS.means(
        "Custom fields that projects in the portfolio can have."
    ),
    current_status_update=STATUS_UPDATE_REFERENCE.means(
        "Latest status update of the portfolio. Null if there is none."
    ),
    custom_fields=array_of(CUSTOM_FIELD_VALUE)
    .joins("custom_fields")
    .means("Custom fields of the portfolio itself, with their values."),
    members=array_of(USER_REFERENCE).means("People who are members of the portfolio."),
    owner=USER_REFERENCE.means("Owner of the portfolio."),
    workspace=WORKSPACE_REFERENCE.means("Workspace or organization that the portfolio is in."),
    permalink_url=STRING.means("Link to the portfolio in Asana."),
    public=BOOLEAN.means("Whether everyone in the workspace can find the portfolio."),
    privacy_setting=STRING.means("Who can find the portfolio: public_to_domain or members_only."),
    project_templates=array_of(NAMED_RESOURCE.joins("project_templates")).means(
        "Project templates in the portfolio."
    ),
)

PORTFOLIO_MEMBERSHIP = record_of("portfolio_membership").also(
    portfolio=PORTFOLIO_REFERENCE.means("Portfolio that the person is in."),
    user=USER_REFERENCE.means("Person in the portfolio."),
    access_level=STRING.means("What the person can do there: admin, editor, or viewer."),
)

TIME_PERIOD_REFERENCE = RESOURCE.also(
    display_name=STRING,
    period=STRING,
    start_on=DATE,
    end_on=DATE,
).joins("time_periods")

TIME_PERIOD = record_of("time_period").also(
    display_name=STRING.means("Name of the period, such as Q1 FY26."),
    period=STRING.means("Part of the fiscal year: FY, H1, H2, Q1, Q2, Q3, or Q4."),
    start_on=DATE.means("First day of the period."),
    end_on=DATE.means("Last day of the period."),
    parent=TIME_PERIOD_REFERENCE.means("Longer period around this one. Null for a fiscal year."),
)

GOAL = record_of("goal").also(
    name=STRING.means("Name of the goal."),
    html_notes=STRING.means("Description of the goal as HTML."),
    notes=STRING.means("Description of the goal as plain text."),
    due_on=DATE.means("Day the goal is due. Null if it has no due date."),
    start_on=DATE.means("Day work on the goal starts. Null if it has no start date."),
    is_workspace_level=BOOLEAN.means(
        "Whether the goal is one of the whole organization. If false, it belongs to `team`."
    ),
    liked=BOOLEAN.means("Whether the token's owner likes the goal."),
    likes=array_of(LIKE).means("Likes of the goal, each with the person who gave it."),
    num_likes=INTEGER.means("Number of people who like the goal."),
    team=TEAM_REFERENCE.means("Team of the goal. Null for a goal of the whole workspace."),
    workspace=WORKSPACE_REFERENCE.means("Workspace or organization that the goal is in."),
    followers=array_of(USER_REFERENCE).means("Members of the goal."),
    time_period=TIME_PERIOD_REFERENCE.means("Period that the goal is set for. Null if none."),
    metric=RESOURCE.also(
        resource_subtype=STRING.means("Always `number`."),
        precision=INTEGER.means("Decimal places of the values, 0 to 6."),
        unit=STRING.means("Unit of the values: none, currency, or percentage."),
        currency_code=STRING.means(
            "ISO 4217 code of the currency, such as EUR. Null unless `unit` is currency."
        ),
        initial_number_value=NUMBER.means("Value at the start."),
        target_number_value=NUMBER.means("Value to reach."),
        current_number_value=NUMBER.means("Value now."),
        current_display_value=STRING.means("Value now, as text."),
        progress_source=STRING.means(
            "Where the current value comes from: manual, subgoal_progress, "
            "project_task_completion, project_milestone_completion, task_completion, or external."
        ),
        is_custom_weight=BOOLEAN.means(
            "Whether what supports the goal is weighted by `contribution_weight` of "
            "goal_relationships, rather than equally."
        ),
        can_manage=BOOLEAN.means(
            "Whether the token's owner can set the current value. Null unless `progress_source` "
            "is external."
        ),
    ).means("How progress is measured. Null if the goal has no metric."),
    owner=USER_REFERENCE.means("Owner of the goal."),
    current_status_update=STATUS_UPDATE_REFERENCE.means(
        "Latest status update of the goal. Null if there is none."
    ),
    status=STRING.means(
        "State of the goal: green (on track), yellow (at risk), or red (off track); when closed "
        "missed, achieved, partial, or dropped."
    ),
    privacy_setting=STRING.means("Who can find the goal: public_to_workspace or members_only."),
    default_access_level=STRING.means(
        "Access that new members get: admin, editor, commenter, or viewer."
    ),
    custom_fields=array_of(CUSTOM_FIELD_VALUE)
    .joins("custom_fields")
    .means("Custom fields of the goal itself, with their values."),
    custom_field_settings=CUSTOM_FIELD_SETTINGS.plain().means(
        "Custom fields that the goal uses. They are not in custom_field_settings."
    ),
)

GOAL_REFERENCE = NAMED_RESOURCE.also(
    owner=USER_REFERENCE,
).joins("goals")

GOAL_RELATIONSHIP = record_of("goal_relationship").also(
    resource_subtype=STRING.means(
        "Kind of support: `subgoal` if a goal supports the goal, else `supporting_work`."
    ),
    supporting_resource=NAMED_RESOURCE.joins(
        "goals", "projects", "tasks", "subtasks", "portfolios"
    ).means("What supports the goal."),
    contribution_weight=NUMBER.means(
        "Share of the supporting progress that counts toward the goal, from 0 to 1."
    ),
    supported_goal=GOAL_REFERENCE.means("Goal that is supported."),
)

STATUS_UPDATE = record_of("status_update").also(
    title=STRING.means("Headline of the update."),
    resource_subtype=STRING.means(
        "What the update is about: project_status_update, portfolio_status_update, or "
        "goal_status_update."
    ),
    text=STRING.means("Text of the update."),
    html_text=STRING.means("Text of the update as HTML."),
    status_type=STRING.means(
        "State it reports: on_track, at_risk, off_track, on_hold, complete, or dropped; for goals "
        "also achieved, partial, or missed."
    ),
    author=USER_REFERENCE.means("Person who wrote the update."),
    created_at=DATE_TIME.means("When the update was posted (UTC)."),
    created_by=USER_REFERENCE.means("Person who posted the update."),
    modified_at=DATE_TIME.means(
        "When the update was last modified (UTC). Comments on it do not count."
    ),
    hearted=BOOLEAN.means("Deprecated by Asana; use `liked`."),
    hearts=array_of(LIKE).means("Deprecated by Asana; use `likes`."),
    num_hearts=INTEGER.means("Deprecated by Asana; use `num_likes`."),
    liked=BOOLEAN.means("Whether the token's owner likes the update."),
    likes=array_of(LIKE).means("Likes of the update, each with the person who gave it."),
    num_likes=INTEGER.means("Number of people who like the update."),
    reaction_summary=array_of(REACTION).means("Emoji reactions to the update, one item per emoji."),
    parent=NAMED_RESOURCE.joins("projects", "portfolios", "goals").means(
        "Project, portfolio, or goal that the update is about."
    ),
)

PROJECT_MEMBERSHIP = record_of("project_membership").also(
    parent=PROJECT_REFERENCE.means("Project that the member has access to."),
    member=MEMBER_REFERENCE.means("Person or team with access; `resource_type` says which."),
    access_level=STRING.means("What the member can do there: admin, editor, commenter, or viewer."),
)

# What `/memberships` gives without opt_fields: it documents none for them.
MEMBERSHIP = record_of("membership").also(
    resource_subtype=STRING.means("Always `portfolio_membership`."),
    parent=PORTFOLIO_REFERENCE.means("Portfolio that the member has access to."),
    member=MEMBER_REFERENCE.means("Person or team with access; `resource_type` says which."),
    access_level=STRING.means("What the member can do there: admin, editor, or viewer."),
)

GOAL_MEMBERSHIP = MEMBERSHIP.also(
    resource_subtype=STRING.means("Always `goal_membership`."),
    parent=GOAL_REFERENCE.means("Goal that the member has access to."),
    access_level=STRING.means("What the member can do there: viewer, commenter, editor, or admin."),
    role=STRING.means("Deprecated by Asana; use `access_level`."),
    goal=GOAL_REFERENCE.means("Deprecated by Asana; use `parent`."),
    is_commenter=BOOLEAN.means("Deprecated by Asana, always null; use `access_level`."),
    is_editor=BOOLEAN.means("Deprecated by Asana, always null; use `access_level`."),
)

USER_TASK_LIST = record_of("user_task_list").also(
    name=STRING.means("Name of the list, such as My tasks in Example Inc."),
    owner=USER_REFERENCE.asked_by_name().means("Person whose tasks the list has."),
    workspace=WORKSPACE_REFERENCE.asked_by_name().means(
        "Workspace or organization that the list is in."
    ),
)

WORKSPACE_MEMBERSHIP = record_of("workspace_membership").also(
    user=USER_REFERENCE.means("Person in the workspace."),
    workspace=WORKSPACE_REFERENCE.means("Workspace or organization that the person is in."),
    user_task_list=USER_TASK_LIST.joins("user_task_lists").means(
        "The person's My tasks list in the workspace."
    ),
    is_active=BOOLEAN.means(
        "Whether the person belongs to the workspace now. Pending invitations count as active."
    ),
    is_admin=BOOLEAN.means("Whether the person is an admin of the workspace."),
    is_guest=BOOLEAN.means("Whether the person is a guest in the workspace."),
    is_view_only=BOOLEAN.means("Whether the person has a view-only license."),
    vacation_dates=object_(
        start_on=DATE.means("First day of the vacation."),
        end_on=DATE.means("Last day of the vacation. Null if it is open-ended."),
    ).means("Deprecated by Asana. Current or next vacation of the person. Null if none."),
    created_at=DATE_TIME.means("When the person joined the workspace (UTC)."),
)

TIME_TRACKING_ENTRY = record_of("time_tracking_entry").also(
    duration_minutes=INTEGER.means("Time worked, in minutes."),
    entered_on=DATE.means("Day the time is logged for."),
    attributable_to=PROJECT_REFERENCE.means("Project whose budget the time counts toward."),
    created_by=USER_REFERENCE.means("Person who logged the time."),
    categories=array_of(
        NAMED_RESOURCE.also(
            color=STRING,
        ).joins("time_tracking_categories")
    ).means("Categories of the time, such as a kind of work."),
    task=TASK_REFERENCE.means("Task that the time was spent on."),
    created_at=DATE_TIME.means("When the entry was created (UTC)."),
    approval_status=STRING.means(
        "Approval of the entry: DRAFT, SUBMITTED, APPROVED, or REJECTED. Null if not used."
    ),
    billable_status=STRING.means(
        "Whether the time is billed: billable, nonBillable, or notApplicable. Null if not used."
    ),
    description=STRING.means("What was done, in the person's words. Null if empty."),
)

ALLOCATION = record_of("allocation").also(
    resource_subtype=STRING.means("Kind of allocation, such as project_allocation."),
    start_date=DATE.means("First day of the allocation."),
    end_date=DATE.means("Last day of the allocation."),
    effort=object_(
        type=STRING.means("Unit of the value: hours or percent."),
        value=NUMBER.means("How much of the assignee's time, in hours or percent."),
    ).means("How much the assignee is planned to work on the project."),
    assignee=USER_REFERENCE.means("Person or placeholder who is planned to do the work."),
    created_by=USER_REFERENCE.means("Person who created the allocation."),
    parent=PROJECT_REFERENCE.means("Project that the work is planned for."),
)

PROJECT_TEMPLATE = record_of("project_template").also(
    name=STRING.means("Name of the template."),
    description=STRING.means("Description of the template as plain text."),
    html_description=STRING.means("Description of the template as HTML."),
    public=BOOLEAN.means("Whether everyone in the team can find the template."),
    owner=USER_REFERENCE.asked_by_name().means("Owner of the template. Null if it has none."),
    team=TEAM_REFERENCE.means("Team that the template belongs to."),
    requested_dates=array_of(
        object_(
            gid=STRING,
            name=STRING,
            description=STRING.means("What the date is used for."),
        )
    ).means("Dates to fill in when a project is made from the template."),
    color=STRING.means("Color of the template, such as light-green. Null if none."),
    requested_roles=array_of(NAMED_RESOURCE).means(
        "Roles to fill with people when a project is made from the template."
    ),
)

TASK_RECIPE_REFERENCE = object_(
    name=STRING,
    task_resource_subtype=STRING,
)

TASK_TEMPLATE = record_of("task_template").also(
    name=STRING.means("Name of the template."),
    project=PROJECT_REFERENCE.asked_by_name().means("Project that the template is in."),
    template=TASK_RECIPE_REFERENCE.also(
        name=STRING.means("Name of the new task."),
        task_resource_subtype=STRING.means(
            "Kind of the new task: default_task, milestone_task, or approval_task."
        ),
        description=STRING.means("Description of the new task as plain text."),
        html_description=STRING.means("Description of the new task as HTML."),
        memberships=array_of(PROJECT_REFERENCE).means("Projects that the new task is put in."),
        relative_start_on=INTEGER.means("Start date, in days after the task is made."),
        relative_due_on=INTEGER.means("Due date, in days after the task is made."),
        due_time=STRING.means("Time of day the new task is due."),
        dependencies=array_of(TASK_RECIPE_REFERENCE).means("What the new task waits for."),
        dependents=array_of(TASK_RECIPE_REFERENCE).means("What waits for the new task."),
        followers=array_of(USER_REFERENCE).means("People who follow the new task."),
        attachments=array_of(
            NAMED_RESOURCE.also(
                resource_subtype=STRING,
            )
        ).means("Files attached to the new task."),
        subtasks=array_of(TASK_RECIPE_REFERENCE).means("Subtasks of the new task."),
        custom_fields=array_of(CUSTOM_FIELD_VALUE)
        .joins("custom_fields")
        .means("Custom fields of the new task, with their values."),
    )
    .asked_by_name()
    .means("What a task made from the template looks like."),
    created_by=USER_REFERENCE.asked_by_name().means("Person who created the template."),
    created_at=DATE_TIME.means("When the template was created (UTC)."),
)

PROJECT_BRIEF = record_of("project_brief").also(
    title=STRING.means("Title of the brief."),
    text=STRING.means("Text of the brief as plain text."),
    html_text=STRING.means("Text of the brief as HTML."),
    permalink_url=STRING.means("Link to the brief in Asana."),
    project=PROJECT_REFERENCE.means("Project that the brief describes."),
)

CUSTOM_TYPE = record_of("custom_type").also(
    name=STRING.means("Name of the type, such as Bug."),
    status_options=array_of(
        NAMED_RESOURCE.also(
            completion_state=STRING.means("Whether the status means open or done."),
            enabled=BOOLEAN.means("Whether people can choose the status."),
            color=STRING,
        )
    ).means("Statuses that tasks of the type can have."),
)

_UNITS = "Unit of the value: minutes, or the currency such as USD."
_FILTER = "Which time counts: billable, non_billable, or any."

BUDGET = record_of("budget").also(
    budget_type=STRING.means("What the budget limits: cost or time."),
    estimate=object_(
        billable_status_filter=STRING.means(_FILTER),
        source=STRING.means("Where estimates come from: tasks, capacity_plans, or none."),
        enabled=BOOLEAN.means("Whether the budget shows the estimate."),
        units=STRING.means(_UNITS),
        value=NUMBER.means("Estimated minutes, or their cost."),
    ).means("Estimated work of the project."),
    actual=object_(
        billable_status_filter=STRING.means(_FILTER),
        units=STRING.means(_UNITS),
        value=NUMBER.means("Tracked minutes, or their cost."),
    ).means("Time tracked for the project so far."),
    total=object_(
        enabled=BOOLEAN.means("Whether the budget has a limit."),
        units=STRING.means(_UNITS),
        value=NUMBER.means("Limit in minutes, or in money."),
    ).means("Limit that people set."),
    parent=PROJECT_REFERENCE.means("Project that the budget is for."),
)

# What `/rates` gives without opt_fields: it documents none for them.
RATE = record_of("rate").also(
    parent=PROJECT_REFERENCE.means("Project that the rate applies to."),
    resource=NAMED_RESOURCE.joins("users").means(
        "Person or placeholder whose time costs this; `resource_type` says which."
    ),
    rate=NUMBER.means("What their time costs, in the currency."),
    currency_code=STRING.means("ISO 4217 code of the currency, such as USD."),
    created_by=USER_REFERENCE.means("Person who set the rate."),
)

PROJECT_PORTFOLIO_SETTING = record_of("project_portfolio_setting").also(
    project=PROJECT_REFERENCE.asked_by_name().means("Project in the portfolio."),
    portfolio=PORTFOLIO_REFERENCE.asked_by_name().means("Portfolio that has the project."),
    is_access_control_inherited=BOOLEAN.means(
        "Whether members of the portfolio can see the project because of it."
    ),
    created_at=DATE_TIME.means("When the project was added to the portfolio (UTC)."),
)

GOAL_STORY = STORY.also(
    target=TASK_REFERENCE.joins("goals").means("Goal that the story belongs to."),
)

TIME_TRACKING_CATEGORY = record_of("time_tracking_category").also(
    name=STRING.means("Name of the category, such as a kind of work."),
    color=STRING.means("Color of the category, such as yellow-orange, or none."),
    is_archived=BOOLEAN.means("Whether new entries can no longer use the category."),
)

TIMESHEET_APPROVAL_STATUS = record_of("timesheet_approval_status").also(
    user=USER_REFERENCE.means("Person whose timesheet it is."),
    workspace=WORKSPACE_REFERENCE.means("Workspace or organization of the timesheet."),
    start_date=DATE.means("First day of the week."),
    end_date=DATE.means("Last day of the week."),
    approval_status=STRING.means(
        "State of the timesheet: DRAFT, SUBMITTED, APPROVED, or REJECTED."
    ),
    created_at=DATE_TIME.means("When the timesheet was created (UTC)."),
)

OOO_ENTRY = record_of("ooo_entry").also(
    start_date=DATE.means("First day of the absence."),
    end_date=DATE.means("Last day of the absence."),
    user=USER_REFERENCE.means("Person who is out of office."),
    created_by=USER_REFERENCE.means("Person who entered the absence."),
)

ROLE = record_of("role").also(
    name=STRING.means("Name of the role."),
    description=STRING.means("What the role is for, in an admin's words."),
    is_standard_role=BOOLEAN.means("Whether the role is one of Asana's own."),
    base_role_type=STRING.means(
        "Role that this one is derived from: guest, member, admin, or super_admin."
    ),
    permissions=object_(
        allowed_guest_invites=STRING.means("Guests the role can invite: all or none."),
        assign_roles=BOOLEAN,
        create_and_edit_ai_automations=BOOLEAN,
        create_and_edit_ai_teammates=BOOLEAN,
        create_app_authorization=BOOLEAN,
        create_global_custom_fields=BOOLEAN,
        create_goal=BOOLEAN,
        create_pat_authorization=BOOLEAN,
        create_portfolio=BOOLEAN,
        create_project=BOOLEAN,
        create_read_only_link=BOOLEAN,
        create_team=BOOLEAN,
        download_mobile_attachments=BOOLEAN,
        export_project_data=BOOLEAN,
        import_data=BOOLEAN,
        manage_roles=BOOLEAN,
        proactive_ai=BOOLEAN,
        share_goal_with_domain=BOOLEAN,
        share_portfolios_with_org=BOOLEAN,
        share_teams_with_org=BOOLEAN,
        standard_ai=BOOLEAN,
        task_deletion_policy=STRING.means("Tasks the role can delete: all, owned, or none."),
        upload_attachments=BOOLEAN,
        view_public_teams=BOOLEAN,
        view_shared_with_org_portfolios=BOOLEAN,
        view_shared_with_org_projects=BOOLEAN,
        view_shared_with_org_tasks=BOOLEAN,
    ).means("What people with the role can do, one yes or no per permission."),
    creation_time=DATE_TIME.means("When the role was created (UTC)."),
    modified_at=DATE_TIME.means("When the role was last modified (UTC)."),
    workspace=WORKSPACE_REFERENCE.means("Workspace or organization that the role is for."),
)

# Comes whole because it takes no opt_fields; what `details` has depends on the type of the event.
AUDIT_LOG_EVENT = object_(
    gid=STRING.means("Unique ID of the event."),
    created_at=DATE_TIME.means("When the event happened (UTC)."),
    event_type=STRING.means("What happened, such as task_deleted."),
    event_category=STRING.means("Group of the event type, such as deletion."),
    actor=object_(
        actor_type=STRING.means(
            "Who acted: user, asana, asana_support, anonymous, or external_administrator."
        ),
        gid=STRING,
        name=STRING,
        email=STRING.means("Email address. Null unless a user acted."),
    )
    .joins("users")
    .means("Who caused the event, usually a user."),
    resource=object_(
        resource_type=STRING,
        resource_subtype=STRING,
        gid=STRING,
        name=STRING,
        email=STRING,
    ).means("What the event is about, such as a task, a user, or a project."),
    details=object_().means(
        "More about the event, such as old and new values. Depends on its type."
    ),
    context=object_(
        context_type=STRING.means(
            "Where the event came from: web, desktop, mobile, asana_support, asana, email, or api."
        ),
        api_authentication_method=STRING.means(
            "How an API request signed in: cookie, oauth, personal_access_token, or "
            "service_account. Null unless `context_type` is api."
        ),
        client_ip_address=STRING.means("IP address of the client. Null if there is none."),
        user_agent=STRING.means("Browser or program of the client. Null if there is none."),
        oauth_app_name=STRING.means("Name of the OAuth app. Null for other ways to sign in."),
        rule_name=STRING.means("Name of the rule that acted. Null if none did."),
        on_behalf_of_user_id=INTEGER.means("ID of the user who asked Asana's support to act."),
    ).means("Where and how the event was triggered."),
)

ORGANIZATION_EXPORT = record_of("organization_export").also(
    created_at=DATE_TIME.means("When the export was requested (UTC)."),
    download_url=STRING.means(
        "Link to the export, gzipped JSON, that works for about an hour. Null until finished."
    ),
    state=STRING.means("State of the export: pending, started, finished, or error."),
    organization=WORKSPACE_REFERENCE.means("Organization that is exported."),
)

EVENT = object_(
    user=USER_REFERENCE.means("Person who caused the event. Null if Asana did."),
    resource=NAMED_RESOURCE.joins(
        "projects", "sections", "tasks", "subtasks", "stories", "attachments"
    ).means("What the event happened to."),
    type=STRING.means(
        "Deprecated by Asana; use `resource_type` of `resource`. Type of the resource."
    ),
    action=STRING.means("What happened: changed, added, removed, deleted, or undeleted."),
    parent=NAMED_RESOURCE.joins("projects", "sections", "tasks", "subtasks").means(
        "What gained or lost the resource. Null for other events."
    ),
    created_at=DATE_TIME.means("When the event happened (UTC)."),
    change=object_(
        field=STRING.means("Field of the resource that changed."),
        action=STRING.means("What happened to the field: changed, added, or removed."),
        new_value=NAMED_RESOURCE.asked_by_name().means(
            "Resource that the field refers to now. Null for other changes."
        ),
        added_value=NAMED_RESOURCE.asked_by_name().means(
            "Resource that was added to the field. Null for other changes."
        ),
        removed_value=NAMED_RESOURCE.asked_by_name().means(
            "Resource that was removed from the field. Null for other changes."
        ),
    ).means("Which field changed, and how. Null unless `action` is changed."),
)

# The columns of the compact streams: what they are below, and the cursor of those that have one

ATTACHMENT_COMPACT = ATTACHMENT.only(
    "gid",
    "resource_type",
    "name",
    "resource_subtype",
    "created_at",
    "parent",
)

SECTION_COMPACT = SECTION.only(
    "gid",
    "resource_type",
    "name",
    "created_at",
    "project",
)

STORY_COMPACT = STORY.only(
    "gid",
    "resource_type",
    "created_at",
    "created_by",
    "type",
    "resource_subtype",
    "text",
    "task",
    "target",
)

PORTFOLIO_COMPACT = PORTFOLIO.only(
    "gid",
    "resource_type",
    "name",
    "workspace",
)
