"""Photos: decode any supported format to upright 8-bit RGB, or reject the file; encode pixels."""

from facenet.images.reading import MAX_PIXELS, Photo, decode, read_photo, upright_pixels
from facenet.images.signatures import FORMATS
from facenet.images.writing import ImageFormat, encode

__all__ = [
    "FORMATS",
    "MAX_PIXELS",
    "ImageFormat",
    "Photo",
    "decode",
    "encode",
    "read_photo",
    "upright_pixels",
]
