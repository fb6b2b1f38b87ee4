from pathlib import Path
from typing import Any

from tasks.audit.page import write_page


def test_the_page_shows_faces_and_suggestions(space: Any) -> None:
    text = (space.files.reports / "label_audit.html").read_text()
    assert text.count('<li class="suspect">') == len(space.done.suspects)
    assert "Suggested: move to s8" in text
    assert text.count("data:image/jpeg") >= 4
    assert "Suspects by probability" in text


def test_without_photos_and_with_names_that_are_markup(space: Any, tmp_path: Path) -> None:
    register = space.params.register.model_copy(update={"report_photos": "never"})
    params = type(space.params)(**{**vars(space.params), "register": register})
    odd = [type(s)(**{**vars(s), "identity": "<b>"}) for s in space.done.suspects]
    report = {**space.done.report, "warning": "Trained on these."}
    write_page(tmp_path / "page.html", odd, report, params, space.files.aligned)
    text = (tmp_path / "page.html").read_text()
    assert "data:image/jpeg" not in text
    assert "<b>" not in text
    assert "Trained on these." in text
    write_page(tmp_path / "none.html", [], report, params, space.files.aligned)
    assert "Nothing is suspicious." in (tmp_path / "none.html").read_text()
