"""Resource exports: jobs that write the objects of a workspace into a file on another host.

https://developers.asana.com/reference/createresourceexport
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from source_asana.asana.client import AsanaClient
from source_asana.asana.downloads import Downloader
from source_asana.asana.errors import AsanaFailure

START_PATH = "exports/resource"
PURPOSE = "resource_exports"
JOB_FIELDS = "status,new_resource_export.download_url"
RUNNING, SUCCEEDED = ("not_started", "in_progress"), "succeeded"


@dataclass(frozen=True)
class Job:
    """A job that makes a file. `url`: where the file is, once the job has succeeded."""

    gid: str
    status: str
    url: str | None

    @property
    def is_running(self) -> bool:
        """Whether it may still end well."""
        return self.status in RUNNING or (self.status == SUCCEEDED and not self.url)


class ResourceExports:
    """Starts exports and downloads their files. Safe for many threads."""

    def __init__(self, client: AsanaClient, downloader: Downloader) -> None:
        self._client = client
        self._downloader = downloader

    def start(self, workspace: str, fields: Sequence[str], after: str | None) -> Job:
        """Start an export of a workspace's tasks, with these fields.

        `after`: only of those that were modified later. The request is sent once, because a second
        one could start a second job. Raises Refusal, AsanaFailure, FatalError and Stopped.
        """
        parameters: dict[str, Any] = {"resource_type": "task", "fields": list(fields)}
        if after is not None:
            parameters["filters"] = {"modified_at.after": after}
        data = {"workspace": workspace, "export_request_parameters": [parameters]}
        return _job(self._client.post(START_PATH, data, purpose=PURPOSE)["data"], START_PATH)

    def job(self, gid: str) -> Job:
        """A job as it is now. Raises like `start`."""
        path = f"jobs/{gid}"
        body = self._client.get(path, {"opt_fields": JOB_FIELDS}, purpose=PURPOSE)
        return _job(body["data"], path)

    def file(self, url: str) -> Iterator[bytes]:
        """The bytes of a file as they come, without the token. Raises DownloadFailed.

        The URL is secret: it is enough to read the file.
        """
        return self._downloader.chunks(url)


def _job(data: Any, path: str) -> Job:
    """Read a job. Raises AsanaFailure for anything else."""
    found = data if isinstance(data, dict) else {}
    gid, status, export = found.get("gid"), found.get("status"), found.get("new_resource_export")
    url = export.get("download_url") if isinstance(export, dict) else None
    is_job = isinstance(gid, str) and gid.isascii() and gid.isdigit() and isinstance(status, str)
    if not is_job or not isinstance(url, str | None):
        raise AsanaFailure("Asana returned a job of an unknown form", path)
    return Job(str(gid), str(status), url)
