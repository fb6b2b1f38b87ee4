"""Generated photo files of every kind found in the wild, each with the status ingest must give it."""

import io
import struct
import zlib
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WIDTH, HEIGHT = 64, 48
_WHOLE = struct.pack("<HH", 65_535, 65_535)
BOMB_GIF = b"GIF89a" + _WHOLE + bytes(3) + b"," + bytes(4) + _WHOLE + b"\0\x08\0"


class Animal(NamedTuple):
    """A file: its bytes, its expected status, and its upright size if it can be decoded."""

    data: bytes
    status: str = "kept"
    width: int | None = WIDTH
    height: int | None = HEIGHT


def picture(seed: int = 0, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """Return a smooth (height, width, 3) image without symmetry, a different one for each seed."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def save(image: Image.Image | NDArray[Any], kind: str, **options: Any) -> bytes:
    """Return an image as the bytes of a file."""
    buffer = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(buffer, kind, **options)
    return buffer.getvalue()


def orientation(number: int) -> Image.Exif:
    """Return EXIF data with this orientation."""
    exif = Image.Exif()
    exif[0x0112] = number
    return exif


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """Return a PNG chunk with its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def raw_png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    """Return a PNG of `rows`, each with its filter byte; the header may claim any size."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def with_chunks(png: bytes, chunks: bytes) -> bytes:
    """Return a PNG with more chunks right after its header."""
    end_of_header = 8 + 25
    return png[:end_of_header] + chunks + png[end_of_header:]


def bmp_32(pixels: NDArray[np.uint8], alpha: int, header_size: int = 124) -> bytes:
    """Return a BMP of 32 bits per pixel, blue, green, red and `alpha`; larger headers have masks."""
    height, width = pixels.shape[:2]
    bgra = np.dstack([pixels[::-1, :, ::-1], np.full((height, width), alpha, np.uint8)])
    compression = 3 if header_size >= 56 else 0
    header = struct.pack(
        "<IiiHHIIiiII", header_size, width, height, 1, 32, compression, bgra.size, 0, 0, 0, 0
    )
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = (header + masks)[: max(40, header_size)].ljust(header_size, b"\0") if compression else header
    start = 14 + len(header)
    return struct.pack("<2sIII", b"BM", start + bgra.size, 0, start) + header + bgra.tobytes()


def media(major: bytes, *brands: bytes) -> bytes:
    """Return an ISO base media file of these brands, without anything that could be decoded."""
    body = major + bytes(4) + b"".join(brands)
    return struct.pack(">I", 8 + len(body)) + b"ftyp" + body + struct.pack(">I", 48) + b"meta" + bytes(40)


def jpeg_of(frame: int, bits: int = 8) -> bytes:
    """Return a JPEG whose start-of-frame marker is `frame`, with samples of `bits` bits."""
    data = bytearray(save(picture(98), "JPEG"))
    place = data.index(b"\xff\xc0")
    data[place + 1], data[place + 4] = frame, bits
    return bytes(data)


def foreign_media() -> dict[str, tuple[bytes, str]]:
    """Return files of unsupported formats by file name, each with the name of its format."""
    heif = {
        f"{brand.decode().strip()}_{container.decode()}.heic": (media(container, container, brand), "HEIC")
        for container in (b"mif1", b"msf1")
        for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")
    }
    plain = {
        f"{brand.decode()}.heic": (media(brand, b"mif1"), "HEIC") for brand in (b"heic", b"heix", b"hevc")
    }
    icon, tga = save(_of(98), "ICO"), save(_of(99), "TGA")
    return {
        **heif,
        **plain,
        "mif1.heif": (media(b"mif1", b"mif1", b"miaf"), "HEIF"),
        "avci.heif": (media(b"avci", b"mif1"), "AVC in HEIF"),
        "photo.cr3": (media(b"crx ", b"crx ", b"isom"), "Canon CR3"),
        "film.mp4": (media(b"mp42", b"isom"), "video"),
        "film.mov": (media(b"qt  "), "video"),
        "photo.jxl": (b"\xff\x0a" + bytes(40), "JPEG XL"),
        "boxed.jxl": (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40), "JPEG XL"),
        "twelve_bits.jpg": (jpeg_of(0xC1, 12), "12-bit JPEG"),
        "lossless_twelve_bits.jpg": (jpeg_of(0xC3, 12), "lossless 12-bit JPEG"),
        "lossless.jpg": (jpeg_of(0xC3), "lossless JPEG"),
        "hierarchical.jpg": (jpeg_of(0xC5), "hierarchical JPEG"),
        "arithmetic_progressive.jpg": (jpeg_of(0xCA), "arithmetic-coded JPEG"),
        "jpeg_ls.jls": (jpeg_of(0xF7), "JPEG-LS"),
        "icon.ico": (icon, "ICO"),
        "picture.tga": (tga, "TGA"),
        "layers.psd": (b"8BPS\0\1" + bytes(40), "Photoshop"),
        "drawing.svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        "page.jpg": (b"<!DOCTYPE html><html><body>404</body></html>", "HTML"),
        "postscript.jpg": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 48\n", "PostScript"),
        "document.pdf": (b"%PDF-1.7\n", "PDF"),
        "archive.jpg": (b"PK\x03\x04" + bytes(40), "ZIP"),
        "apple.png": (apple_png(), "CgBI"),
    }


def apple_png() -> bytes:
    """Return a PNG as Xcode writes it for iPhones: a CgBI chunk, and pixels without a zlib header."""
    png = save(picture(97), "PNG")
    place = png.index(b"IDAT")
    length = int.from_bytes(png[place - 4 : place])
    raw = png[place + 4 + 2 : place + 4 + length - 4]
    header, end = png[8:33], png[place + 8 + length :]
    return png[:8] + png_chunk(b"CgBI", bytes(4)) + header + png_chunk(b"IDAT", raw) + end


def deep_png(seed: int) -> bytes:
    """Return a PNG with 16 bits per channel."""
    pixels = picture(seed).astype(">u2") * 257
    return raw_png(WIDTH, HEIGHT, 16, 2, b"".join(b"\0" + row.tobytes() for row in pixels))


def flipped(data: bytes, place: int) -> bytes:
    """Return `data` with one bit flipped."""
    return data[:place] + bytes([data[place] ^ 0x40]) + data[place + 1 :]


def zoo() -> dict[str, Animal]:
    """Return all files by name."""
    return _formats() | _modes() | _oriented() | _odd() | _sizes() | _damaged() | _foreign()


def _of(seed: int) -> Image.Image:
    return Image.fromarray(picture(seed))


def _formats() -> dict[str, Animal]:
    return {
        "jpeg.jpg": Animal(save(_of(1), "JPEG")),
        "jpeg_progressive.jpg": Animal(save(_of(2), "JPEG", progressive=True)),
        "png.png": Animal(save(_of(3), "PNG")),
        "webp.webp": Animal(save(_of(4), "WEBP")),
        "webp_lossless.webp": Animal(save(_of(5), "WEBP", lossless=True)),
        "avif.avif": Animal(save(_of(6), "AVIF")),
        "gif.gif": Animal(save(_of(7), "GIF")),
        "bmp.bmp": Animal(save(_of(8), "BMP")),
        "tiff.tif": Animal(save(_of(9), "TIFF")),
        "tiff_lzw.tif": Animal(save(_of(10), "TIFF", compression="tiff_lzw")),
        "ppm.ppm": Animal(save(_of(11), "PPM")),
        "jpeg2000.jp2": Animal(save(_of(12), "JPEG2000")),
    }


def _modes() -> dict[str, Animal]:
    rgba = np.dstack([picture(20), picture(21)[:, :, 0]])
    palette = _of(22).quantize(16)
    grey16 = picture(23)[:, :, 0].astype(np.uint16) * 257
    return {
        "jpeg_grey.jpg": Animal(save(_of(24).convert("L"), "JPEG")),
        "jpeg_cmyk.jpg": Animal(save(_of(25).convert("CMYK"), "JPEG")),
        "png_grey.png": Animal(save(_of(26).convert("L"), "PNG")),
        "png_grey_alpha.png": Animal(save(_of(27).convert("LA"), "PNG")),
        "png_rgba.png": Animal(save(rgba, "PNG")),
        "png_palette.png": Animal(save(palette, "PNG")),
        "png_palette_transparent.png": Animal(save(palette, "PNG", transparency=3)),
        "png_rgb_transparent_colour.png": Animal(save(_of(28), "PNG", transparency=(1, 2, 3))),
        "png_one_bit.png": Animal(save(_of(29).convert("1"), "PNG")),
        "png_grey_16_bit.png": Animal(save(grey16, "PNG")),
        "png_rgb_16_bit.png": Animal(deep_png(30)),
        "webp_rgba.webp": Animal(save(rgba, "WEBP", lossless=True)),
        "tiff_cmyk.tif": Animal(save(_of(31).convert("CMYK"), "TIFF")),
        "tiff_float.tif": Animal(save(_of(32).convert("F"), "TIFF")),
        "tiff_int32.tif": Animal(save(_of(33).convert("I"), "TIFF")),
        "tiff_lab.tif": Animal(save(_of(34).convert("LAB"), "TIFF")),
        "pgm_16_bit.pgm": Animal(b"P5 64 48 65535\n" + grey16.astype(">u2").tobytes()),
        "pfm.pfm": Animal(save(_of(35).convert("F"), "PPM")),
    }


def _oriented() -> dict[str, Animal]:
    turned = {
        f"jpeg_orientation_{n}.jpg": Animal(
            save(_of(40 + n), "JPEG", exif=orientation(n)),
            "kept",
            *((WIDTH, HEIGHT) if n < 5 else (HEIGHT, WIDTH)),
        )
        for n in range(1, 9)
    }
    return turned | {
        "jpeg_orientation_99.jpg": Animal(save(_of(49), "JPEG", exif=orientation(99))),
        "jpeg_damaged_exif.jpg": Animal(save(_of(50), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\xff")),
        "tiff_orientation_6.tif": Animal(save(_of(51), "TIFF", exif=orientation(6)), "kept", HEIGHT, WIDTH),
        "png_orientation_8.png": Animal(save(_of(52), "PNG", exif=orientation(8)), "kept", HEIGHT, WIDTH),
    }


def _odd() -> dict[str, Animal]:
    frames = {"save_all": True, "append_images": [_of(60)]}
    return {
        "gif_animated.gif": Animal(save(_of(61), "GIF", **frames)),
        "webp_animated.webp": Animal(save(_of(62), "WEBP", **frames)),
        "png_animated.png": Animal(save(_of(63), "PNG", **frames)),
        "tiff_two_pages.tif": Animal(save(_of(64), "TIFF", **frames)),
        "jpeg_two_pictures.mpo": Animal(save(_of(65), "MPO", **frames)),
        "jpeg_with_junk_behind.jpg": Animal(save(_of(66), "JPEG") + bytes(5000)),
        "png_with_a_wrong_suffix.jpg": Animal(save(_of(67), "PNG")),
        "no_suffix": Animal(save(_of(68), "JPEG")),
        "ünïcödé ☺ and blanks.jpg": Animal(save(_of(69), "JPEG")),
        "png_with_a_large_profile.png": Animal(save(_of(71), "PNG", icc_profile=bytes(2**21))),
        "png_with_a_text_bomb.png": Animal(
            with_chunks(save(_of(72), "PNG"), png_chunk(b"zTXt", b"C\0\0" + zlib.compress(bytes(2**22))))
        ),
        "png_with_a_damaged_text.png": Animal(
            with_chunks(save(_of(73), "PNG"), png_chunk(b"tEXt", b"C\0text")[:-4] + bytes(4))
        ),
        "bmp_with_an_empty_alpha.bmp": Animal(bmp_32(picture(74), 0)),
        "jpeg_with_colour_profile.jpg": Animal(save(_of(70), "JPEG", icc_profile=b"no profile at all")),
    }


def _sizes() -> dict[str, Animal]:
    return {
        "one_pixel.png": Animal(save(picture(80, 1, 1), "PNG"), "too_small", 1, 1),
        "19_x_300.png": Animal(save(picture(81, 19, 300), "PNG"), "too_small", 19, 300),
        "20_x_300.png": Animal(save(picture(82, 20, 300), "PNG"), "kept", 20, 300),
        "bomb.png": Animal(raw_png(60_000, 60_000, 8, 2, b""), "too_large", None, None),
        "bomb_of_one_bit.png": Animal(
            raw_png(1_000_000, 1_000_000, 1, 0, bytes(10**6)), "too_large", None, None
        ),
        "bomb.gif": Animal(BOMB_GIF, "too_large", None, None),
        "bomb.ppm": Animal(b"P6 99999 99999 255\n", "too_large", None, None),
    }


def _damaged() -> dict[str, Animal]:
    jpeg, png, noise = save(_of(90), "JPEG"), save(_of(91), "PNG"), np.random.default_rng(0)
    rough = save(noise.integers(0, 256, (48, 64, 3), dtype=np.uint8), "PNG")
    damaged = {
        "jpeg_cut_off.jpg": jpeg[: len(jpeg) // 2],
        "jpeg_without_its_end.jpg": jpeg[:-2],
        "jpeg_half_zeros.jpg": jpeg[: len(jpeg) // 2] + bytes(len(jpeg) // 2),
        "jpeg_header_only.jpg": jpeg[:10],
        "jpeg_nothing_but_its_start.jpg": jpeg[:3] + bytes(50),
        "png_cut_off.png": png[: len(png) // 2],
        "png_signature_only.png": png[:8],
        "png_bit_flipped.png": flipped(rough, 4000),
        "gif_cut_off.gif": save(_of(92), "GIF")[:900],
        "webp_cut_off.webp": save(_of(93), "WEBP")[:100],
        "avif_cut_off.avif": save(_of(94), "AVIF")[:300],
        "bmp_cut_off.bmp": save(_of(95), "BMP")[:2000],
        "tiff_cut_off.tif": save(_of(96), "TIFF")[:2000],
        "tiff_directory_outside.tif": b"II*\0\xff\xff\xff\x7f",
        "jpeg2000_cut_off.jp2": save(_of(97), "JPEG2000")[:200],
        "ppm_cut_off.ppm": b"P6 64 48 255\n" + bytes(100),
        "png_with_a_wrong_checksum.png": png[: png.index(b"IEND") - 5] + b"?" + png[png.index(b"IEND") - 4 :],
        "png_of_no_width.png": raw_png(0, 48, 8, 2, b""),
    }
    return {name: Animal(data, "corrupt", None, None) for name, data in damaged.items()}


def _foreign() -> dict[str, Animal]:
    named = {name: data for name, (data, _) in foreign_media().items()}
    foreign = named | {"text.jpg": b"this is no photo", "zeros.png": bytes(4096)}
    return {name: Animal(data, "unsupported", None, None) for name, data in foreign.items()} | {
        "empty.jpg": Animal(b"", "empty", None, None)
    }
