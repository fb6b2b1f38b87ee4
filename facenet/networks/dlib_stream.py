"""Read the values of dlib's serialisation format, in order, from the bytes of a file.

The format has no marks by which a reader could find its place again, so every value is checked.
"""

import math

import numpy as np
import numpy.typing as npt

from facenet.errors import WeightsInvalid

LARGEST = 1 << 28  # elements of a tensor: 1 GB, far above any real one
NEGATIVE, LENGTH, RESERVED = 0x80, 0x0F, 0x70  # bits of the byte before an integer


class DlibStream:
    """A position in the bytes of a file.

    Args:
        content: the bytes.
        name: of the file, for messages.
    """

    def __init__(self, content: bytes, name: str) -> None:
        self._content, self._name, self._position = content, name, 0

    def integer(self) -> int:
        """Return an integer: a byte with sign (bit 7) and length (bits 0 to 3), then its bytes, lowest first.

        Raises:
            WeightsInvalid: the file ends here, or the length is not 1 to 8.
        """
        control = self._take(1)[0]
        length = control & LENGTH
        if control & RESERVED or not 1 <= length <= 8:
            raise self.error(f"byte 0x{control:02x} does not start an integer", back=1)
        value = int.from_bytes(self._take(length), "little")
        return -value if control & NEGATIVE else value

    def number(self) -> float:
        """Return a floating point number: an integer mantissa and a binary exponent."""
        mantissa, exponent = self.integer(), self.integer()
        try:
            return math.ldexp(mantissa, exponent)
        except OverflowError:
            raise self.error(f"the number {mantissa} * 2**{exponent} is too large") from None

    def flag(self) -> bool:
        """Return a boolean, the character 0 or 1."""
        found = self._take(1)
        if found not in (b"0", b"1"):
            raise self.error(f"{found!r} is not a boolean", back=1)
        return found == b"1"

    def text(self) -> str:
        """Return a string of ASCII characters, preceded by its length."""
        length = self.integer()
        if not 0 <= length <= 64:
            raise self.error(f"{length} is not the length of a layer's name")
        found = self._take(length)
        if not found.isascii():
            raise self.error(f"{found!r} is not the name of a layer", back=length)
        return found.decode("ascii")

    def tensor(self) -> npt.NDArray[np.float32]:
        """Return a tensor, float32 (samples, channels, rows, columns): version, shape and values."""
        self.expect(2, "the version of a tensor")
        shape = self.shape()
        count = math.prod(shape)
        if count > LARGEST:
            raise self.error(f"a tensor of {shape} values is too large")
        return np.frombuffer(self._take(4 * count), "<f4").astype(np.float32).reshape(shape)

    def shape(self) -> tuple[int, ...]:
        """Return four sizes."""
        sizes = tuple(self.integer() for _ in range(4))
        if min(sizes) < 0:
            raise self.error(f"{sizes} is not the shape of a tensor")
        return sizes

    def expect(self, expected: int | str | tuple[int, ...], what: str) -> None:
        """Read one value of the kind of `expected`.

        Raises:
            WeightsInvalid: it differs.
        """
        start = self._position
        found: object
        if isinstance(expected, str):
            found = self.text()
        else:
            found = self.shape() if isinstance(expected, tuple) else self.integer()
        if found != expected:
            raise self.error(f"{what} is {found!r}, expected {expected!r}", back=self._position - start)

    def end(self) -> None:
        """Raise WeightsInvalid unless all bytes have been read."""
        left = len(self._content) - self._position
        if left:
            raise self.error(f"{left} bytes follow the last layer")

    def error(self, problem: str, *, back: int = 0) -> WeightsInvalid:
        """Return an error that names the file and the byte `back` bytes before the current position."""
        place = f"{self._name}, byte {self._position - back}"
        return WeightsInvalid(f"{place}: {problem}. This is not dlib's face recognition network.")

    def _take(self, count: int) -> bytes:
        left = len(self._content) - self._position
        if count > left:
            raise self.error(f"the file ends: {count} bytes are needed, {left} are left")
        self._position += count
        return self._content[self._position - count : self._position]
