import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import source_asana

MAX_LINES = 200
MAX_ATTRIBUTES = 10
FACTS = {"AsanaStream", "Answer", "Container", "Filters", "Listing", "Pages", "Tally"}
"""Classes that have no behavior to speak of. They may have more attributes: one for each fact."""
PACKAGE = Path(source_asana.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

MAY_IMPORT = {
    "streams": set[str](),
    "asana": set[str](),
    "reading": {"streams", "asana"},
    "airbyte": {"reading", "streams", "asana"},
    "probe": {"streams", "asana", "config"},
}
"""The wings that each wing may import, in addition to itself."""


def name_of(module: Path) -> str:
    return module.relative_to(PACKAGE).as_posix()


def wing_of(module: Path) -> str:
    """The folder of a module, whose own folders are its rooms; empty for a joining module."""
    return name_of(module).rpartition("/")[0].partition("/")[0]


def imports(module: Path) -> Iterator[str]:
    """The full names of the modules that a module imports, anywhere in its code."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def wings_imported(module: Path) -> set[str]:
    """The wings, or the single modules next to them, that a module imports."""
    ours = (name.split(".") for name in imports(module))
    return {parts[1] for parts in ours if parts[0] == "source_asana" and len(parts) > 1}


@pytest.mark.parametrize("wing", MAY_IMPORT)
def test_a_wing_imports_only_the_wings_below_it(wing: str) -> None:
    modules = [module for module in MODULES if wing_of(module) == wing]
    assert modules
    imported = {name_of(module): wings_imported(module) - {wing} for module in modules}
    assert {m: found for m, found in imported.items() if found - MAY_IMPORT[wing]} == {}


def test_every_module_is_in_a_wing_or_joins_them() -> None:
    assert {wing_of(module) for module in MODULES} == {"", *MAY_IMPORT}


def importers_of(name: str) -> set[str]:
    return {name_of(module) for module in MODULES if name in imports(module)}


def importers(package: str) -> set[str]:
    found = ((name_of(m), name.partition(".")[0]) for m in MODULES for name in imports(m))
    return {module for module, imported in found if imported == package}


def test_only_the_airbyte_wing_and_the_joining_modules_import_the_cdk() -> None:
    wings = {module.partition("/")[0] for module in importers("airbyte_cdk") if "/" in module}
    assert wings == {"airbyte"}


def test_only_the_connection_and_the_downloads_speak_http() -> None:
    # A file is on another host, comes without a token and goes to disk: see docs/decisions.md.
    speakers = {"asana/connection.py", "asana/timed_http.py", "asana/downloads.py"}
    assert importers("requests") == speakers


def test_only_the_walk_a_check_and_a_probe_start_threads() -> None:
    starts = {
        name_of(module)
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Attribute | ast.Name)
        and (node.attr if isinstance(node, ast.Attribute) else node.id)
        in ("Thread", "Timer", "ThreadPoolExecutor", "start_new_thread")
    }
    assert starts == {"reading/walk.py", "deadline.py", "together.py"}
    assert importers_of("source_asana.deadline") == {"session.py", "source.py", "probing.py"}
    assert importers_of("source_asana.together") == {"check.py"}


def test_one_module_of_the_probe_asks() -> None:
    asking = {name_of(m) for m in MODULES if "source_asana.asana.client" in imports(m)}
    assert {module for module in asking if module.startswith("probe/")} == {"probe/asking.py"}


def test_no_two_modules_import_each_other() -> None:
    arrows = {name_of(m): {*_targets(m)} for m in MODULES}
    assert _in_import_cycles(arrows) == set()


def _targets(module: Path) -> Iterator[str]:
    for name in imports(module):
        path = name.removeprefix("source_asana.").replace(".", "/") + ".py"
        if name.startswith("source_asana.") and (PACKAGE / path).is_file():
            yield path


def _in_import_cycles(arrows: dict[str, set[str]]) -> set[str]:
    """The modules that remain after repeatedly removing those that import nothing."""
    left = dict(arrows)
    while free := [module for module, found in left.items() if not found & left.keys()]:
        for module in free:
            del left[module]
    return set(left)


def test_no_class_is_longer_than_a_page_or_two() -> None:
    too_long = {
        f"{name_of(module)}: {node.name}"
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.ClassDef) and (node.end_lineno or 0) - node.lineno >= MAX_LINES
    }
    assert too_long == set()


def test_no_class_has_more_state_than_a_reader_can_keep_in_mind() -> None:
    large = {
        node.name
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.ClassDef) and len(_attributes(node)) > MAX_ATTRIBUTES
    }
    assert large == FACTS


def _attributes(node: ast.ClassDef) -> set[str]:
    """What a class declares, and what its methods set on `self`."""
    declared = {
        part.target.id
        for part in node.body
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
    }
    set_later = {
        part.attr
        for method in node.body
        if isinstance(method, ast.FunctionDef)
        for part in ast.walk(method)
        if isinstance(part, ast.Attribute)
        and isinstance(part.ctx, ast.Store)
        and isinstance(part.value, ast.Name)
        and part.value.id == "self"
    }
    return declared | set_later
