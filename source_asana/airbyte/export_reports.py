"""What the main thread does with news of resource exports."""

from source_asana.airbyte.checkpoints import Checkpoints
from source_asana.airbyte.export_log import ExportLog
from source_asana.asana.errors import FatalError
from source_asana.reading.findings import ExportBegan, ExportEnded, ExportWrong, Finding


class ExportReports:
    """Logs news of exports, and keeps in the states those that the next sync can use."""

    def __init__(self, log: ExportLog, checkpoints: Checkpoints) -> None:
        self._log = log
        self._checkpoints = checkpoints

    def handle(self, news: Finding) -> None:
        """Report news, if it is of exports. Raises FatalError for what ends other requests too."""
        match news:
            case ExportBegan(workspace, export, streams):
                self._log.began(news)
                self._checkpoints.export_began(workspace, export, streams)
            case ExportEnded(problem=FatalError() as error):
                raise error
            case ExportEnded(workspace, problem=problem):
                self._log.ended(news)
                if problem:
                    self._checkpoints.export_failed(workspace)
            case ExportWrong(workspace=workspace):
                self._log.wrong(news)
                self._checkpoints.export_failed(workspace)
            case _:
                pass
