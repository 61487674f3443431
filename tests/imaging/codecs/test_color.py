"""How much of a picture is in color, by drawn pictures and by what reading a file keeps of it."""

from io import BytesIO

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from fracture.imaging.codecs.color import measure_color
from fracture.imaging.radiograph import read
from fracture.phantoms.samples import generate_sample
from tests.support.colored_films import COLORINGS, color_film


def patches(size: int = 200) -> Image.Image:
    """Two gray halves with a red and a green square in the middle: 4 % of the whole, 1 / 9 of the middle."""
    colors = np.full((size, size, 3), 90, np.uint8)
    colors[size // 2 :] = 170
    edge = size // 5
    across = slice(size // 2 - edge // 2, size // 2 + edge // 2)
    colors[size // 2 - edge // 2 : size // 2, across] = (220, 40, 40)
    colors[size // 2 : size // 2 + edge // 2, across] = (40, 220, 40)
    return Image.fromarray(colors)


def saved(image: Image.Image, kind: str, **options) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def test_measure_color_patches_are_their_share_of_the_middle():
    """Pixels of colors of their own are counted within the middle three fifths of each side."""
    assert measure_color(patches()) == pytest.approx(1 / 9, abs=0.01)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "P", "CMYK"])
def test_measure_color_gray_picture_has_none(mode):
    """A gray picture has no color in whatever mode it is stored."""
    ramp = Image.fromarray(np.tile(np.arange(256, dtype=np.uint8), (100, 1)))
    assert measure_color(ramp.convert(mode)) == 0


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "CMYK"])
def test_measure_color_is_about_the_same_in_all_modes(mode):
    """A palette or another color space changes nothing."""
    image = patches().quantize(16) if mode == "P" else patches().convert(mode)
    assert measure_color(image) == pytest.approx(1 / 9, abs=0.01)


def test_measure_color_transparent_pixels_have_none():
    """Colors that nobody sees do not count."""
    image = patches().convert("RGBA")
    image.putalpha(0)
    assert measure_color(image) == 0


def test_measure_color_tint_of_the_whole_picture_is_none():
    """A color that goes with the gray level is the film's or the lamp's."""
    level = np.tile(np.linspace(0, 255, 300), (200, 1))
    blue = np.stack([level * 0.5, level * 0.8, level], axis=2).astype(np.uint8)
    assert measure_color(Image.fromarray(blue)) == 0


def test_measure_color_surroundings_do_not_count():
    """A table around the film in a photograph is no color of the film."""
    colors = np.full((200, 200, 3), (250, 30, 30), np.uint8)
    colors[40:160, 40:160] = np.linspace(20, 230, 120).astype(np.uint8)[:, None, None]
    assert measure_color(Image.fromarray(colors)) == 0


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (7, 5)])
def test_measure_color_smallest_and_longest_pictures_are_measured(size):
    """Any size gives a share."""
    assert 0 <= measure_color(Image.new("RGB", size, (200, 30, 30))) <= 1


@pytest.mark.parametrize(("name", "largest"), [("tinted", 0.05), ("marked", 0.2), ("phone", 0.05)])
def test_measure_color_colored_film_has_little(name, largest):
    """Films with a tint, with colored marks or on a colored table have less color than most pictures in color."""
    film = generate_sample(3, views=1)[0].pixels
    shares = [measure_color(Image.fromarray(color_film(film, name, seed))) for seed in range(5)]
    assert name in COLORINGS
    assert max(shares) < largest


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF"])
def test_read_keeps_the_color_of_each_format(kind):
    """What a file had of color is known after it was made gray, by whichever decoder."""
    assert read(saved(patches(), kind)).color == pytest.approx(1 / 9, abs=0.02)


def test_read_deep_png_and_tiff_keep_their_color():
    """16 bits in color are measured by their upper 8."""
    deep = np.asarray(patches()).astype(np.uint16) * 257
    for data in (imagecodecs.png_encode(deep), imagecodecs.tiff_encode(deep, photometric="rgb")):
        assert read(data).color == pytest.approx(1 / 9, abs=0.02)


def test_read_gray_file_has_no_color():
    """A radiograph in gray is the same with and without the measure."""
    assert read(saved(patches().convert("L"), "PNG")).color == 0
