"""Finds phrases that are old-fashioned, passive or British, in code, comments and docs.

Prints file:line: the phrase, and what to write instead. Exits with 1 if it finds any.
Usage: phrases.py [path ...], by default PATHS.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

PATHS = (
    "source_asana",
    "local_sync",
    "benchmarks",
    "unit_tests",
    "integration_tests",
    ".ci",
    "docs",
    "docs_from_code",
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "metadata.yaml",
)
"""What `make check` looks at."""

ENDINGS = {".py", ".md", ".yaml", ".yml", ".toml"}

SUBJECT = "(a|an|the|its|their|this|that|these|those|each|every|one|no|some|all|other)"
VERB = "(is|are|was|were|has|have|may|can|could|does|do|would|needs?|costs?)"
IZE = "(organ|recogn|author|summar|optim|normal|initial|serial|minim|maxim|synchron|custom|util)"

PHRASES = {
    "(is|are|was|were) to be": "must be, or just: is",
    "to be had": "available",
    "in the place of": "instead of",
    r"in \S+ stead": "instead of",
    "anew": "again, or: starts over",
    "no more(?! than)": "no longer, or: not … again",
    "of old": "older",
    "whose sake": "for which",
    "by itself": "alone, or: on its own",
    "nobody": "say who: no worker, no user; or: no one",
    "whoever": "say who: the worker, the user",
    "one (may|can|must|has to)": "you can",
    "lets? one": "lets you",
    "(that|which|it) (is|are) none": "that is not one, or: invalid",
    "in vain": "without success",
    "goes on from": "resumes from",
    "mend(s|ed)?": "fix",
    "shall": "must, or: will",
    "(thereof|whence|hitherto|herewith|whilst|amongst)": "a common word",
    "((mis)?spelt|(un)?learnt|spoilt|burnt)": "spelled, learned, spoiled, burned",
    "(un)?cancell(ed|ing)": "canceled, canceling",
    r"(colour|behaviour|favour|honour|neighbour)\w*": "color, behavior, favor",
    IZE + "is(e|ed|es|er|ing|ation)s?": "-ize, -ization",
    "(analys(e|ed|es|ing)|catalogues?|centres?|licences?|programmes?)": "American spelling",
    ", for (it|they|he|she|there|we|you)": "because",
    f", for (asana|{SUBJECT}[^.,;:()]{{2,60}}?) ({VERB}|says|gives)": "because",
}
"""Regular expressions, without regard to case, and what to write instead."""

ALLOWED = {
    ("integration_tests/warehouse.py", "mend"): "the name of a task",
    ("docs/sql.md", "*"): "texts of the sample account, and a name in a result",
    (".ci/phrases.py", "*"): "it lists them",
    ("unit_tests/test_phrases.py", "*"): "its examples",
    ("unit_tests/test_descriptions.py", "*"): "it lists them",
    ("integration_tests/emulator_tests/test_account.py", "colour"): "an unknown field",
    ("integration_tests/emulator_tests/test_control_room.py", "colour"): "an unknown field",
    ("integration_tests/emulator_tests/test_opt_fields.py", "colour"): "an unknown field",
    ("integration_tests/postgres_server.py", "nobody"): "a user of the system",
    ("integration_tests/test_check.py", "nobody"): "a name in the sample account",
    ("integration_tests/test_filters.py", "nobody"): "texts of comments",
    ("integration_tests/test_incremental.py", "mend"): "a name of a task",
    ("integration_tests/test_workspace_events.py", "mend"): "a name of a task",
    ("integration_tests/test_pyairbyte.py", "nobody"): "a part of a token",
    ("integration_tests/asana_emulator/bulk.py", "shall"): "a text in the sample account",
    ("integration_tests/asana_emulator/company.py", "nobody"): "a text in the sample account",
    ("integration_tests/asana_emulator/company.py", "learnt"): "a text in the sample account",
}
"""By file and phrase (* for every phrase): why it stands there."""

GAP = r"[\s_\"#]+"
"""Between two words: a line break in a comment or a string, or the _ of a name, too."""


def pattern_of(phrase: str) -> re.Pattern[str]:
    start = "" if phrase.startswith(",") else r"(?<![A-Za-z])"
    return re.compile(start + phrase.replace(" ", GAP) + r"(?![A-Za-z])", re.IGNORECASE)


PATTERNS = {pattern_of(phrase): advice for phrase, advice in PHRASES.items()}


def files(paths: Sequence[str]) -> Iterator[Path]:
    """The texts at some paths, folders included."""
    for path in map(Path, paths):
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        yield from (file for file in found if file.suffix in ENDINGS)


def findings(file: Path) -> Iterator[tuple[int, str, str]]:
    """The line, the phrase, and what to write instead, for each phrase in a file."""
    text = file.read_text(encoding="utf-8")
    for pattern, advice in PATTERNS.items():
        for match in pattern.finditer(text):
            phrase = re.sub(GAP, " ", match[0]).strip()
            if not {(file.as_posix(), phrase.lower()), (file.as_posix(), "*")} & ALLOWED.keys():
                yield text.count("\n", 0, match.start()) + 1, phrase, advice


def main(paths: Sequence[str]) -> int:
    """Print what is found; return the exit status."""
    count = 0
    for file in files(paths):
        for line, phrase, advice in sorted(findings(file)):
            print(f"{file}:{line}: {phrase!r}: {advice}")
            count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or PATHS))
