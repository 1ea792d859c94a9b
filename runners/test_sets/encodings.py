"""Finds out how a text file is encoded: by its byte order mark, as UTF-8, else by the best guess, which is said."""

import codecs
from pathlib import Path
from typing import NamedTuple

from runners.errors import BadTestSet
from runners.test_set_records import Problem

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK_BYTES = 1 << 20
_SAMPLE_BYTES = 1 << 16
_GUESSED = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "koi8_r"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949"),
)
"""Encodings of files that spreadsheets and older programs write."""
_SNIPPET = 30


class FoundEncoding(NamedTuple):
    """How a file is encoded, and where it was a guess the first line and text that depend on it."""

    name: str
    guessed_line: int | None = None
    guessed_text: str = ""

    @property
    def is_guess(self) -> bool:
        """Whether another encoding could be right."""
        return self.guessed_line is not None


def find_encoding(path: Path, asked: str | None = None) -> FoundEncoding:
    """The encoding of a text file. Raises BadTestSet where it is no text, or not in the encoding asked for."""
    with path.open("rb") as file:
        head = file.read(_SAMPLE_BYTES)
    if asked is not None:
        return FoundEncoding(_checked(path, asked))
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if marked is not None:
        return FoundEncoding(_checked(path, marked))
    wide = _without_mark(head)
    if wide is not None:
        return FoundEncoding(_checked(path, wide))
    if _decodes(path, "utf-8") is None:
        return FoundEncoding("utf-8")
    return _guess(path)


def guess_problems(path: Path, found: FoundEncoding) -> tuple[Problem, ...]:
    """The warning where an encoding was a guess."""
    if not found.is_guess:
        return ()
    return (
        Problem(
            severity="warning",
            rule="guessed_encoding",
            row=found.guessed_line,
            message=f"{path.name} is not UTF-8 and is read as {found.name}, by the look of it: {found.guessed_text!r}",
            fix="Read that text: where it is wrong, name the encoding (`encoding:`), or save the file as UTF-8.",
        ),
    )


def refuse_nul(path: Path, text: str) -> None:
    """Raises BadTestSet where a text holds NUL."""
    if "\0" in text:
        raise BadTestSet(f"{path} contains NUL bytes, so it is no text file. Save it as 'CSV UTF-8' and try again.")


def _without_mark(head: bytes) -> str | None:
    """UTF-16 without its mark: most characters of a header have a zero byte on the same side."""
    pairs = len(head) // 2
    if pairs < 4:
        return None
    low, high = head[0 : 2 * pairs : 2].count(0), head[1 : 2 * pairs : 2].count(0)
    if high > pairs * 0.4 and low == 0:
        return "utf-16-le"
    return "utf-16-be" if low > pairs * 0.4 and high == 0 else None


def _checked(path: Path, name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError as error:
        raise BadTestSet(f"There is no encoding {name!r}. Usual ones are utf-8, utf-16, cp1252 and gb18030.") from error
    wrong = _decodes(path, name)
    if wrong is not None:
        raise BadTestSet(f"{path} is not {name.removesuffix('-sig')}: {wrong}. Save it as UTF-8 and try again.")
    return name


def _decodes(path: Path, name: str) -> str | None:
    """None where the whole file decodes, else where and why it does not."""
    decoder = codecs.getincrementaldecoder(name)()
    lines = 1
    with path.open("rb") as file:
        while True:
            chunk = file.read(_CHUNK_BYTES)
            try:
                lines += decoder.decode(chunk, final=not chunk).count("\n")
            except UnicodeDecodeError as error:
                lines += error.object[: error.start].count(b"\n")
                return f"{error.reason} near line {lines:,}"
            if not chunk:
                return None


def _guess(path: Path) -> FoundEncoding:
    """The likeliest single-byte or East Asian encoding, by the lines that are not ASCII."""
    from charset_normalizer import from_bytes

    sample, first = bytearray(), 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.isascii():
                first = first or number
                sample += line
            if b"\0" in line:
                raise BadTestSet(
                    f"{path}, line {number:,} contains NUL bytes, so it is no text file. Save it as 'CSV UTF-8'."
                )
            if len(sample) >= _SAMPLE_BYTES:
                break
    found = list(from_bytes(bytes(sample), cp_isolation=list(_GUESSED)))
    name = "cp1252"
    if found and not (found[0].coherence == 0 and "cp1252" in found[0].could_be_from_charset):
        # Without words of a known language the mess alone decides, and that tells Western from Eastern Europe badly.
        clean = [match.encoding for match in found if match.chaos == 0 and match.coherence == 0]
        name = "cp1252" if found[0].coherence == 0 and "cp1252" in clean else found[0].encoding
    if _decodes(path, name) is not None:
        name = next((other for other in _GUESSED if _decodes(path, other) is None), "")
    if not name:
        raise BadTestSet(f"{path}, line {first:,} is in no encoding that is known here. Save the file as UTF-8.")
    shown = bytes(sample).splitlines()[0].decode(name, "replace")
    place = next((i for i, character in enumerate(shown) if ord(character) > 127), 0)
    return FoundEncoding(name, first, shown[max(0, place - _SNIPPET // 2) : place + _SNIPPET // 2])
