"""Airbyte's messages, as they are passed on and as they are printed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson
from airbyte_cdk.entrypoint import AirbyteEntrypoint
from airbyte_cdk.models import AirbyteMessage, AirbyteRecordMessage, Type

from source_asana.airbyte.secrecy import masked


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Records of one stream, each as JSON. Null stays null, which the CDK's serializer drops."""

    stream: str
    records: Sequence[bytes]
    emitted_at: int

    def messages(self) -> Iterator[AirbyteMessage]:
        """The same, one by one."""
        for record in self.records:
            message = AirbyteRecordMessage(
                stream=self.stream, data=orjson.loads(record), emitted_at=self.emitted_at
            )
            yield AirbyteMessage(type=Type.RECORD, record=message)


Message = AirbyteMessage | RecordBatch


def printed(message: Message) -> bytes:
    """The lines of a message."""
    if isinstance(message, RecordBatch):
        begin = b'{"type":"RECORD","record":{"stream":%b,"data":' % orjson.dumps(message.stream)
        end = b',"emitted_at":%d}}\n' % message.emitted_at
        return begin + (end + begin).join(message.records) + end
    text = str(AirbyteEntrypoint.airbyte_message_to_string(message))
    if message.type is not Type.CONTROL:  # which gives a secret back to whom it belongs
        text = masked(text)
    return text.encode() + b"\n"
