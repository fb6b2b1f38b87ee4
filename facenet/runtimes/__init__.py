"""Run the embedding network without torch: in ONNX Runtime or OpenVINO, from its exported graph."""

from facenet.runtimes.choice import openvino_is_faster
from facenet.runtimes.graph_embedder import RUNTIMES, GraphEmbedder, load_graph_embedder

__all__ = ["RUNTIMES", "GraphEmbedder", "load_graph_embedder", "openvino_is_faster"]
