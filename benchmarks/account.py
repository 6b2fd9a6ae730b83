"""Serves an emulated account of so many tasks until its input ends, and says where.

python -m benchmarks.account TASKS
"""

import json
import sys

from integration_tests.asana_emulator import AsanaEmulator, make_account

PERSON = "service"
"""The emulated service account, who sees everything."""


def main(tasks: str) -> None:
    """Serve until the process that started this one closes its end, or ends."""
    with AsanaEmulator(make_account(int(tasks)), kept_requests=0) as asana:
        place = {
            "url": asana.url,
            "token": asana.tokens.pat(PERSON),
            "export_ids": list(asana.account.organization_exports),
        }
        print(json.dumps(place), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
