from tasks.forgetting.place import Action, Finding


def test_a_finding_is_removed_unless_it_says_otherwise() -> None:
    finding = Finding("data/raw")
    assert (finding.action, finding.count, finding.note) == (Action.REMOVE, 1, "")
    assert f"{Action.LEFT}" == "left"
