"""What a probe can ask of one account, by subject."""

from dataclasses import dataclass

from source_asana.probe.asking import Asking
from source_asana.probe.examples import Examples
from source_asana.probe.sequences import EventFeeds, TaskPages


@dataclass(frozen=True)
class Questions:
    """What an assumption asks. Each raises Undecided, OutOfRequests, AsanaSilent."""

    asana: Asking
    examples: Examples
    pages: TaskPages
    events: EventFeeds


def questions_of(asana: Asking, examples: Examples) -> Questions:
    """Questions about these examples."""
    return Questions(asana, examples, TaskPages(asana, examples), EventFeeds(asana, examples))
