"""Radiographs in color, as they are on the web, in lectures and on phones: drawn, since none was at hand.

Films with a tint, with colored marks, and photographs of films in colored surroundings. All are drawn from a generator,
so that the same seed gives the same picture.
"""

from collections.abc import Callable
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from tests.support.film_changes import Gray, corners_of, warp

Color = NDArray[np.uint8]
Coloring = Callable[[Gray, np.random.Generator], Color]


def color_film(pixels: Gray, name: str, seed: int) -> Color:
    """A radiograph (H, W) after one of :data:`COLORINGS`; (H', W', 3)."""
    return COLORINGS[name](pixels, np.random.default_rng(seed))


def _tinted(pixels: Gray, rng: np.random.Generator) -> Color:
    """Blue film, sepia paper, or the blue of a stock picture: black, a tint in the middle, and a near white."""
    tint = {"blue film": (0.75, 0.9, 1.0), "sepia": (1.0, 0.8, 0.55), "stock": (0.35, 0.7, 1.0)}
    middle = np.array(tint[str(rng.choice(list(tint)))]) * rng.uniform(0.9, 1.1, 3)
    brightest = 255 * np.clip(middle ** rng.uniform(0, 1), 0, 1)
    # The middle gray level has the tint, and the brightest one less of it.
    curve = np.stack([np.interp(range(256), [0, 128, 255], [0, 128 * middle[c], brightest[c]]) for c in range(3)], -1)
    return _jpeg(curve[pixels].clip(0, 255).astype(np.uint8), rng)


def _marked(pixels: Gray, rng: np.random.Generator) -> Color:
    """One to four arrows, boxes, circles or lines of text in bright colors."""
    image = Image.fromarray(pixels).convert("RGB")
    draw = ImageDraw.Draw(image)
    side = min(pixels.shape)
    for _ in range(int(rng.integers(1, 5))):
        color = _bright(rng)
        width = max(2, int(side * rng.uniform(0.005, 0.02)))
        x, y = (int(rng.uniform(0.1, 0.7) * length) for length in image.size)
        across, down = (int(each) for each in rng.uniform(0.1, 0.35, 2) * side)
        kind = int(rng.integers(4))
        if kind == 0:
            draw.rectangle((x, y, x + across, y + down), None, color, width)
        elif kind == 1:
            draw.ellipse((x, y, x + across, y + down), None, color, width)
        elif kind == 2:
            draw.line((x, y, x + across, y + down), color, width)
            draw.regular_polygon((x, y, width * 4), 3, fill=color)
        else:
            draw.text((x, y), "fracture?", color, ImageFont.load_default(max(8, int(side * rng.uniform(0.03, 0.08)))))
    return _jpeg(np.asarray(image), rng)


def _phone(pixels: Gray, rng: np.random.Generator) -> Color:
    """A phone's photograph of a film on a colored ground: perspective, the light's color, vignette, noise, JPEG."""
    film = Image.fromarray(pixels).convert("RGB")
    film.thumbnail((700, 700))
    size = (film.width + int(rng.integers(30, 200)), film.height + int(rng.integers(30, 200)))
    corners = corners_of(film.size, size, rng)
    mask = warp(Image.new("L", film.size, 255), corners, size)
    photograph = _surroundings(size, rng)
    photograph.paste(warp(film, corners, size), mask=mask)
    light = rng.uniform(0.75, 1, 3)
    y, x = np.mgrid[-1 : 1 : size[1] * 1j, -1 : 1 : size[0] * 1j]
    vignette = 1 - rng.uniform(0, 0.4) * (x**2 + y**2) / 2
    lit = np.asarray(photograph, np.float64) * light * vignette[..., None]
    lit += rng.normal(0, rng.uniform(0, 6), lit.shape)
    blurred = Image.fromarray(lit.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(rng.uniform(0, 1.5)))
    return _jpeg(np.asarray(blurred), rng)


def _surroundings(size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """A table of one color, or a room out of focus."""
    cells = rng.integers(20, 240, (4, 4, 3)) if rng.random() < 0.5 else np.full((4, 4, 3), _bright(rng))
    return Image.fromarray(cells.astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)


def _bright(rng: np.random.Generator) -> tuple[int, int, int]:
    colors = [(255, 0, 0), (255, 220, 0), (0, 200, 0), (0, 160, 255), (255, 0, 255), (150, 95, 50)]
    return colors[int(rng.integers(len(colors)))]


def _jpeg(colors: Color, rng: np.random.Generator) -> Color:
    file = BytesIO()
    Image.fromarray(colors).save(file, "JPEG", quality=int(rng.integers(50, 95)))
    return np.asarray(Image.open(file))


COLORINGS: dict[str, Coloring] = {"tinted": _tinted, "marked": _marked, "phone": _phone}
"""By name: how a radiograph comes to have colors."""
