"""Writes the software bill of materials (SBOM) of an image: CycloneDX 1.6, JSON.

It asks the image itself. Components are the connector, its Python packages, those of the base
image's own Python, and Debian's. `scope` is `required` for the connector and its packages,
`optional` for what comes with the base image.
"""

import argparse
import json
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.contrib.this.builders import this_component
from cyclonedx.model import Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement

CONNECTOR = "airbyte-source-asana"
PYTHON = "/opt/source-asana/bin/python"
PROGRAM = """
import json, subprocess, sys, sysconfig
from importlib.metadata import distributions

def packages(folder):
    for each in distributions(path=[folder]):
        told = each.metadata
        yield {
            "name": told["Name"], "version": told["Version"], "requires": each.requires or [],
            "license": told.get("License-Expression") or told.get("License") or "",
        }

here = sysconfig.get_paths()["purelib"]
version = sys.version.split()[0]
base = f"{sys.base_prefix}/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
listed = subprocess.run(
    ["dpkg-query", "--show", "--showformat=${Package} ${Version} ${Architecture}\\\\n"],
    capture_output=True, text=True, check=True,
).stdout
print(json.dumps({
    "python": version, "own": list(packages(here)), "base": list(packages(base)),
    "debian": [line.split() for line in listed.splitlines()],
}))
"""

Json = Mapping[str, Any]


def main() -> None:
    """Write the SBOM of the image that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image")
    parser.add_argument("--docker", default="docker", help="the command, with its first words")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    docker = shlex.split(options.docker)
    found = _answer(
        [
            *(*docker, "run", "--rm", "--network=none", f"--entrypoint={PYTHON}"),
            *(options.image, "-c", PROGRAM),
        ]
    )
    labels = _answer(
        [*docker, "image", "inspect", "--format={{json .Config.Labels}}", options.image]
    )
    bom = bill(found, labels)
    options.output.write_text(JsonV1Dot6(bom).output_as_string(indent=2), encoding="utf-8")
    print(f"{options.output}: {len(bom.components)} components")


def bill(found: Json, labels: Json) -> Bom:
    """The bill of an image in which this was found and which has these labels."""
    bom = Bom()
    bom.metadata.tools.components.add(this_component())
    image = Component(
        type=ComponentType.CONTAINER,
        name=labels["io.airbyte.name"],
        version=labels["io.airbyte.version"],
        bom_ref="image",
        properties=[Property(name=name, value=value) for name, value in sorted(labels.items())],
    )
    bom.metadata.component = image
    own = {_normal(each["name"]): _python_package(each, "own") for each in found["own"]}
    others = [
        *(_python_package(each, "base", ComponentScope.OPTIONAL) for each in found["base"]),
        *(_debian_package(*each) for each in found["debian"]),
        Component(
            type=ComponentType.PLATFORM,
            name="cpython",
            version=found["python"],
            purl=PackageURL("generic", None, "cpython", found["python"]),
            bom_ref=f"cpython@{found['python']}",
        ),
    ]
    bom.components.update([*own.values(), *others])
    bom.register_dependency(image, [own[CONNECTOR], *others])
    for each in found["own"]:
        needed = [own[name] for name in _needed(each["requires"]) if name in own]
        bom.register_dependency(own[_normal(each["name"])], needed)
    return bom


def _python_package(
    told: Json, place: str, scope: ComponentScope = ComponentScope.REQUIRED
) -> Component:
    name, version = _normal(told["name"]), told["version"]
    # Some packages give the whole text of their license.
    licensed = told["license"].strip() if "\n" not in told["license"].strip() else ""
    return Component(
        type=ComponentType.APPLICATION if name == CONNECTOR else ComponentType.LIBRARY,
        name=name,
        version=version,
        scope=scope,
        purl=PackageURL("pypi", None, name, version),
        licenses=[LicenseFactory().make_from_string(licensed)] if licensed else [],
        bom_ref=f"{place}/{name}@{version}",
    )


def _debian_package(name: str, version: str, architecture: str) -> Component:
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=version,
        scope=ComponentScope.OPTIONAL,
        purl=PackageURL("deb", "debian", name, version, {"arch": architecture}),
        bom_ref=f"debian/{name}@{version}",
    )


def _needed(requirements: Sequence[str]) -> Iterator[str]:
    """The names of the requirements that hold without extras."""
    for requirement in map(Requirement, requirements):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield _normal(requirement.name)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _answer(command: Sequence[str]) -> Json:
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    answer: Json = json.loads(done.stdout)
    return answer


if __name__ == "__main__":
    main()
