"""Runs a program, saves its output, and measures its cost.

It is a small process because the peak memory of a child starts with that of its parent.

    python -m benchmarks.timed FILE SECONDS PROGRAM ARGUMENT…    terminates it after so many seconds
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from threading import Timer

CHUNK = 1 << 20


def main(file: str, seconds: str, *command: str) -> None:
    """Print wall and CPU seconds, peak memory in bytes, and the exit status, as JSON."""
    begun = time.monotonic()
    with (
        Path(file).open("wb") as said,
        subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0) as process,
    ):
        end = Timer(float(seconds), process.terminate)
        end.start()
        if process.stdout is not None:
            shutil.copyfileobj(process.stdout, said, CHUNK)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        end.cancel()
    cost = {
        "wall": wall,
        "cpu": usage.ru_utime + usage.ru_stime,
        "memory": usage.ru_maxrss * 1024,
        "exit_status": process.returncode,
    }
    print(json.dumps(cost))


if __name__ == "__main__":
    main(*sys.argv[1:])
