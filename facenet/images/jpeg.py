"""The segments of a JPEG file (ITU-T T.81, annex B), read without decoding it."""

from collections.abc import Iterator

_SCAN, _END = 0xDA, b"\xff\xd9"
# Start-of-frame markers and the coding they declare; C4, C8 and CC are other segments.
_FRAMES = {
    **dict.fromkeys((0xC0, 0xC1, 0xC2), ""),
    0xC3: "lossless",
    **dict.fromkeys((0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF), "hierarchical"),
    **dict.fromkeys((0xC9, 0xCA), "arithmetic-coded"),
    0xCB: "lossless arithmetic-coded",
    0xF7: "LS",
}
_COMPONENTS = (1, 3, 4)


def has_end(data: bytes) -> bool:
    """Return whether an end marker follows the first scan; libjpeg decodes a zero-filled tail as pixels.

    The segments before the scan are skipped, since a thumbnail in them has its own end marker. If they cannot
    be followed, the decision is left to the decoder: True.
    """
    scan = next((place for marker, place in _segments(data) if marker == _SCAN), None)
    return scan is None or data.find(_END, scan) >= 0


def unusual_coding(data: bytes) -> str | None:
    """Return the name of a coding that not every decoder reads, such as "12-bit JPEG", else None."""
    for marker, place in _segments(data):
        if marker in _FRAMES and place + 10 <= len(data):
            bits, components = data[place + 4], data[place + 9]
            if marker == 0xF7:
                return "JPEG-LS"
            kinds = [_FRAMES[marker], f"{bits}-bit" if bits != 8 else ""]
            if components not in _COMPONENTS:
                kinds.append(f"{components}-component")
            name = " ".join(kind for kind in kinds if kind)
            return f"{name} JPEG" if name else None
    return None


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield marker and offset of each segment up to the first scan, as far as they can be followed."""
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF:  # a fill byte
            place += 1
            continue
        yield marker, place
        if marker == _SCAN:
            return
        place += 2 + int.from_bytes(data[place + 2 : place + 4])
