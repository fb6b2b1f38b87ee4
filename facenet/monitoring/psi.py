"""The population stability index of a quantity."""

import numpy as np
import numpy.typing as npt

from facenet.monitoring.weights import Floats, Weights

BINS = 10
FLOOR = 0.5  # rows counted in an empty bin, so that the logarithm is finite


def psi(reference: npt.ArrayLike, day: npt.ArrayLike) -> float:
    """Return the stability index of a sample (N,) against a reference (M,): 0 for equal histograms.

    The bins are the tenths of the reference. The sum over them of (q - p) * ln(q / p), with fractions p of
    the reference and q of the sample (E. M. Lewis, An Introduction to Credit Scoring, 1992); by convention
    0.1 is a small change and 0.25 a large one.
    """
    edges = bin_edges(reference)
    counts = [
        np.bincount(bin_numbers(sample, edges), minlength=len(edges) + 1) for sample in (reference, day)
    ]
    p, q = (np.maximum(found, FLOOR) / found.sum() for found in counts)
    return float(((q - p) * np.log(q / p)).sum())


def weighted_psi(values: npt.ArrayLike, first: Weights, second: Weights, sizes: tuple[int, int]) -> Floats:
    """Return the (B,) indices of B pairs of samples of the same (M,) values, with the bins of the values.

    first, second: the (M, B) weights of the references and of the samples against them; sizes: their rows.
    """
    edges = bin_edges(values)
    member = np.eye(len(edges) + 1, dtype=np.float32)[bin_numbers(values, edges)].T
    p, q = (
        np.maximum((member @ weights).astype(np.float64), FLOOR / size)
        for weights, size in zip((first, second), sizes, strict=True)
    )
    found: Floats = ((q - p) * np.log(q / p)).sum(axis=0)
    return found


def bin_edges(reference: npt.ArrayLike) -> Floats:
    """Return the edges between the tenths of a reference; fewer if many of its values are equal."""
    inner = np.arange(1, BINS) / BINS
    return np.unique(np.quantile(np.asarray(reference, np.float64), inner, method="inverted_cdf"))


def bin_numbers(values: npt.ArrayLike, edges: Floats) -> npt.NDArray[np.intp]:
    """Return the number of each value's bin; a value equal to an edge is in the bin below it."""
    return np.searchsorted(edges, np.asarray(values, np.float64), side="left")
