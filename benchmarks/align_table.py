"""The metrics of benchmarks/align.py as Markdown for docs/performance.md."""

from typing import Any


def table(metrics: dict[str, Any]) -> str:
    """Return machine, detectors, their ratio and agreement, the arithmetic limit and the align stage."""
    parts = [_machine(metrics), _detectors(metrics), _ratios(metrics), _floor(metrics), _stages(metrics)]
    return "\n\n".join(parts) + "\n"


def _machine(metrics: dict[str, Any]) -> str:
    return (
        f"{metrics['machine']}, {metrics['runtime']}. Baseline: {metrics['peer']}. "
        f"{metrics['photos']} photos of {metrics['data']}, "
        f"{metrics['threads']} cores for each side, medians of {metrics['rounds']} alternating rounds."
    )


def _detectors(metrics: dict[str, Any]) -> str:
    rates, memory, threads = metrics["images_per_second"], metrics["peak_memory_mb"], metrics["threads"]
    batches = {name.removeprefix("batch_"): rate for name, rate in rates["peer"].items() if name != "single"}
    names = {
        "ours": "ours, one single-threaded process per core",
        "ours_one_process": f"ours, one process with {threads} threads",
    }
    rows = [
        f"| {label} | {rates[side]['single']:.1f} | {rates[side]['batched']:.1f} | {memory[side]:.0f} |"
        for side, label in names.items()
    ]
    rows += [
        f"| facenet-pytorch 2.5.3, batches of {batch} | {rates['peer']['single']:.1f} | {rate:.1f} | "
        f"{memory['peer']:.0f} |"
        for batch, rate in batches.items()
    ]
    head = "| detector | single images, images/s | batched, images/s | peak memory, MB |"
    return "\n".join([head, "|---|---:|---:|---:|", *rows])


def _ratios(metrics: dict[str, Any]) -> str:
    agreed = metrics["agreement"]
    return (
        f"Batched: {metrics['ratio_batched']:.2f} times the baseline's best. Single photos: "
        f"{metrics['ratio_single']:.2f} times in one process, {metrics['ratio_single_processes']:.2f} times "
        f"with one process per core. The same number of faces in {agreed['count']:.2%} of the photos; of "
        f"{agreed['matched_faces']} matched faces {agreed['boxes']:.2%} have an IoU of at least 0.9 and "
        f"{agreed['landmarks']:.2%} have all landmarks within 2 px."
    )


def _floor(metrics: dict[str, Any]) -> str:
    floor = metrics["floor"]
    total = sum(floor["million_multiply_adds_per_photo"].values())
    return (
        f"The networks need {total:.0f} million multiply-adds "
        f"per photo. At the measured peak of {max(floor['billion_multiply_adds_per_second'].values()):.0f} "
        f"billion per second that is {floor['images_per_second']:.0f} images/s, of which we reach "
        f"{floor['share_reached']:.0%}."
    )


def _stages(metrics: dict[str, Any]) -> str:
    rows = [
        f"| {s['photos']} | {s['seconds']:.1f} | {s['images_per_second']:.1f} | "
        f"{s['detector_images_per_second']:.1f} | {s['efficiency']:.0%} | {s['peak_memory_mb']:.0f} |"
        for s in metrics["stages"]
    ]
    head = "| photos | align stage, s | images/s | detector alone, images/s | efficiency | peak memory, MB |"
    return "\n".join([head, "|---:|---:|---:|---:|---:|---:|", *rows])
