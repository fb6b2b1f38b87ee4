"""The pretrained model: dlib's face recognition network with this project's detector, ready to load."""

from facenet.pretrained.cache import folder

__all__ = ["folder"]
