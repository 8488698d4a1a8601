"""Products of parts."""

import relujax
from relujax.studies import Grid

GRID = Grid(
    data=["wdbc", "wine"], activation=["relu", "elu", "gelu"], model="mlp", epochs=3
)


def test_the_last_part_varies_fastest():
    pairs = [(cell.data, cell.activation) for cell in GRID]
    assert pairs[:4] == [
        ("wdbc", "relu"),
        ("wdbc", "elu"),
        ("wdbc", "gelu"),
        ("wine", "relu"),
    ]
    assert len(GRID) == 6 and all(isinstance(cell, relujax.Cell) for cell in GRID)


def test_grids_are_filtered_changed_and_added():
    smooth = GRID.only(lambda cell: cell.activation != "relu")
    assert {cell.activation for cell in smooth} == {"elu", "gelu"}
    longer = GRID[:2].over(epochs=[5, 9], tolerances=(0.1, 0.01))
    assert [cell.epochs for cell in longer] == [5, 5, 9, 9]
    assert {cell.tolerances for cell in longer} == {(0.1, 0.01)}
    assert list(GRID + longer) == [*GRID, *longer]
    assert len(Grid(data="wdbc", model="mlp", activation="relu")) == 1
