"""`python -m local_sync`."""

import os
import sys
import warnings

# PyAirbyte reads these when it is imported: no connector registry, no telemetry, and the
# connector's own progress lines instead of a live view.
os.environ.setdefault("AIRBYTE_OFFLINE_MODE", "1")
os.environ.setdefault("NO_LIVE_PROGRESS", "1")
warnings.filterwarnings("ignore", category=FutureWarning)  # of libraries for other sources

from local_sync.sync import main  # noqa: E402 (after the settings)

sys.exit(main())
