from tasks.tracking.forgotten_mark import has_mark, marked, note, with_note

CARD = "# facenet version 1\n\n## Result\n\nfine\n"


def test_people_are_added_once_each() -> None:
    tag = marked("", "person-1", "train")
    assert tag == "person-1 (train)"
    tag = marked(tag, "person-2", "unknown")
    assert (
        marked(tag, "person-1", "train and evaluate") == "person-2 (unknown), person-1 (train and evaluate)"
    )
    assert has_mark(tag, "person-2")
    assert not has_mark(tag, "person")
    assert not has_mark("", "person-1")


def test_the_card_gets_one_section_whatever_it_had() -> None:
    once = with_note(CARD, "person-1 (train)")
    assert once.startswith(CARD.rstrip())
    assert "## Forgotten since" in once
    assert "- person-1 (train)" in once
    twice = with_note(once, "person-1 (train), person-2 (unknown)")
    assert twice.count("## Forgotten since") == 1
    assert "- person-2 (unknown)" in twice
    assert with_note(twice, "") == CARD
    assert note("") == ""
    followed = f"{once}\n## More\n\ntext\n"
    assert with_note(followed, "") == f"{CARD}\n## More\n\ntext\n"
