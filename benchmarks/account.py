"""Serves an emulated account until its input ends; prints its address.

TASKS tasks in projects of about EACH; each task repeats the options of MENUS custom fields.

    python -m benchmarks.account TASKS EACH MENUS
"""

import json
import sys

from integration_tests.asana_emulator import AsanaEmulator, make_account

PERSON = "service"
"""The emulated service account, which sees everything."""


def main(tasks: str, each: str, menus: str) -> None:
    """Serve until the process that started this one closes the pipe, or ends."""
    account = make_account(int(tasks), in_each=int(each), menus=int(menus))
    with AsanaEmulator(account, kept_requests=0) as asana:
        place = {
            "url": asana.url,
            "token": asana.tokens.pat(PERSON),
            "export_ids": list(asana.account.organization_exports),
        }
        print(json.dumps(place), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
