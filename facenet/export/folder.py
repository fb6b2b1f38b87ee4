"""Export a model folder: the embedder, the three networks of the detector, and what describes them."""

import shutil
from pathlib import Path

from facenet.atomic import atomic_path
from facenet.detection.weights import read_mtcnn_weights, save_mtcnn_weights
from facenet.digests import file_digest
from facenet.errors import ParamsInvalid
from facenet.export.description import detector_metadata, embedder_metadata
from facenet.export.detector import detector_graphs
from facenet.export.embedding import embedding_graph
from facenet.export.onnx_file import write_onnx
from facenet.matching import read_matcher
from facenet.model import CALIBRATION, CARD, DETECTOR, MONITORING, WEIGHTS, ModelCard, load_model
from facenet.site_calibration.calibration import SITE_FILE

EMBEDDER = "embedder.onnx"
DETECTORS = ("pnet.onnx", "rnet.onnx", "onet.onnx")


def export(source: Path, out: Path) -> list[Path]:
    """Write a model as ONNX files to the folder `out`, and return the files.

    embedder.onnx, and unless the model uses whole photos pnet.onnx, rnet.onnx and onet.onnx, are complete in
    themselves: their metadata has all that a program without this project needs. Copies of model.json,
    calibration.json, site_calibration.json and mtcnn.safetensors let FaceModel load the folder. A file that
    is there already is replaced, each one atomically and the card last; files of these names that the model
    does not have are removed.

    Args:
        source: a folder with facenet.safetensors and model.json, as models/ or a registered version's.
        out: is created; not `source`.

    Raises:
        PackageMissing: a package of the extra `export` is not installed.
        WeightsInvalid: a file is missing or invalid, or the files belong to different models.
        ExportFailed: an exported graph does not compute what the network does.
        ParamsInvalid: `out` is `source`.
    """
    if out.resolve() == source.resolve():
        raise ParamsInvalid(f"{out} is the folder of the model itself. Export it to another folder.")
    network, card = load_model(source / WEIGHTS, source / CARD)
    matcher = read_matcher(source / CALIBRATION, card.weights_sha256)
    spec = card.network
    graph = embedding_graph(network, image_size=spec.image_size, standardisation=card.standardisation)
    write_onnx(graph, out / EMBEDDER, embedder_metadata(card, matcher))
    written = [out / EMBEDDER, *_export_detector(source / DETECTOR, card, out)]
    if matcher is not None:
        written.append(_copied(source / CALIBRATION, out))
    optional = [name for name in (SITE_FILE, MONITORING) if (source / name).exists()]
    written += [_copied(source / name, out) for name in optional]
    names = (*DETECTORS, DETECTOR, CALIBRATION, SITE_FILE, MONITORING)
    stale = {out / name for name in names} - set(written)
    for path in sorted(stale):
        path.unlink(missing_ok=True)
    return [*written, _copied(source / CARD, out)]


def _export_detector(weights: Path, card: ModelCard, out: Path) -> list[Path]:
    if card.align["method"] == "none":
        return []
    if weights.exists():
        copied = _copied(weights, out)
    else:
        copied = out / DETECTOR
        save_mtcnn_weights(copied)
    digest = file_digest(copied)
    written = []
    for name, graph in detector_graphs(read_mtcnn_weights(copied)).items():
        written.append(out / f"{name}.onnx")
        write_onnx(graph, written[-1], detector_metadata(name, card, digest))
    return [*written, copied]


def _copied(file: Path, out: Path) -> Path:
    with atomic_path(out / file.name) as temporary:
        shutil.copyfile(file, temporary)
    return out / file.name
