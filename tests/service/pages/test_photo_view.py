import base64
import io

from PIL import ExifTags, Image

from service.pages.photo_view import photo_view


def test_a_photo_is_shown_upright_small_and_without_metadata() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Artist] = "Ada"
    buffer = io.BytesIO()
    Image.new("RGB", (1600, 400), "red").save(buffer, "JPEG", exif=exif)
    view = photo_view(buffer.getvalue(), max_pixels=10**7)
    assert view is not None
    assert (view.width, view.height) == (400, 1600)
    shown = Image.open(io.BytesIO(base64.b64decode(view.source.partition(",")[2])))
    assert shown.size == (200, 800)
    assert dict(shown.getexif()) == {}
    assert photo_view(b"text", max_pixels=10) is None
    assert photo_view(buffer.getvalue(), max_pixels=10) is None
