"""Recognise file formats by their signatures: those that can be read, and others, to name them."""

from PIL import Image

# Excluded on purpose: EPS, which would run Ghostscript, and formats without a signature.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "PPM", "JPEG2000")
SIGNATURE_BYTES = 16
_MAX_BRANDS = 64
# Brands in the ftyp box of ISO base media files (ISO/IEC 14496-12, section 4.3), by format.
_AVIF = {b"avif", b"avis"}
_BRANDS = {
    "HEIC": {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"},
    "AVC in HEIF": {b"avci", b"avcs"},
    "VVC in HEIF": {b"vvic", b"vvis"},
    "JPEG in HEIF": {b"jpeg", b"jpgs"},
    "JPEG 2000 in HEIF": {b"j2ki", b"j2is"},
    "Canon CR3": {b"crx "},
    "HEIF": {b"mif1", b"mif2", b"msf1", b"miaf"},
    "MP4 or QuickTime video": {
        b"qt  ",
        b"isom",
        b"iso2",
        b"mp41",
        b"mp42",
        b"M4V ",
        b"avc1",
        b"3gp4",
        b"3gp5",
    },
}
_SIGNATURES = {
    b"\0\0\0\x0cJXL \r\n\x87\n": "JPEG XL",
    b"\xff\x0a": "JPEG XL",
    b"8BPS": "Photoshop (PSD)",
    b"\0\0\1\0": "ICO",
    b"\0\0\2\0": "CUR",
    b"%!PS": "PostScript",
    b"\xc5\xd0\xd3\xc6": "PostScript",
    b"%PDF": "PDF",
    b"\x76\x2f\x31\x01": "OpenEXR",
    b"#?RADIANCE": "Radiance HDR",
    b"DDS ": "DDS",
    b"qoif": "QOI",
    b"FUJIFILMCCD-RAW": "Fujifilm RAF",
    b"IIRO": "Olympus ORF",
    b"IIRS": "Olympus ORF",
    b"IIU\0": "Panasonic RW2",
    b"II\xbc": "JPEG XR",
    b"BPG\xfb": "BPG",
    b"FLIF": "FLIF",
    b"PK\3\4": "ZIP",
    b"\x1f\x8b": "gzip",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!\x1a\x07": "RAR",
}
_TGA_FOOTER = b"TRUEVISION-XFILE.\0"

Image.init()  # registers the readers of FORMATS, which makes reading them from several threads safe


def supported_format(data: bytes) -> str | None:
    """Return which of FORMATS the file begins like, None if none or if Pillow lacks its reader."""
    brands = _brands(data)
    for name in FORMATS:
        factory, accept = Image.OPEN.get(name, (None, None))
        if factory is None or accept is None:
            continue
        if bool(brands & _AVIF) if name == "AVIF" else accept(data[:SIGNATURE_BYTES]) is True:
            return name
    return None


def foreign_format(data: bytes) -> str | None:
    """Return the name of the format of a file that is not one of FORMATS, None if it is unknown."""
    brands = _brands(data)
    if brands:
        if brands & _AVIF:
            return "AVIF"
        named = (name for name, of_format in _BRANDS.items() if brands & of_format)
        return next(named, f"An ISO media file of brand {data[8:12].decode('latin-1')!r}")
    if data.endswith(_TGA_FOOTER):
        return "TGA"
    start = data[:256].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in start:
        return "SVG"
    if start.startswith((b"<!doctype html", b"<html")):
        return "HTML"
    return next((name for signature, name in _SIGNATURES.items() if data.startswith(signature)), None)


def _brands(data: bytes) -> set[bytes]:
    """Return the major and compatible brands of an ISO base media file, an empty set for other files."""
    if data[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(data[:4]), len(data), 16 + 4 * _MAX_BRANDS)
    return {data[8:12], *(data[place : place + 4] for place in range(16, end, 4))}
