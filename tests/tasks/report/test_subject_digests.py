"""What a real page states is read from it; other tables and texts are not mistaken for it."""

from tasks.report.page import Subject
from tasks.report.subject_digests import SubjectDigests, read_digests
from tests.tasks.report.conftest import REGISTRATION, Reported


def test_the_digests_are_those_of_card_and_registration(page: str, evaluated: Subject) -> None:
    assert read_digests(page) == SubjectDigests(evaluated.card.weights_sha256, REGISTRATION["digest"])


def test_a_name_cannot_pose_as_a_row(reported: Reported) -> None:
    people = reported.rows("worst_identities")
    rows = (
        f'<th scope="row">{name}, sha256</th><td>{"0" * 64}</td>' for name in ("weights", "registered model")
    )
    people[1][0] = "".join(rows)
    reported.write_rows("worst_identities", people)
    found = read_digests(reported.page(registration=None))  # the model missed a gate
    assert found == SubjectDigests(reported.subject.card.weights_sha256, "")


def test_another_text_states_none() -> None:
    assert read_digests(f"<p>weights, sha256 {'0' * 64}</p>") == SubjectDigests("", "")
