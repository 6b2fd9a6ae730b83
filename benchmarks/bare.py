"""The upper limit: only parses pages, one per line of a file, and prints their records.

python -m benchmarks.bare STREAM FILE
"""

import sys
import time
from pathlib import Path

import orjson


def main(stream: str, file: str) -> None:
    """Print every record as Airbyte's message."""
    out = sys.stdout.buffer
    with Path(file).open("rb") as pages:
        for page in pages:
            emitted_at = int(time.time() * 1000)
            for record in orjson.loads(page)["data"]:
                told = {"stream": stream, "data": record, "emitted_at": emitted_at}
                out.write(orjson.dumps({"type": "RECORD", "record": told}) + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
