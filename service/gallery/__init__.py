"""The gallery of enrolled people: a store in SQLite or PostgreSQL, and a matrix in memory that follows it."""

from service.gallery.gallery import Gallery
from service.gallery.matrix import Snapshot
from service.gallery.nearest import Nearest
from service.gallery.records import Enrolled, Enrolment, Info, People, Person, Photo, Removal

__all__ = [
    "Enrolled",
    "Enrolment",
    "Gallery",
    "Info",
    "Nearest",
    "People",
    "Person",
    "Photo",
    "Removal",
    "Snapshot",
]
