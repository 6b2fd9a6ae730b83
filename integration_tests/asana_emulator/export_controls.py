"""What tests can change about resource exports and the download of their files."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from .objects import Record

FileTrouble = Literal[
    "missing", "forbidden", "not_gzip", "cut", "reset", "hang", "bomb", "redirect"
]


@dataclass
class ExportControls:
    """How resource exports behave.

    `polls`: how often a job is asked for until it ends; None: it never does. `outcome`: the status
    with which it ends. `is_busy`: another export of each workspace is in progress. `has_url`:
    whether a job that has succeeded says where its file is. `made`: whether the objects in a file
    are as they were when the job began or when it ended; the reference allows both. `subtasks`:
    whether they are in the file; the reference does not say. `line`: changes each line of a file,
    or leaves it out (None). `trouble`: what becomes of a download, the first `times` times (None:
    always):

        missing, forbidden  404, 403
        not_gzip            JSON Lines that are not zipped
        cut                 half of the file, as if it were the whole
        reset               the connection is reset after half of the file
        hang                half of the file, and then nothing
        bomb                one line of blanks without an end
        redirect            302 to another address
    """

    polls: int | None = 2
    outcome: Literal["succeeded", "failed"] = "succeeded"
    is_busy: bool = False
    has_url: bool = True
    made: Literal["at_start", "at_end"] = "at_start"
    subtasks: bool = True
    line: Callable[[Record], Any] | None = None
    trouble: FileTrouble | None = None
    times: int | None = None
