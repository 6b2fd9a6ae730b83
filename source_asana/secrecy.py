"""What is never printed: the secrets of the config, and those that Asana gives for them."""

import json
from collections.abc import Iterable
from urllib.parse import quote

from airbyte_cdk.utils.airbyte_secrets_utils import add_to_secrets, filter_secrets, update_secrets

SHORTEST = 8
"""Shorter ones are mistakes, and would garble the sentence that says so."""


def only_secrets(secrets: Iterable[object]) -> None:
    """Forget all others, and keep these."""
    update_secrets([])
    keep_secret(*(secret for secret in secrets if isinstance(secret, str)))


def keep_secret(*secrets: str) -> None:
    """Print these no more, in no spelling, neither in the log nor in messages."""
    for secret in secrets:
        for spelling in _spellings(secret.strip()):
            add_to_secrets(spelling)


def masked(text: str) -> str:
    """The text with stars for each secret."""
    return str(filter_secrets(text))


def _spellings(secret: str) -> set[str]:
    if len(secret) < SHORTEST:
        return set()
    return {secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1]}
