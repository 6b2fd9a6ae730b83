"""The shape of each Asana record, one field a line. https://developers.asana.com/reference"""

from source_asana.streams.fields import (
    BOOLEAN,
    DATE,
    DATE_TIME,
    INTEGER,
    NUMBER,
    STRING,
    array_of,
    object_,
)

# What records hold of each other

RESOURCE = object_(
    gid=STRING,
    resource_type=STRING,
)

NAMED_RESOURCE = RESOURCE.also(
    name=STRING,
)

TASK_REFERENCE = NAMED_RESOURCE.also(
    resource_subtype=STRING,
    created_by=RESOURCE,
)

STORY_REFERENCE = RESOURCE.also(
    created_at=DATE_TIME,
    created_by=NAMED_RESOURCE,
    resource_subtype=STRING,
    text=STRING,
)

STATUS_UPDATE_REFERENCE = RESOURCE.also(
    title=STRING,
    resource_subtype=STRING,
)

PROJECT_STATUS = RESOURCE.also(
    title=STRING,
    text=STRING,
    html_text=STRING,
    color=STRING,
    author=NAMED_RESOURCE,
    created_at=DATE_TIME,
    created_by=NAMED_RESOURCE,
    modified_at=DATE_TIME,
)

LIKE = object_(
    gid=STRING,
    user=NAMED_RESOURCE,
)

REACTION = object_(
    emoji_base=STRING,
    variant=STRING,
    count=NUMBER,
    reacted=BOOLEAN,
)

ENUM_OPTION = NAMED_RESOURCE.also(
    enabled=BOOLEAN,
    color=STRING,
)

CUSTOM_FIELD_VALUE = NAMED_RESOURCE.also(
    type=STRING,
    enum_options=array_of(ENUM_OPTION),
    enabled=BOOLEAN,
    representation_type=STRING,
    id_prefix=STRING,
    input_restrictions=array_of(STRING),
    is_formula_field=BOOLEAN,
    date_value=object_(
        date=DATE,
        date_time=DATE_TIME,
    ),
    enum_value=ENUM_OPTION,
    multi_enum_values=array_of(ENUM_OPTION),
    number_value=NUMBER,
    text_value=STRING,
    display_value=STRING,
)

# The definition of a custom field; in a task it comes with the task's value.
CUSTOM_FIELD = CUSTOM_FIELD_VALUE.also(
    description=STRING,
    precision=INTEGER,
    format=STRING,
    currency_code=STRING,
    custom_label=STRING,
    custom_label_position=STRING,
    is_global_to_workspace=BOOLEAN,
    has_notifications_enabled=BOOLEAN,
    asana_created_field=STRING,
    is_value_read_only=BOOLEAN,
    created_by=NAMED_RESOURCE,
    people_value=array_of(NAMED_RESOURCE),
    reference_value=array_of(NAMED_RESOURCE),
    html_text_value=STRING,
    privacy_setting=STRING,
    default_access_level=STRING,
    resource_subtype=STRING,
)

CUSTOM_FIELD_SETTING = RESOURCE.also(
    project=NAMED_RESOURCE,
    is_important=BOOLEAN,
    parent=NAMED_RESOURCE,
    custom_field=CUSTOM_FIELD,
)

STORY_DATES = object_(
    start_on=DATE,
    due_at=DATE_TIME,
    due_on=DATE,
)

# Records

WORKSPACE = NAMED_RESOURCE.also(
    email_domains=array_of(STRING),
    is_organization=BOOLEAN,
)

USER = NAMED_RESOURCE.also(
    email=STRING,
    photo=object_(
        image_21x21=STRING,
        image_27x27=STRING,
        image_36x36=STRING,
        image_60x60=STRING,
        image_128x128=STRING,
        image_1024x1024=STRING,
    ),
    workspaces=array_of(NAMED_RESOURCE),
    custom_fields=array_of(CUSTOM_FIELD_VALUE),
)

TEAM = NAMED_RESOURCE.also(
    description=STRING,
    html_description=STRING,
    organization=NAMED_RESOURCE,
    permalink_url=STRING,
    visibility=STRING,
    edit_team_name_or_description_access_level=STRING,
    edit_team_visibility_or_trash_team_access_level=STRING,
    member_invite_management_access_level=STRING,
    guest_invite_management_access_level=STRING,
    join_request_management_access_level=STRING,
    team_member_removal_access_level=STRING,
    team_content_management_access_level=STRING,
    endorsed=BOOLEAN,
    custom_field_settings=array_of(CUSTOM_FIELD_SETTING),
)

TEAM_MEMBERSHIP = RESOURCE.also(
    user=NAMED_RESOURCE,
    team=NAMED_RESOURCE,
    is_guest=BOOLEAN,
    is_limited_access=BOOLEAN,
    is_admin=BOOLEAN,
)

# A nested portfolio fills those of a project's columns that it has too.
PORTFOLIO_ITEM = NAMED_RESOURCE.also(
    archived=BOOLEAN,
    color=STRING,
    icon=STRING,
    created_at=DATE_TIME,
    current_status=PROJECT_STATUS,
    current_status_update=STATUS_UPDATE_REFERENCE,
    custom_field_settings=array_of(CUSTOM_FIELD_SETTING),
    default_view=STRING,
    due_date=DATE,
    due_on=DATE,
    html_notes=STRING,
    members=array_of(NAMED_RESOURCE),
    modified_at=DATE_TIME,
    notes=STRING,
    public=BOOLEAN,
    privacy_setting=STRING,
    start_on=DATE,
    default_access_level=STRING,
    minimum_access_level_for_customization=STRING,
    minimum_access_level_for_sharing=STRING,
    custom_fields=array_of(CUSTOM_FIELD_VALUE.also(resource_subtype=STRING)),
    completed=BOOLEAN,
    completed_at=DATE_TIME,
    completed_by=NAMED_RESOURCE,
    followers=array_of(NAMED_RESOURCE),
    owner=NAMED_RESOURCE.asked_by_name(),
    team=NAMED_RESOURCE,
    permalink_url=STRING,
    project_brief=RESOURCE,
    created_from_template=NAMED_RESOURCE,
    workspace=NAMED_RESOURCE,
)

PROJECT = PORTFOLIO_ITEM.also(
    is_template=BOOLEAN,  # gone at Asana, so always null: kept for the tables that have it
)

SECTION = NAMED_RESOURCE.also(
    created_at=DATE_TIME,
    project=NAMED_RESOURCE,
    projects=array_of(NAMED_RESOURCE),
)

TASK = NAMED_RESOURCE.also(
    resource_subtype=STRING,
    created_by=RESOURCE,
    approval_status=STRING,
    assignee_status=STRING,
    assigned_by=NAMED_RESOURCE,
    completed=BOOLEAN,
    completed_at=DATE_TIME,
    completed_by=NAMED_RESOURCE,
    created_at=DATE_TIME,
    dependencies=array_of(RESOURCE),
    dependents=array_of(RESOURCE),
    due_at=DATE_TIME,
    due_on=DATE,
    external=object_(
        gid=STRING,
        data=STRING,
    ),
    html_notes=STRING,
    hearted=BOOLEAN,
    hearts=array_of(LIKE),
    is_rendered_as_separator=BOOLEAN,
    liked=BOOLEAN,
    likes=array_of(LIKE),
    memberships=array_of(
        object_(
            project=NAMED_RESOURCE,
            section=NAMED_RESOURCE,
        )
    ),
    modified_at=DATE_TIME,
    notes=STRING,
    num_hearts=INTEGER,
    num_likes=INTEGER,
    num_subtasks=INTEGER,
    start_at=DATE_TIME,
    start_on=DATE,
    actual_time_minutes=INTEGER,
    assignee=NAMED_RESOURCE,
    assignee_section=NAMED_RESOURCE,
    custom_fields=array_of(CUSTOM_FIELD),
    custom_type=NAMED_RESOURCE,
    custom_type_status_option=NAMED_RESOURCE,
    followers=array_of(NAMED_RESOURCE),
    parent=TASK_REFERENCE,
    projects=array_of(NAMED_RESOURCE),
    tags=array_of(NAMED_RESOURCE),
    workspace=NAMED_RESOURCE,
    permalink_url=STRING,
)

STORY = RESOURCE.also(
    created_at=DATE_TIME,
    created_by=NAMED_RESOURCE,
    type=STRING,
    resource_subtype=STRING,
    text=STRING,
    html_text=STRING,
    is_pinned=BOOLEAN,
    is_editable=BOOLEAN,
    is_edited=BOOLEAN,
    sticker_name=STRING,
    source=STRING,
    target=TASK_REFERENCE,
    hearted=BOOLEAN,
    hearts=array_of(LIKE),
    num_hearts=INTEGER,
    liked=BOOLEAN,
    likes=array_of(LIKE),
    num_likes=INTEGER,
    reaction_summary=array_of(REACTION),
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
    ),
    # What a system story is about: which of these it has follows from its subtype.
    story=STORY_REFERENCE,
    task=TASK_REFERENCE,
    project=NAMED_RESOURCE,
    tag=NAMED_RESOURCE,
    assignee=NAMED_RESOURCE,
    follower=NAMED_RESOURCE,
    dependency=TASK_REFERENCE,
    duplicate_of=TASK_REFERENCE,
    duplicated_from=TASK_REFERENCE,
    custom_field=CUSTOM_FIELD_VALUE,
    old_name=STRING,
    new_name=STRING,
    old_dates=STORY_DATES,
    new_dates=STORY_DATES,
    old_resource_subtype=STRING,
    new_resource_subtype=STRING,
    old_section=NAMED_RESOURCE,
    new_section=NAMED_RESOURCE,
    old_approval_status=STRING,
    new_approval_status=STRING,
    old_text_value=STRING,
    new_text_value=STRING,
    old_number_value=NUMBER,
    new_number_value=NUMBER,
    old_enum_value=ENUM_OPTION,
    new_enum_value=ENUM_OPTION,
    old_multi_enum_values=array_of(ENUM_OPTION),
    new_multi_enum_values=array_of(ENUM_OPTION),
    old_date_value=STORY_DATES.asked_by_name(),
    new_date_value=STORY_DATES.asked_by_name(),
    old_people_value=array_of(NAMED_RESOURCE),
    new_people_value=array_of(NAMED_RESOURCE),
)

ATTACHMENT = NAMED_RESOURCE.also(
    resource_subtype=STRING,
    created_at=DATE_TIME,
    download_url=STRING,
    permanent_url=STRING,
    host=STRING,
    parent=TASK_REFERENCE,
    size=INTEGER,
    view_url=STRING,
    connected_to_app=BOOLEAN,
)

TAG = NAMED_RESOURCE.also(
    color=STRING,
    notes=STRING,
    created_at=DATE_TIME,
    followers=array_of(NAMED_RESOURCE),
    workspace=NAMED_RESOURCE,
    permalink_url=STRING,
)

PORTFOLIO = NAMED_RESOURCE.also(
    archived=BOOLEAN,
    color=STRING,
    start_on=DATE,
    due_on=DATE,
    default_access_level=STRING,
    created_at=DATE_TIME,
    created_by=NAMED_RESOURCE,
    custom_field_settings=array_of(CUSTOM_FIELD_SETTING),
    current_status_update=STATUS_UPDATE_REFERENCE,
    custom_fields=array_of(CUSTOM_FIELD_VALUE),
    members=array_of(NAMED_RESOURCE),
    owner=NAMED_RESOURCE,
    workspace=NAMED_RESOURCE,
    permalink_url=STRING,
    public=BOOLEAN,
    privacy_setting=STRING,
    project_templates=array_of(NAMED_RESOURCE),
)

PORTFOLIO_MEMBERSHIP = RESOURCE.also(
    portfolio=NAMED_RESOURCE,
    user=NAMED_RESOURCE,
    access_level=STRING,
)

TIME_PERIOD_REFERENCE = RESOURCE.also(
    display_name=STRING,
    period=STRING,
    start_on=DATE,
    end_on=DATE,
)

TIME_PERIOD = TIME_PERIOD_REFERENCE.also(
    parent=TIME_PERIOD_REFERENCE,
)

GOAL = NAMED_RESOURCE.also(
    html_notes=STRING,
    notes=STRING,
    due_on=DATE,
    start_on=DATE,
    is_workspace_level=BOOLEAN,
    liked=BOOLEAN,
    likes=array_of(LIKE),
    num_likes=INTEGER,
    team=NAMED_RESOURCE,
    workspace=NAMED_RESOURCE,
    followers=array_of(NAMED_RESOURCE),
    time_period=TIME_PERIOD_REFERENCE,
    metric=RESOURCE.also(
        resource_subtype=STRING,
        precision=INTEGER,
        unit=STRING,
        currency_code=STRING,
        initial_number_value=NUMBER,
        target_number_value=NUMBER,
        current_number_value=NUMBER,
        current_display_value=STRING,
        progress_source=STRING,
        is_custom_weight=BOOLEAN,
        can_manage=BOOLEAN,
    ),
    owner=NAMED_RESOURCE,
    current_status_update=STATUS_UPDATE_REFERENCE,
    status=STRING,
    privacy_setting=STRING,
    default_access_level=STRING,
    custom_fields=array_of(CUSTOM_FIELD_VALUE),
    custom_field_settings=array_of(CUSTOM_FIELD_SETTING),
)

GOAL_REFERENCE = NAMED_RESOURCE.also(
    owner=NAMED_RESOURCE,
)

GOAL_RELATIONSHIP = RESOURCE.also(
    resource_subtype=STRING,
    supporting_resource=NAMED_RESOURCE,
    contribution_weight=NUMBER,
    supported_goal=GOAL_REFERENCE,
)

STATUS_UPDATE = STATUS_UPDATE_REFERENCE.also(
    text=STRING,
    html_text=STRING,
    status_type=STRING,
    author=NAMED_RESOURCE,
    created_at=DATE_TIME,
    created_by=NAMED_RESOURCE,
    modified_at=DATE_TIME,
    hearted=BOOLEAN,
    hearts=array_of(LIKE),
    num_hearts=INTEGER,
    liked=BOOLEAN,
    likes=array_of(LIKE),
    num_likes=INTEGER,
    reaction_summary=array_of(REACTION),
    parent=NAMED_RESOURCE,
)

PROJECT_MEMBERSHIP = RESOURCE.also(
    parent=NAMED_RESOURCE,
    member=NAMED_RESOURCE,
    access_level=STRING,
)

# What `/memberships` gives without opt_fields: it documents none for them.
MEMBERSHIP = RESOURCE.also(
    resource_subtype=STRING,
    parent=NAMED_RESOURCE,
    member=NAMED_RESOURCE,
    access_level=STRING,
)

GOAL_MEMBERSHIP = MEMBERSHIP.also(
    parent=GOAL_REFERENCE,
    role=STRING,
    goal=GOAL_REFERENCE,
    is_commenter=BOOLEAN,
    is_editor=BOOLEAN,
)

USER_TASK_LIST = NAMED_RESOURCE.also(
    owner=NAMED_RESOURCE.asked_by_name(),
    workspace=NAMED_RESOURCE.asked_by_name(),
)

WORKSPACE_MEMBERSHIP = RESOURCE.also(
    user=NAMED_RESOURCE,
    workspace=NAMED_RESOURCE,
    user_task_list=USER_TASK_LIST,
    is_active=BOOLEAN,
    is_admin=BOOLEAN,
    is_guest=BOOLEAN,
    is_view_only=BOOLEAN,
    vacation_dates=object_(
        start_on=DATE,
        end_on=DATE,
    ),
    created_at=DATE_TIME,
)

TIME_TRACKING_ENTRY = RESOURCE.also(
    duration_minutes=INTEGER,
    entered_on=DATE,
    attributable_to=NAMED_RESOURCE,
    created_by=NAMED_RESOURCE,
    categories=array_of(
        NAMED_RESOURCE.also(
            color=STRING,
        )
    ),
    task=TASK_REFERENCE,
    created_at=DATE_TIME,
    approval_status=STRING,
    billable_status=STRING,
    description=STRING,
)

ALLOCATION = RESOURCE.also(
    resource_subtype=STRING,
    start_date=DATE,
    end_date=DATE,
    effort=object_(
        type=STRING,
        value=NUMBER,
    ),
    assignee=NAMED_RESOURCE,
    created_by=NAMED_RESOURCE,
    parent=NAMED_RESOURCE,
)

PROJECT_TEMPLATE = NAMED_RESOURCE.also(
    description=STRING,
    html_description=STRING,
    public=BOOLEAN,
    owner=NAMED_RESOURCE.asked_by_name(),
    team=NAMED_RESOURCE,
    requested_dates=array_of(
        object_(
            gid=STRING,
            name=STRING,
            description=STRING,
        )
    ),
    color=STRING,
    requested_roles=array_of(NAMED_RESOURCE),
)

TASK_RECIPE_REFERENCE = object_(
    name=STRING,
    task_resource_subtype=STRING,
)

TASK_TEMPLATE = NAMED_RESOURCE.also(
    project=NAMED_RESOURCE.asked_by_name(),
    template=TASK_RECIPE_REFERENCE.also(
        description=STRING,
        html_description=STRING,
        memberships=array_of(NAMED_RESOURCE),
        relative_start_on=INTEGER,
        relative_due_on=INTEGER,
        due_time=STRING,
        dependencies=array_of(TASK_RECIPE_REFERENCE),
        dependents=array_of(TASK_RECIPE_REFERENCE),
        followers=array_of(NAMED_RESOURCE),
        attachments=array_of(
            NAMED_RESOURCE.also(
                resource_subtype=STRING,
            )
        ),
        subtasks=array_of(TASK_RECIPE_REFERENCE),
        custom_fields=array_of(CUSTOM_FIELD_VALUE),
    ).asked_by_name(),
    created_by=NAMED_RESOURCE.asked_by_name(),
    created_at=DATE_TIME,
)

PROJECT_BRIEF = RESOURCE.also(
    title=STRING,
    text=STRING,
    html_text=STRING,
    permalink_url=STRING,
    project=NAMED_RESOURCE,
)

# Comes whole, for it takes no opt_fields; what `details` has depends on the type of the event.
AUDIT_LOG_EVENT = object_(
    gid=STRING,
    created_at=DATE_TIME,
    event_type=STRING,
    event_category=STRING,
    actor=object_(
        actor_type=STRING,
        gid=STRING,
        name=STRING,
        email=STRING,
    ),
    resource=object_(
        resource_type=STRING,
        resource_subtype=STRING,
        gid=STRING,
        name=STRING,
        email=STRING,
    ),
    details=object_(),
    context=object_(
        context_type=STRING,
        api_authentication_method=STRING,
        client_ip_address=STRING,
        user_agent=STRING,
        oauth_app_name=STRING,
        rule_name=STRING,
        on_behalf_of_user_id=INTEGER,
    ),
)

ORGANIZATION_EXPORT = RESOURCE.also(
    created_at=DATE_TIME,
    download_url=STRING,
    state=STRING,
    organization=NAMED_RESOURCE,
)

EVENT = object_(
    user=NAMED_RESOURCE,
    resource=NAMED_RESOURCE,
    type=STRING,
    action=STRING,
    parent=NAMED_RESOURCE,
    created_at=DATE_TIME,
    change=object_(
        field=STRING,
        action=STRING,
        new_value=NAMED_RESOURCE.asked_by_name(),
        added_value=NAMED_RESOURCE.asked_by_name(),
        removed_value=NAMED_RESOURCE.asked_by_name(),
    ),
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
