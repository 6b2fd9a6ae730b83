"""Where the console program begins. Nothing heavy is imported before Ctrl-C is safe."""

import signal


def run() -> None:
    """Run the command line."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python's own prints a traceback
    from source_asana.entrypoint import main  # noqa: PLC0415 - it takes a second

    main()
