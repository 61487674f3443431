"""Feature maps as pictures."""

import numpy as np

from fracture.charts.network.maps import map_picture


def test_map_picture_shows_whole_cells_from_black_to_white():
    """Each cell of a coarse map is a square of one shade; the strongest is white."""
    picture = np.array(map_picture(np.array([[0, 1], [2, 4]], np.float32), 9))
    assert picture.shape == (8, 8)
    assert [int(picture[row, column]) for row, column in ((0, 0), (0, 7), (7, 0), (7, 7))] == [0, 63, 127, 255]


def test_fine_map_is_made_smaller():
    """A map of the stem has more cells than the picture px."""
    assert max(map_picture(np.ones((213, 213), np.float32), 144).size) == 144


def test_silent_channel_is_black():
    """It has no maximum to be scaled to."""
    assert not np.array(map_picture(np.zeros((8, 8), np.float32), 64)).any()
