"""Whether the FAR reached on other people lies in the interval that `facenet calibrate` states.

`make bench-calibrate` draws 100 times 24 people of LFW who have several photos, measures thresholds on them,
and counts the false accepts of 24 other people, over pairs of people and over pairs of photos; of all photos
of all others with several photos; and of one photo each of everybody else. Results are written to
reports/benchmarks/calibrate.json and printed as a table.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.calibrate_people import Population
from benchmarks.identify_faces import Faces, evaluated_faces, lfw_faces
from facenet import FaceModel
from facenet.matching import Matcher
from facenet.site_calibration.measurement import measure_site
from facenet.site_calibration.people_pairs import people_pairs
from tasks.entry import stage_main
from tasks.reports import write_report

REPORT = Path("reports") / "benchmarks" / "calibrate.json"
FOLDER = Path(".dvc") / "tmp" / "identify"  # templates of LFW, shared with `make bench-identify`
GROUPS = ("people_pairs", "photo_pairs", "able_photos", "everybody_once")
FARS = (0.1, 0.01, 0.001)
# Fewest photos of a person, and most that are used: all that there are, or an even number.
PHOTOS = ((2, None), (4, None), (4, 10), (10, None), (6, 6))


def main() -> None:
    """Measure the splits, and write and print the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--model", default="pretrained", help="as FaceModel.load takes it; default: pretrained")
    evaluated = "workspace whose embeddings are used, such as that of bench-pretrained, instead of embedding"
    add("--evaluated", type=Path, help=evaluated)
    add("--people", type=int, default=24, help="of a split; default: 24")
    add("--splits", type=int, default=100, help="default: 100")
    add("--seed", type=int, default=0, help="of the splits; default: 0")
    add("--folder", type=Path, default=FOLDER, help="folder of photos and templates")
    add("--report", type=Path, default=REPORT, help=f"default: {REPORT}")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    model = FaceModel.load(arguments.model, site=False)
    if model.matcher is None:
        parser.error(f"{model.origin} has no calibration: its faces have no templates")
    if arguments.evaluated is None:
        faces = lfw_faces(model, arguments.folder)
    else:
        faces = evaluated_faces(model, arguments.evaluated)
    options = {"people": arguments.people, "splits": arguments.splits, "seed": arguments.seed}
    found = [measure(model.matcher, faces, least, most, **options) for least, most in PHOTOS]
    report = {"machine": machine.description(), "model": model.origin, **options, "photos": found}
    write_report(arguments.report, report)
    sys.stdout.write(table(report))


def measure(
    matcher: Matcher, faces: Faces, least: int, most: int | None, *, people: int, splits: int, seed: int
) -> dict[str, Any]:
    """Return coverage and widths for people with at least `least` photos, of whom at most `most` are used."""
    population = Population(faces, matcher.metric, least, most)
    found: dict[float, list[dict[str, Any]]] = {far: [] for far in FARS}
    for split in range(splits):
        mine, theirs = population.draw(people, np.random.default_rng([seed, split]))
        pairs = people_pairs(faces.templates[theirs.rows], theirs.owners.tolist(), matcher.metric)
        for far in FARS:
            owners = [str(owner) for owner in mine.owners]
            point = measure_site(
                faces.templates[mine.rows], owners, matcher, far=far, name="lfw", model_digest=""
            ).default
            reached = {
                "people_pairs": float(pairs.accepted(point.threshold).sum()) / (2 * pairs.people_pairs),
                "photo_pairs": float((pairs.different < point.threshold).mean()),
                **population.rates(point.threshold, mine),
            }
            found[far].append(
                {"interval": point.reached.group, "long_run": point.reached.long_run, **reached}
            )
    return {
        "least_photos": least,
        "most_photos": most,
        "able_people": len(population.able),
        "fars": {f"{far:g}": summary(outcomes) for far, outcomes in found.items()},
    }


def summary(outcomes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return for each kind of other people how many rates lie in the interval, and the median interval."""
    result: dict[str, Any] = {}
    for name in ("interval", "long_run"):
        edges = np.array([outcome[name] for outcome in outcomes])
        result[f"{name}_median"] = np.median(edges, axis=0).tolist()
        result[f"{name}_median_width"] = float(np.median(edges[:, 1] - edges[:, 0]))
        for group in GROUPS:
            reached = np.array([outcome[group] for outcome in outcomes])
            result[f"{name}_holds_{group}"] = int(((edges[:, 0] <= reached) & (reached <= edges[:, 1])).sum())
    for group in GROUPS:
        reached = np.array([outcome[group] for outcome in outcomes])
        result[f"reached_{group}"] = np.quantile(reached, [0.025, 0.5, 0.975]).tolist()
    return result


def table(report: dict[str, Any]) -> str:
    """Return the coverage of the stated interval as Markdown."""
    head: tuple[str, ...] = ("photos", "FAR", "median interval", "as many others, pairs of people")
    head += ("pairs of photos", "all others with several photos", "everybody else, one photo")
    lines = [head, ("---",) + ("---:",) * (len(head) - 1)]
    for row in report["photos"]:
        used = "all" if row["most_photos"] is None else f"at most {row['most_photos']}"
        for far, found in row["fars"].items():
            low, high = found["interval_median"]
            held = [str(found[f"interval_holds_{group}"]) for group in GROUPS]
            lines.append((f"{row['least_photos']}, {used}", far, f"{low:.4f} to {high:.4f}", *held))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    stage_main(main)
