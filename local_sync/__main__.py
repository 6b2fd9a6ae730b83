"""`python -m local_sync`."""

import sys

from local_sync.options import UsageError, parse


def main() -> int:
    """Run the command line; return the exit status."""
    try:
        options = parse()
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    # The connector takes a second to import.
    from local_sync.sync import Stop, run  # noqa: PLC0415
    from source_asana.run import spare_the_collector  # noqa: PLC0415

    stop = Stop()
    stop.listen()
    spare_the_collector()
    return run(options, stop)


if __name__ == "__main__":
    sys.exit(main())
