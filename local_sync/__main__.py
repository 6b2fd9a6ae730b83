"""`python -m local_sync`."""

import sys
from types import ModuleType
from typing import cast

from local_sync.options import UsageError, parse


def main() -> int:
    """Run the command line; return the exit status."""
    try:
        options = parse()
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    # DuckDB imports pandas, if it is installed, with the first parameter of a query: that is slow.
    sys.modules.setdefault("pandas", cast("ModuleType", None))
    # The connector takes a second to import.
    from local_sync.sync import Stop, run  # noqa: PLC0415
    from source_asana.entrypoint import (  # noqa: PLC0415
        quieten_libraries,
        spare_memory,
        spare_the_collector,
    )

    stop = Stop()
    stop.listen()
    quieten_libraries()
    spare_the_collector()
    spare_memory()
    return run(options, stop)


if __name__ == "__main__":
    sys.exit(main())
