"""The start of the console program. Heavy imports wait until Ctrl-C is safe."""

import signal


def run() -> None:
    """Run the command line."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python's handler prints a traceback
    from source_asana.entrypoint import main  # noqa: PLC0415 - the import takes a second

    main()
