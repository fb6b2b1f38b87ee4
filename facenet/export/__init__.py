"""Export a model to ONNX: files that run without this project and without torch.

The standardisation is part of the exported graph, so that a program feeds pixels and cannot get it wrong.
"""

from facenet.export.folder import DETECTORS, EMBEDDER, export

__all__ = ["DETECTORS", "EMBEDDER", "export"]
