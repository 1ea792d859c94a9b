"""Puts tokens' bytes together into text: a character may be spread over several tokens. Does not tokenize."""

import codecs


class Utf8Pieces:
    """Decodes bytes as they come; incomplete characters wait, invalid bytes become U+FFFD."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def add(self, piece: bytes) -> str:
        """Text that is complete after this piece; may be empty."""
        return self._decoder.decode(piece)

    def flush(self) -> str:
        """What is left at the end, with U+FFFD for a character that was never completed."""
        return self._decoder.decode(b"", final=True)
