import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from facenet.errors import WeightsInvalid
from facenet.networks.dlib_stream import DlibStream


def integer(value: int) -> bytes:
    """What dlib's pack_int writes."""
    content, rest = b"", abs(value)
    while rest or not content:
        content += bytes([rest & 0xFF])
        rest >>= 8
    return bytes([len(content) | (0x80 if value < 0 else 0)]) + content


def stream(content: bytes) -> DlibStream:
    return DlibStream(content, "net.dat")


@pytest.mark.parametrize("value", [0, 1, 255, 256, -1, -28, 4736, 2**31 - 1, -(2**40), 2**63 - 1])
def test_integers(value: int) -> None:
    reader = stream(integer(value))
    assert reader.integer() == value
    reader.end()


@pytest.mark.parametrize(("mantissa", "exponent"), [(0, 0), (1, 0), (-3, -2), (10737418, -28)])
def test_numbers(mantissa: int, exponent: int) -> None:
    assert stream(integer(mantissa) + integer(exponent)).number() == mantissa * 2.0**exponent


def test_flags_and_texts() -> None:
    reader = stream(b"10" + integer(5) + b"con_4")
    assert (reader.flag(), reader.flag(), reader.text()) == (True, False, "con_4")


def test_tensors() -> None:
    values = [1.5, -2.0, 3.25, 0.0, 7.0, 1e-30]
    shape = b"".join(map(integer, (1, 3, 2, 1)))
    found = stream(integer(2) + shape + struct.pack("<6f", *values)).tensor()
    assert (found.dtype, found.shape) == (np.float32, (1, 3, 2, 1))
    assert found.ravel().tolist() == [np.float32(value) for value in values]
    assert stream(integer(2) + integer(0) * 4).tensor().size == 0


@pytest.mark.parametrize(
    ("content", "read", "message"),
    [
        (b"", DlibStream.integer, r"net\.dat, byte 0: the file ends: 1 bytes are needed, 0 are left"),
        (b"\x02\x01", DlibStream.integer, "byte 1: the file ends: 2 bytes are needed, 1 are left"),
        (b"\x00", DlibStream.integer, "byte 0x00 does not start an integer"),
        (b"\x09" + b"1" * 9, DlibStream.integer, "byte 0x09 does not start an integer"),
        (b"\x71\x01", DlibStream.integer, "byte 0x71 does not start an integer"),
        (integer(1) + integer(5000), DlibStream.number, "too large"),
        (b"2", DlibStream.flag, "byte 0: b'2' is not a boolean"),
        (integer(-3), DlibStream.text, "-3 is not the length of a layer's name"),
        (integer(1) + b"\xe4", DlibStream.text, "is not the name of a layer"),
        (integer(1), DlibStream.tensor, "the version of a tensor is 1, expected 2"),
        (integer(2) + integer(-1) * 4, DlibStream.tensor, "is not the shape of a tensor"),
        (integer(2) + integer(2**20) * 4, DlibStream.tensor, "is too large"),
        (integer(2) + integer(1) * 4 + b"123", DlibStream.tensor, "4 bytes are needed, 3 are left"),
        (b"left", DlibStream.end, "4 bytes follow the last layer"),
    ],
)
def test_what_is_not_valid_is_named_with_its_place(
    content: bytes, read: Callable[[DlibStream], Any], message: str
) -> None:
    with pytest.raises(WeightsInvalid, match=message):
        read(stream(content))


def test_expectations() -> None:
    reader = stream(integer(2) + integer(3) + b"abc" + integer(1) * 4)
    reader.expect(2, "a version")
    reader.expect("abc", "a name")
    with pytest.raises(WeightsInvalid, match=r"byte 7: a shape is \(1, 1, 1, 1\), expected \(1, 2, 1, 1\)"):
        reader.expect((1, 2, 1, 1), "a shape")
