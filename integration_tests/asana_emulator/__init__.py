"""An emulated Asana account behind Asana's API, on a real socket."""

from .account import Account, Viewer
from .clock import Clock
from .population import make_account
from .server import AsanaEmulator
from .truth import Choice

__all__ = ["Account", "AsanaEmulator", "Choice", "Clock", "Viewer", "make_account"]
