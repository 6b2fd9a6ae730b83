"""Accounts in three sizes, the same for the same seed."""

from .account import Account, Clock
from .company import Company


def make_account(size: str = "sample", seed: int = 1, clock: Clock | None = None) -> Account:
    """An account of size `sample` (small enough to read), `small` or `large`."""
    company = Company(seed)
    account = company.tell()
    account.clock = clock or Clock()
    return account
