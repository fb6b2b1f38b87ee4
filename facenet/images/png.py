"""The chunks of a PNG file (W3C PNG specification, third edition, section 5), read without decoding it."""

import zlib
from collections.abc import Iterator
from typing import NamedTuple

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_TEXT = 2**20  # bytes of a decompressed text chunk; the same limit as in Pillow
_ANCILLARY = 0x20  # bit of the first letter of a chunk's type
_PIXEL_CHUNKS = (b"tRNS", b"eXIf")  # ancillary chunks that affect the image: transparency, orientation
_TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
_ORIENTATION_TEXTS = (b"XML:com.adobe.xmp", b"Raw profile type exif")  # by their keywords


class Chunk(NamedTuple):
    """One chunk. body: its data. whole: all its bytes in the file. valid: whether its checksum is correct."""

    kind: bytes
    body: bytes
    whole: bytes
    valid: bool

    @property
    def critical(self) -> bool:
        """Whether it is required to decode the image."""
        return not self.kind[0] & _ANCILLARY


def chunks(data: bytes) -> Iterator[Chunk]:
    """Yield the chunks of a PNG up to IEND, or up to the point where the file is truncated."""
    place, kind = len(SIGNATURE), b""
    while kind != b"IEND" and place + 12 <= len(data):
        end = place + 12 + int.from_bytes(data[place : place + 4])
        if end > len(data):
            return
        kind, body = data[place + 4 : place + 8], data[place + 8 : end - 4]
        valid = zlib.crc32(body, zlib.crc32(kind)) == int.from_bytes(data[end - 4 : end])
        yield Chunk(kind, body, data[place:end], valid)
        place = end


def damaged_critical_chunk(data: bytes) -> str | None:
    """Return the type of the first critical chunk with a wrong checksum; Pillow does not verify IDAT."""
    return next((c.kind.decode("latin-1") for c in chunks(data) if c.critical and not c.valid), None)


def is_apple_variant(data: bytes) -> bool:
    """Return whether it is Apple's CgBI variant, which is not valid PNG: BGRA pixels, no zlib header."""
    return data[len(SIGNATURE) + 4 :][:4] == b"CgBI"


def without_ancillary(data: bytes) -> bytes:
    """Return the PNG without ancillary chunks, except for valid ones that hold transparency or orientation.

    Like libpng, which also discards ancillary chunks with a wrong checksum. Of an animation, the default
    image remains. No colour profile and no large text remains to be decompressed.
    """
    return SIGNATURE + b"".join(chunk.whole for chunk in chunks(data) if _is_needed(chunk))


def _is_needed(chunk: Chunk) -> bool:
    if chunk.critical:
        return True
    if not chunk.valid:
        return False
    if chunk.kind in _TEXT_CHUNKS:
        return chunk.body.startswith(_ORIENTATION_TEXTS) and _text_length(chunk) < MAX_TEXT
    return chunk.kind in _PIXEL_CHUNKS


def _text_length(chunk: Chunk) -> int:
    """Return the decompressed size of a text in bytes, at most MAX_TEXT; MAX_TEXT if it is damaged."""
    _, _, rest = chunk.body.partition(b"\0")
    if chunk.kind == b"zTXt":
        stream = rest[1:]  # after the compression method
    elif chunk.kind == b"iTXt" and rest.startswith(b"\1"):
        stream = rest[2:].split(b"\0", 2)[-1]  # after flag, method, language and translated keyword
    else:
        return len(chunk.body)
    try:
        return len(zlib.decompressobj().decompress(stream, MAX_TEXT))
    except zlib.error:
        return MAX_TEXT
