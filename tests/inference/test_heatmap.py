"""Heat maps, with each cell where it belongs."""

import numpy as np

from fracture.inference.heatmap import MIXED10, SIDE, heat_map, on_square
from fracture.inference.litert import Output


def test_on_square_peaks_in_the_middle_of_the_cell():
    """At 299 px the first of mixed10's eight cells is at 37 px, not at 299 / 16."""
    for place in (0, 3, 7):
        cells = np.zeros((8, 8), np.float32)
        cells[place, 2] = 1
        row, column = np.unravel_index(on_square(cells, 299, MIXED10).argmax(), (SIDE, SIDE))
        middle = (np.array([37 + 32 * place, 37 + 32 * 2]) + 0.5) * SIDE / 299
        inner = abs(np.array([row, column]) + 0.5 - middle) < 1
        assert inner[1]
        assert inner[0] or place in (0, 7)  # an outer cell reaches to the edge


def output(cam: np.ndarray, places: np.ndarray | None = None) -> Output:
    nothing = np.zeros(2048, np.float32)
    return Output(0.0, nothing, cam.astype(np.float32), nothing, places)


def test_heat_map_mirrors_the_mirror_image_back():
    """Both sides count at the same place."""
    cam = np.arange(64).reshape(8, 8)
    straight, mirrored = (
        heat_map(output(cam), output(cam[:, ::-1]), 299),
        on_square(cam.astype(np.float32), 299, MIXED10),
    )
    assert np.allclose(straight, mirrored, atol=0.5)


def test_heat_map_of_places_is_a_probability():
    """Places are logits; the heat map is 0 to 1."""
    places = np.full((17, 17), -4.0, np.float32)
    places[3, 4] = 4
    heat = heat_map(output(np.zeros((8, 8)), places), output(np.zeros((8, 8)), places[:, ::-1]), 299)
    assert 0 <= heat.min() < 0.02 and 0.8 < heat.max() <= 1
