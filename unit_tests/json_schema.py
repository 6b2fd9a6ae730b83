"""The paths and kinds that a JSON schema declares, as text to compare."""

from typing import Any


def kinds(schema: dict[str, Any], path: str = "") -> dict[str, str]:
    """Each path of a schema with its kind: `date`, `object`, `array of string`; null is left out.

    Paths go through arrays, as those of `opt_fields` do.
    """
    kind = kind_of(schema)
    found = {path: kind} if path else {}
    while "items" in schema:
        schema = schema["items"]
    for name, part in schema.get("properties", {}).items():
        found |= kinds(part, f"{path}.{name}" if path else name)
    return found


def kind_of(schema: dict[str, Any]) -> str:
    if "items" in schema:
        return f"array of {kind_of(schema['items'])}"
    declared = schema.get("type", "anything")
    types = [declared] if isinstance(declared, str) else declared
    return str(schema.get("format") or next(name for name in types if name != "null"))


def leaves(schema: dict[str, Any]) -> list[str]:
    return [path for path, kind in kinds(schema).items() if not kind.endswith("object")]
