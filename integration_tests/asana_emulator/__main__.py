"""Serves an emulated account until it is interrupted, and says how to connect."""

import argparse
import json
import time

from . import AsanaEmulator, make_account

SIZES = ("sample", "small", "large")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="asana-emulator", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="sample")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another account")
    parser.add_argument("--port", type=int, default=0, help="default: any free port")
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--quota", type=int, help="requests a minute per token; default: no limit")
    return parser.parse_args()


def instructions(asana: AsanaEmulator) -> str:
    """How to read this account."""
    tokens = "\n".join(f"  {name:<12}{asana.tokens.pat(name)}" for name in asana.tokens.names)
    credentials = {
        "option_title": "PAT Credentials",
        "personal_access_token": asana.tokens.pat("service"),
    }
    config = {
        "credentials": credentials,
        "organization_export_ids": list(asana.account.organization_exports),
    }
    return f"""\
Asana, emulated, at {asana.base_url}

Personal access tokens:
{tokens}

OAuth, at {asana.token_url}:
  client_id     {asana.tokens.client_id}
  client_secret {asana.tokens.client_secret}
  refresh_token {asana.tokens.refresh_token}

config.json:
{json.dumps(config, indent=2)}

Read it:
  curl -H 'Authorization: Bearer {asana.tokens.pat("member")}' {asana.base_url}/users/me
  export ASANA_BASE_URL={asana.url}
  source-asana check --config config.json

Controls: GET {asana.url}/_emulator/ledger, and more (docs/emulator.md).
Ctrl-C ends it."""


def main() -> None:
    """Serve until interrupted."""
    arguments = _arguments()
    account = make_account(arguments.size, seed=arguments.seed)
    with AsanaEmulator(account, port=arguments.port, serves_files=True) as asana:
        asana.controls.latency = arguments.latency_ms / 1000
        asana.controls.quota_per_minute = arguments.quota
        print(instructions(asana), flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
