"""The page: complete, self-contained, reproducible, safe with any name, and accessible."""

import itertools
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tasks.params.sources import FolderSource
from tasks.report.page import Subject, render, write_page
from tasks.reports import read_report, write_report
from tests.browser import chromium
from tests.tasks.report.conftest import REGISTRATION, Reported

HOSTILE = '<script>alert("Eve")</script>&<img src=x onerror=alert(1)>'
VOID = {"meta", "link", "img", "br", "wbr"}
CARDS = ("model_card.md", "dataset_card.md", "dataset_card.json")  # next to the page
SECTIONS = ("standing", "verification", "errors", "people", "leaks", "training", "data", "provenance")


class Outline(HTMLParser):
    """The elements of a page with their attributes, in order; each must be closed in its place."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


def test_the_headline_has_interval_protocol_and_coverage(page: str, evaluated: Subject) -> None:
    header = page[page.index("<header>") : page.index("</header>")].replace("\N{NO-BREAK SPACE}", " ")
    assert "generated pairs, 5 folds" in header
    assert re.search(r"\d+\.\d\d % <small>accuracy", header)
    assert re.search(r"95 % interval \d+\.\d\d % to \d+\.\d\d %", header)
    assert "120 of 120 pairs" in header
    assert "No face was found in 1 of these" in header


def test_every_part_is_there(page: str) -> None:
    outline = Outline(page)
    assert [a["aria-labelledby"] for a in outline.all("section")] == list(SECTIONS)
    links = [str(a["href"]) for a in outline.all("a")][1:]
    assert links == [
        *(f"#{name}" for name in SECTIONS),
        *CARDS,
    ]
    titles = re.findall(r'<title id="([\w-]+)-title">', page)
    assert titles == [
        *("roc", "det", "distances", "fold-chart", "reliability"),
        *("slice-chart", "loss", "validation_accuracy", "lr"),
    ]
    for caption in (
        *(
            "Gates",
            "Folds, each",
            "Operating points",
            "Predicted and observed",
            "All pairs",
            "Slices by",
            "People with",
        ),
        *(
            "Open-set identification",
            "Photos by source",
            "Files rejected by ingest",
            "Faces found",
            "Digests",
            "evaluate",
        ),
    ):
        assert f"<caption><span>{caption}" in page, caption


def test_the_epoch_of_the_weights_is_there_with_the_reason(reported: Reported) -> None:
    selection = {"rule": "best", "epoch": 3, "epochs": 9, "reason": "the highest validation accuracy"}
    assert "weights, epoch" not in reported.page(card=replace(reported.subject.card, selection={}))
    page = reported.page(card=replace(reported.subject.card, selection=selection)).replace("<wbr>", "")
    assert "3 of 9: the highest validation accuracy" in page


def test_it_is_one_file_without_an_address(page: str) -> None:
    assert not re.search(r"https?:|//[a-z0-9.-]+\.[a-z]{2}|url\((?!#)|@import|@font-face", page)
    for tag, attributes in Outline(page).elements:
        assert tag not in ("script", "iframe", "object", "embed"), tag
        for name in ("src", "href", "xlink:href", "srcset", "action"):
            target = attributes.get(name) or "#"
            assert target.startswith(("#", "data:")) or target in CARDS, attributes


def test_the_same_run_gives_the_same_bytes(evaluated: Subject, page: str, tmp_path: Path) -> None:
    import matplotlib as mpl

    with mpl.rc_context({"lines.linewidth": 9, "font.size": 30}):  # of a matplotlibrc of this machine
        write_page(tmp_path / "report.html", evaluated)
    assert (tmp_path / "report.html").read_text() == page
    assert mpl.rcParams["svg.fonttype"] == "path"  # as it was


@pytest.mark.parametrize(
    "name", [HOSTILE, "{{ 7 * 7 }}{% raw %}", "a" * 300, "Ünïcødé \N{RIGHT-TO-LEFT OVERRIDE} reversed"]
)
def test_names_are_data(reported: Reported, name: str) -> None:
    people = reported.rows("worst_identities")
    people[1][0] = name
    reported.write_rows("worst_identities", people)
    reported.write_rows("leaks", [*reported.rows("leaks"), ["name", name, name, "", "", "", ""]])
    _, first, *_ = reported.rows("decisions")
    lost = [*reported.rows("missing_pairs"), [name, first[1], "true", "0", "no photo"]]
    reported.write_rows("missing_pairs", lost)
    reported.change_metrics("evaluation", protocol=name, identity_overlap_warning=f"TRAINED: {name}")
    page = reported.page(registration={**REGISTRATION, "model": name})
    assert not Outline(page).all("script")
    assert [a for a in Outline(page).all("img") if "onerror" in a] == []
    shown = page.replace("<wbr>", "").replace("&lt;", "<").replace("&gt;", ">").replace("&#34;", '"')
    assert shown.replace("&amp;", "&").count(name) >= 6


def test_faces_are_shown_of_public_data_only(reported: Reported) -> None:
    private = (FolderSource(kind="folder", path="photos"),)
    faces = 'src="data:image/jpeg;base64,'
    for sources, policy, shown in (
        (None, "auto", True),
        (private, "auto", False),
        (private, "always", True),
        (None, "never", False),
    ):
        params = reported.params("register", report_photos=policy)
        if sources:
            ingest = params.ingest.model_copy(update={"sources": sources})
            params = Reported(Subject(**{**vars(reported.subject), "params": params})).params(
                "ingest", sources=ingest.sources
            )
        page = reported.page(params=params)
        assert (faces in page) is shown
        assert ("Photos are left out" in page) is not shown
        assert len(Outline(page).all("figcaption")) > 9  # the worst pairs are named all the same


def test_a_photo_is_small_and_says_whose_it_is(page: str) -> None:
    images = Outline(page).all("img")
    assert 2 <= len(images) <= 24
    for image in images:
        assert len(image["src"] or "") < 12_000
        assert re.fullmatch(r"Face of s\d+_\d{4}", image["alt"] or "")


@pytest.mark.parametrize(
    ("champion", "sentence"),
    [
        (None, "There was no champion"),
        ({"version": 4, "figures": {}, "alike": True, "paired": None}, "This version is the champion."),
        (
            {"version": 3, "figures": {"accuracy": 0.5}, "alike": False, "paired": None},
            "these metrics cannot be compared",
        ),
    ],
)
def test_the_champion_or_its_absence_is_stated(reported: Reported, champion: Any, sentence: str) -> None:
    page = reported.page(registration={**REGISTRATION, "champion": champion})
    assert sentence in page
    assert ("Compared with the champion, version 3" in page) is bool(champion and champion["version"] == 3)


def test_a_paired_comparison_is_in_percentage_points(reported: Reported) -> None:
    paired = {
        "pairs": 1200,
        "difference": -0.0125,
        "interval": [-0.02, 0.001],
        "only_new": 3,
        "only_old": 18,
        "p_value": 0.0015,
    }
    champion = {"version": 3, "figures": {"accuracy": 0.5}, "alike": True, "paired": paired}
    page = " ".join(reported.page(registration={**REGISTRATION, "champion": champion}).split())
    page = page.replace("\N{MINUS SIGN}", "-")
    assert "on 1,200 pairs in common, accuracy differs by -1.25 points (95 % interval -2.00 to +0.10)" in page
    assert "McNemar p 0.0015" in page


def test_a_model_that_misses_a_gate_has_a_report(reported: Reported) -> None:
    params = reported.params("register", gates={"accuracy": 0.999, "recall": 0.5})
    page = reported.page(params=params, registration=None)
    assert "Not registered: the model missed a gate." in page
    assert page.count("<td>NO</td>") == 2


def test_metrics_that_are_not_finite_do_not_break_the_page(reported: Reported) -> None:
    path = reported.subject.reports / "evaluation.json"
    broken = {"auc": math.nan, "eer": math.nan, "val": math.nan, "accuracy_interval": [math.nan, 1.0]}
    write_report(path, read_report(path) | broken | {"calibration_log_loss": math.inf})
    page = reported.page()
    assert "log loss inf" in page
    assert "not_finite" not in page


def test_missing_parts_are_named_in_a_sentence(reported: Reported) -> None:
    for name in ("history", "identification", "all_pairs", "worst_identities", "leaks"):
        reported.write_rows(name, reported.rows(name)[:1])
    decisions = [[*row[:6], "true"] for row in reported.rows("decisions")[1:]]
    reported.write_rows("decisions", [reported.rows("decisions")[0], *decisions])
    reported.write_rows("folds", reported.rows("folds")[:2])
    reported.change_metrics("train", epochs=0)
    reported.change_metrics("evaluation", clusters=None, rank1=None, worst_slice=None)
    reported.change_metrics("ingest", rejected={})
    reported.change_metrics("triplets", identities_train=0, images_train=0)
    page = reported.page()
    for sentence in (
        *(
            "Nothing was trained here",
            "identification was skipped",
            "no metrics over all pairs",
            "With a single fold",
        ),
        *("No errors.", "No false accepts.", "Ingest rejected no files"),
        *("No false rejects.", "Nobody is in training", "Align rejected no photos"),
    ):
        assert sentence in page, sentence
    assert "<figure></figure>" not in page.replace("\n", "")


@pytest.mark.parametrize(
    ("plan", "loss", "sentence"),
    [
        (
            "images",
            "cosface",
            "listed no triplets (triplets.plan is images): the loss cosface takes single photos.",
        ),
        ("pk", "triplet", "listed no triplets (triplets.plan is pk): they are mined in each batch."),
        ("triplets", "triplet", None),
    ],
)
def test_a_run_without_listed_triplets_says_why(
    reported: Reported, plan: str, loss: str, sentence: str | None
) -> None:
    before = reported.subject.params
    triplets = before.triplets.model_copy(update={"plan": plan})
    train = before.train.model_copy(update={"loss": loss})
    page = reported.page(params=replace(before, triplets=triplets, train=train))
    assert ("listed no triplets" in page) is (sentence is not None)
    assert sentence is None or sentence in " ".join(page.split())


def test_it_is_accessible_by_screen_reader_and_keyboard(page: str) -> None:
    outline = Outline(page)
    assert outline.all("html") == [{"lang": "en"}]
    assert [len(outline.all(tag)) for tag in ("header", "main", "nav", "h1", "title")][:4] == [1, 1, 1, 1]
    assert outline.all("a")[0] == {"class": "skip", "href": "#main"}
    assert all(cell["scope"] in ("col", "row") for cell in outline.all("th"))
    assert len(outline.all("caption")) == len(outline.all("table"))
    for chart in outline.all("svg"):
        assert chart["role"] == "img"
        for name in (chart["aria-labelledby"] or "").split():
            assert re.search(rf'<(title|desc) id="{name}">[^<]{{4,}}</', page), name
    for region in outline.all("div"):
        if "wide" in (region.get("class") or ""):
            assert (region["role"], region["tabindex"]) == ("region", "0")
            assert region["aria-label"]
    ids = [a["id"] for _, a in outline.elements if "id" in a]
    assert len(ids) == len(set(ids))
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def luminance(colour: str) -> float:
    """Return the relative luminance of #rrggbb, by WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_colours_have_contrast_in_light_dark_and_on_paper(root: Path) -> None:
    style = (root / "tasks" / "report" / "templates" / "style.css").read_text()
    schemes = [
        dict(re.findall(r"--(\w+): (#\w{6})", block))
        for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    ]
    assert len(schemes) == 3
    for scheme in schemes:
        for front in ("ink", "muted", "link", "bad", "one", "two"):
            for back in ("page", "panel"):
                light, dark = sorted((luminance(scheme[front]), luminance(scheme[back])), reverse=True)
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (front, back, scheme)


@pytest.mark.slow
def test_a_browser_requests_nothing_else_and_reports_no_errors(page: str, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(page)
    with chromium(tmp_path / "profile") as tab:
        for width in (390, 1280):
            for scheme in ("light", "dark"):
                tab.open(path, width=width, scheme=scheme)
                across = tab.value("[innerWidth, document.documentElement.scrollWidth]")
                assert across[0] == width
                assert across[1] <= width
                background = tab.value("getComputedStyle(document.body).backgroundColor")
                assert (background == "rgb(255, 255, 255)") is (scheme == "light")
        assert {url for url in tab.requests if not url.startswith("data:")} == {path.as_uri()}
        assert tab.complaints == []
        assert tab.ask("Page.printToPDF")["data"]


def test_a_page_needs_the_evaluation(evaluated: Subject, tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="auc"):
        render(Subject(**{**vars(evaluated), "reports": tmp_path}))
