"""Server-sent events out of bytes, as they come off the wire. Knows nothing of what the events mean.

Lines are split before they are decoded, so a character that arrives in two packets stays whole, and only CR and LF end
a line: the separators U+2028 and U+0085 may stand in JSON as they are. (https://html.spec.whatwg.org/#event-stream-interpretation)
"""

import re
from collections.abc import AsyncIterable, AsyncIterator

_LINE_END = re.compile(rb"\r\n|\n|\r(?!\Z)")
"""A lone CR at the end of what has arrived may be half of CR LF."""


async def event_data(pieces: AsyncIterable[bytes]) -> AsyncIterator[str]:
    """The data of each event; comments, names and ids are passed over.

    An event that the end of the stream cuts off in the middle of a line is left out; one that only lacks the empty
    line after it, as some servers leave their last, is given. Bytes that are not UTF-8 become U+FFFD.
    """
    held = b""
    data: list[str] = []
    async for piece in pieces:
        *lines, held = _LINE_END.split(held + piece)
        for line in lines:
            if line:
                data.extend(_data_of(line))
            elif data:
                yield "\n".join(data)
                data = []
    data.extend(_data_of(held.rstrip(b"\r")) if held.endswith(b"\r") else ())
    if data:
        yield "\n".join(data)


def _data_of(line: bytes) -> tuple[str, ...]:
    name, _, value = line.partition(b":")
    return (value.removeprefix(b" ").decode("utf-8", "replace"),) if name == b"data" else ()
