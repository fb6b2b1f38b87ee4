from service.pages.report_links import without_neighbours
from tasks.report.page import Subject, render


def test_links_to_files_become_text_and_others_stay() -> None:
    page = '<a href="model_card.md">model card</a>, <a href="#data">Data</a>, <a href="/model">model</a>'
    assert without_neighbours(page) == 'model card, <a href="#data">Data</a>, <a href="/model">model</a>'


def test_a_real_report_loses_exactly_its_cards(evaluated: Subject) -> None:
    page = render(evaluated)
    served = without_neighbours(page)
    assert page.count("<a ") - served.count("<a ") == 3
    assert "_card." not in served
    assert 'href="#data"' in served
