"""The official URLs and digests of public data sets, tried last."""

from typing import NamedTuple

_LFW = "http://vis-www.cs.umass.edu/lfw"
_FIGSHARE = "https://ndownloader.figshare.com/files"  # copies for scikit-learn: the LFW site is often down


class Official(NamedTuple):
    """A public file: its digest, required only of downloads from `urls`, and its URLs."""

    sha256: str | None
    urls: tuple[str, ...]


OFFICIAL = {
    # Repacked copies exist, with equal photos in other bytes: `sha256` in params.yaml selects one.
    "lfw-deepfunneled.tgz": Official(None, (f"{_LFW}/lfw-deepfunneled.tgz",)),
    "lfw-funneled.tgz": Official(
        "b47c8422c8cded889dc5a13418c4bc2abbda121092b3533a83306f90d900100a",
        (f"{_FIGSHARE}/5976015", f"{_LFW}/lfw-funneled.tgz"),
    ),
    "lfw.tgz": Official(
        "055f7d9c632d7370e6fb4afc7468d40f970c34a80d4c6f50ffec63f5a8d536c0",
        (f"{_FIGSHARE}/5976018", f"{_LFW}/lfw.tgz"),
    ),
    "pairs.txt": Official(
        "ea42330c62c92989f9d7c03237ed5d591365e89b3e649747777b70e692dc1592",
        (f"{_FIGSHARE}/5976006", f"{_LFW}/pairs.txt"),
    ),
    "pairsDevTest.txt": Official(
        "7cb06600ea8b2814ac26e946201cdb304296262aad67d046a16a7ec85d0ff87c",
        (f"{_FIGSHARE}/5976009", f"{_LFW}/pairsDevTest.txt"),
    ),
    "pairsDevTrain.txt": Official(
        "1d454dada7dfeca0e7eab6f65dc4e97a6312d44cf142207be28d688be92aabfa",
        (f"{_FIGSHARE}/5976012", f"{_LFW}/pairsDevTrain.txt"),
    ),
    "people.txt": Official(
        "bc8fa2b7f25c895cf7efb6de4f4fc27ca8b8d1cfa63350ad8b96eae2b198d365", (f"{_LFW}/people.txt",)
    ),
    "peopleDevTest.txt": Official(
        "c3ed1f90499473401542101a56c14c1d82396bb8218c67a356d7460601047555", (f"{_LFW}/peopleDevTest.txt",)
    ),
    "peopleDevTrain.txt": Official(
        "2e58df13ba4cc143189336e001cc2c195f1dfa5b29a6475c02857be353c2a2fa", (f"{_LFW}/peopleDevTrain.txt",)
    ),
}
