"""A site calibration joins the files of a version, and a second one replaces it."""

from collections.abc import Callable
from pathlib import Path

from tasks.tracking.registry import Version, download_version, get_version
from tasks.tracking.site_calibration import TAG, attach_site
from tests.tasks.tracking.test_registry import make  # noqa: F401  # a fixture


def test_the_file_is_replaced_and_the_tag_follows(
    make: Callable[..., Version],  # noqa: F811
    tmp_path: Path,
) -> None:
    version = make(digest="a")
    for text in ("first", "second"):
        (tmp_path / "site_calibration.json").write_text(text)
        attach_site("faces", version.number, tmp_path / "site_calibration.json", text)
        folder = download_version(version, tmp_path / text)
        assert (folder / "site_calibration.json").read_text() == text
        found = get_version("faces", version.number)
        assert found is not None
        assert found.tags[TAG] == text
