"""Airbyte's messages, as they are passed on and as they are printed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import orjson
from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.models import AirbyteMessage, AirbyteRecordMessage, Type
from airbyte_cdk.models import AirbyteRecordMessageFileReference as FileReference

from source_asana.airbyte.secrecy import masked
from source_asana.reading.files.staging import StagedFile


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Records of one stream, each as JSON. Null stays null, which the CDK's serializer drops.

    `files`: that of each record, None where there is none; empty if no files were wanted.
    """

    stream: str
    records: Sequence[bytes]
    emitted_at: int
    files: Sequence[StagedFile | None] = ()

    def messages(self) -> Iterator[AirbyteMessage]:
        """The same, one by one."""
        for record, file in zip(self.records, self.files or repeat(None), strict=False):
            message = AirbyteRecordMessage(
                stream=self.stream, data=orjson.loads(record), emitted_at=self.emitted_at
            )
            if file:
                message.file_reference = FileReference(**_reference(file))
            yield AirbyteMessage(type=Type.RECORD, record=message)

    def lines(self) -> bytes:
        """The same, as they are printed."""
        begin = b'{"type":"RECORD","record":{"stream":%b,"data":' % orjson.dumps(self.stream)
        end = b',"emitted_at":%d' % self.emitted_at
        if not any(self.files):
            end += b"}}\n"
            return begin + (end + begin).join(self.records) + end
        ends = (
            b',"file_reference":%b' % orjson.dumps(_reference(f)) if f else b"" for f in self.files
        )
        return b"".join(
            begin + record + end + reference + b"}}\n"
            for record, reference in zip(self.records, ends, strict=True)
        )


def _reference(file: StagedFile) -> dict[str, Any]:
    """A file as Airbyte's protocol tells a destination of it."""
    return {
        "staging_file_url": file.location,
        "source_file_relative_path": file.relative_path,
        "file_size_bytes": file.size,
    }


Message = AirbyteMessage | RecordBatch


def printed(message: Message) -> bytes:
    """The lines of a message."""
    if isinstance(message, RecordBatch):
        return message.lines()
    text = str(AirbyteEntrypoint.airbyte_message_to_string(message))
    if message.type is not Type.CONTROL:  # which gives a secret back to whom it belongs
        text = masked(text)
    return text.encode() + b"\n"
