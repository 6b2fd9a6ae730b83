"""A probe's report, as text and as JSON. Pure.

You can publish it: it has no names, texts, gids or tokens.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from source_asana.probe.findings import Finding, Verdict
from source_asana.probe.judging import counted


def heading(version: str) -> str:
    """The first line of the text."""
    return f"source-asana {version}: what the connector assumes about Asana\n\n"


def entry(finding: Finding) -> str:
    """One assumption as text."""
    return (
        f"[{finding.verdict}] {finding.assumption}\n"
        f"    observed: {finding.observed}\n"
        f"    if it differs: {finding.otherwise}\n"
    )


def summary(findings: Iterable[Finding], requests: int, seconds: float) -> str:
    """The last line of the text."""
    verdicts = Counter(finding.verdict for finding in findings)
    counts = "; ".join(f"{verdict}: {verdicts[verdict]}" for verdict in Verdict)
    total = counted(verdicts.total(), "assumption")
    return f"\n{total}. {counts}. {counted(requests, 'request')}, {seconds:.1f} s.\n"


def document(
    findings: Iterable[Finding], *, version: str, requests: int, seconds: float, ended: str | None
) -> dict[str, Any]:
    """The report as a JSON object. `ended`: why it is incomplete, if it is."""
    return {
        "version": version,
        "complete": ended is None,
        "ended": ended,
        "requests": requests,
        "seconds": round(seconds, 1),
        "findings": [
            {
                "key": finding.key,
                "assumption": finding.assumption,
                "observed": finding.observed,
                "verdict": str(finding.verdict),
                "if_it_differs": finding.otherwise,
            }
            for finding in findings
        ],
    }
