import pytest
import torch
from torch import nn

from facenet.export.graph import Graph


@pytest.mark.parametrize(
    ("example", "trial", "fits"),
    [((2, 4), (3, 4), True), ((2, 4), (2, 4), False), ((2, 4), (3, 5), False), ((2, 4), (2, 5), False)],
)
def test_a_trial_varies_the_named_axes_and_no_others(
    example: tuple[int, ...], trial: tuple[int, ...], fits: bool
) -> None:
    def graph() -> Graph:
        return Graph(
            name="plain",
            module=nn.Identity(),
            example=torch.zeros(example),
            trial=torch.zeros(trial),
            input="x",
            axes={0: "batch"},
            outputs={"y": {0: "batch"}},
        )

    if fits:
        assert graph().trial.shape == trial
    else:
        with pytest.raises(ValueError, match="plain: axis"):
            graph()
