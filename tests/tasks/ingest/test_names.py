import pytest

from tasks.ingest.names import clean_name, is_clutter, refusal


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Ann/1.jpg", "Ann/1.jpg"),
        ("./Ann//./1.jpg", "Ann/1.jpg"),
        ("/etc/1.jpg", "/etc/1.jpg"),
        ("../1.jpg", "../1.jpg"),
        ("Jos\udce9/1.jpg", "Jos\\xe9/1.jpg"),
        ("Zoe\u0308/1.jpg", "Zoe\u0308/1.jpg"),
    ],
)
def test_a_clean_name_is_valid_utf8_and_the_same_file(name: str, expected: str) -> None:
    assert clean_name(name) == expected
    clean_name(name).encode()


def test_two_people_with_latin_1_names_stay_two() -> None:
    latin = [bytes_.decode("utf-8", "surrogateescape") for bytes_ in (b"Jos\xe9/1.jpg", b"Jos\xe8/1.jpg")]
    assert len({clean_name(name) for name in latin}) == 2


SYSTEM = [
    *("lost+found", "#recycle", "#snapshot", "@eaDir", "@Recycle", "$RECYCLE.BIN", "RECYCLER", "FOUND.000"),
    *("System Volume Information", ".Trashes", ".Trash-1000", ".AppleDouble", "__MACOSX", ".DS_Store"),
    *("Thumbs.db", "ehthumbs.db", "desktop.ini", "Network Trash Folder", "Temporary Items", "Icon\r"),
    *(".#1.jpg", "#1.jpg#", "1.jpg~", "~$photos.docx", ".1.jpg.swp", ".~lock.1.jpg#"),
]


@pytest.mark.parametrize("part", SYSTEM)
def test_files_and_folders_of_systems_and_editors_are_hidden(part: str) -> None:
    assert is_clutter(part)
    for name in (part, f"Ann/{part}", f"{part}/1.jpg"):
        refused = refusal(name, 0, 10)
        assert refused is not None
        assert refused[0] == "hidden", name


@pytest.mark.parametrize(
    "part", ["Ann", "Found", "Recycled Ann", "#1", "@ann", "$ign", "lost", "Foundation.0001"]
)
def test_people_with_similar_names_are_not_hidden(part: str) -> None:
    assert not is_clutter(part)


@pytest.mark.parametrize(
    "name", ["../out.jpg", "/etc/out.jpg", "Ann/../../out.jpg", "C:/out.jpg", "a\nb/1.jpg"]
)
def test_escaping_paths_and_control_characters_are_unsafe(name: str) -> None:
    refused = refusal(name, 0, 10)
    assert refused is not None
    assert refused[0] == "unsafe"


def test_the_limit_on_bytes_is_inclusive() -> None:
    assert refusal("Ann/1.jpg", 10, 10) is None
    assert refusal("Ann/1.jpg", 11, 10) == ("too_large", "11 bytes; the limit ingest.max_file_bytes is 10.")
