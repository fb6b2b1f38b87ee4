import numpy as np
import pytest

from facenet.errors import DataInvalid
from facenet.training.division import Division
from facenet.training.processes import Processes


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("accumulate", [1, 2, 5])
@pytest.mark.parametrize("total", [3, 6, 7, 32, 33])
def test_every_image_is_computed_once_and_no_part_is_empty(total: int, accumulate: int, count: int) -> None:
    divisions = [Division(Processes(rank, count), accumulate) for rank in range(count)]
    owned = np.concatenate([division.own(total) for division in divisions])
    assert sorted(owned.tolist()) == list(range(total))
    for division in divisions:
        pieces = division.pieces(total)
        assert len(pieces) <= accumulate
        assert [piece.whole for piece in pieces] == [piece.whole for piece in divisions[0].pieces(total)]
        assert pieces[0].whole.start == 0
        assert pieces[-1].whole.stop == total
        for piece in pieces:
            assert piece.whole.stop - piece.whole.start >= 2
            assert piece.whole.start <= piece.own.start < piece.own.stop <= piece.whole.stop
    sizes = [piece.whole.stop - piece.whole.start for piece in divisions[0].pieces(total)]
    assert max(sizes) - min(sizes) <= 1


def test_alone_a_batch_is_one_piece() -> None:
    assert Division().pieces(5) == [(slice(0, 5), slice(0, 5))]


def test_fewer_images_than_processes_are_rejected() -> None:
    with pytest.raises(DataInvalid, match=r"2 images cannot be shared by 3 processes.*train\.batch_size"):
        Division(Processes(0, 3)).pieces(2)
