"""`python -m benchmarks`: measures, prints the results, and writes `docs/benchmarks.md`."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import orjson

from benchmarks.cases import CASES, LARGE, SETS, USUAL, Case
from benchmarks.connectors import connectors
from benchmarks.figures import Measurement
from benchmarks.machine import Machine
from benchmarks.measuring import measured
from benchmarks.report import findings, page
from benchmarks.targets import Measured

RESULTS = Path("build/benchmarks.json")
PAGES = {USUAL: Path("docs/benchmarks.md"), LARGE: Path("docs/benchmarks_large.md")}
"""The page of each set that has one."""
METHOD, OTHERS = (Path(__file__).with_name(name) for name in ("method.md", "others.md"))


def main() -> None:
    """Measure the requested cases; write the page of a whole set."""
    options = _options()
    chosen = _chosen(options.cases)
    if options.again:
        machine, results = _read()
    else:
        known = connectors(options.ours, options.published)
        machine = Machine.this(known)
        print(machine.described(), file=sys.stderr)
        results = Measured(list(_watched(measured(chosen, known))))
        _keep(machine, results)
    print("\n".join(findings(chosen, results)))
    if file := PAGES.get(options.cases):
        is_main = options.cases == USUAL
        written = page(chosen, results, machine, method=_method() if is_main else None)
        file.write_text(written)
        print(f"Written to {file}", file=sys.stderr)


def _method() -> str:
    return f"{OTHERS.read_text()}\n{METHOD.read_text()}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--ours", type=Path, default=Path(".venv-ours"), help="its environment")
    parser.add_argument("--published", type=Path, default=Path(".venv-peer"), help="its own")
    parser.add_argument("--cases", default=USUAL, help=f"{', '.join(SETS)}, or a group's name")
    parser.add_argument("--again", action="store_true", help="report on the last measurements")
    return parser.parse_args()


def _chosen(wanted: str) -> Sequence[Case]:
    return [case for case in CASES if wanted in (case.group, *case.sets)]


def _watched(measurements: Iterator[Measurement]) -> Iterator[Measurement]:
    """Yield the same measurements, and print each one."""
    for one in measurements:
        figures = f"{one.requests:,} requests, {one.wall:.1f} s, CPU {one.cpu:.1f} s"
        print(f"{one.group}: {one.case}, {one.connector}: {figures}", file=sys.stderr)
        yield one


def _keep(machine: Machine, results: Measured) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    measurements = [asdict(each) for each in results.everything]
    RESULTS.write_bytes(orjson.dumps({"machine": asdict(machine), "measurements": measurements}))


def _read() -> tuple[Machine, Measured]:
    kept = orjson.loads(RESULTS.read_bytes())
    return Machine(**kept["machine"]), Measured([Measurement(**m) for m in kept["measurements"]])


if __name__ == "__main__":
    main()
