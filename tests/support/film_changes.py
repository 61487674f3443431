"""What happens to a radiograph on its way to an upload: each change gives a picture that is still a radiograph.

Negatives, borders, markers, other gray levels, crops, several views in one picture, and a phone's photograph of a film
on a light box. All are drawn from a generator, so that the same seed gives the same picture.
"""

from collections.abc import Callable
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Gray = NDArray[np.uint8]
Change = Callable[[Gray, np.random.Generator], Gray]


def change(pixels: Gray, name: str, seed: int) -> Gray:
    """A radiograph (H, W) after one of :data:`CHANGES`; (H', W')."""
    return CHANGES[name](pixels, np.random.default_rng(seed))


def _inverted(pixels: Gray, rng: np.random.Generator) -> Gray:
    return 255 - pixels


def _white_border(pixels: Gray, rng: np.random.Generator) -> Gray:
    return _bordered(pixels, rng, 255)


def _black_border(pixels: Gray, rng: np.random.Generator) -> Gray:
    return _bordered(pixels, rng, 0)


def _bordered(pixels: Gray, rng: np.random.Generator, level: int) -> Gray:
    """Margins of 3 to 25 % of each side."""
    height, width = pixels.shape
    top, bottom = (rng.uniform(0.03, 0.25, 2) * height).astype(int)
    left, right = (rng.uniform(0.03, 0.25, 2) * width).astype(int)
    return np.pad(pixels, ((top, bottom), (left, right)), constant_values=level)


def _marker(pixels: Gray, rng: np.random.Generator) -> Gray:
    """One to three lead letters and burnt-in lines of text, white or in a white box."""
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    side = min(pixels.shape)
    for _ in range(int(rng.integers(1, 4))):
        text = str(rng.choice(["R", "L", "R AP", "L LAT", "12.03.2019 14:22", "DR. A. NAME  M 34Y", "STANDING"]))
        size = max(8, int(side * rng.uniform(0.03, 0.1)))
        x, y = (int(rng.uniform(0.02, 0.8) * length) for length in (image.width, image.height))
        boxed = rng.random() < 0.4
        font = ImageFont.load_default(size)
        if boxed:
            draw.rectangle(draw.textbbox((x, y), text, font), 255)
        draw.text((x, y), text, 0 if boxed else 255, font)
    return np.asarray(image)


def _brighter(pixels: Gray, rng: np.random.Generator) -> Gray:
    return _levels(pixels, gamma=rng.uniform(0.35, 0.6), low=rng.uniform(20, 80), high=255)


def _darker(pixels: Gray, rng: np.random.Generator) -> Gray:
    return _levels(pixels, gamma=rng.uniform(1.6, 2.6), low=0, high=rng.uniform(120, 200))


def _flat(pixels: Gray, rng: np.random.Generator) -> Gray:
    """A narrow range of gray, as of a scanned film."""
    low = rng.uniform(40, 110)
    return _levels(pixels, gamma=1.0, low=low, high=low + rng.uniform(60, 110))


def _levels(pixels: Gray, gamma: float, low: float, high: float) -> Gray:
    return (low + (high - low) * (pixels / 255.0) ** gamma).astype(np.uint8)


def _crop(pixels: Gray, rng: np.random.Generator) -> Gray:
    """A part of 45 to 80 % of each side."""
    height, width = pixels.shape
    down, across = (rng.uniform(0.45, 0.8, 2) * (height, width)).astype(int)
    top, left = int(rng.integers(0, height - down + 1)), int(rng.integers(0, width - across + 1))
    return np.ascontiguousarray(pixels[top : top + down, left : left + across])


def _turned(pixels: Gray, rng: np.random.Generator) -> Gray:
    return np.ascontiguousarray(np.rot90(pixels, int(rng.integers(1, 4))))


def _two_views(pixels: Gray, rng: np.random.Generator) -> Gray:
    """Two views side by side on one film."""
    gap = np.full((len(pixels), int(rng.integers(0, 30))), int(rng.choice([0, 255])), np.uint8)
    return np.hstack([pixels, gap, pixels[:, ::-1]])


def _phone(pixels: Gray, rng: np.random.Generator) -> Gray:
    """A photograph of the film on a light box: perspective, an uneven ground, glare, vignette, blur, noise, JPEG."""
    film = Image.fromarray(pixels)
    film.thumbnail((700, 700))
    width, height = film.width + int(rng.integers(30, 200)), film.height + int(rng.integers(30, 200))
    photograph = _ground(width, height, rng)
    mask = Image.new("L", film.size, 255)
    corners = corners_of(film.size, (width, height), rng)
    photograph.paste(warp(film, corners, (width, height)), mask=warp(mask, corners, (width, height)))
    lit = _lit(np.asarray(photograph, np.float64), rng)
    file = BytesIO()
    blurred = Image.fromarray(lit).filter(ImageFilter.GaussianBlur(rng.uniform(0, 1.5)))
    blurred.save(file, "JPEG", quality=int(rng.integers(50, 92)))
    return np.asarray(Image.open(file))


def _ground(width: int, height: int, rng: np.random.Generator) -> Image.Image:
    """What the film lies on: a light box or a table, in two levels of gray with a soft edge."""
    small = rng.uniform(20, 250, (2, 2)) if rng.random() < 0.5 else np.full((2, 2), rng.uniform(200, 255))
    return Image.fromarray(small.astype(np.uint8)).resize((width, height), Image.Resampling.BICUBIC)


def corners_of(film: tuple[int, int], frame: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    """(4, 2) in px: where the corners of a film lie in the photograph, each up to 6 % of its side off."""
    size = np.array(film)
    left_top = (np.array(frame) - size) / 2
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    return left_top + square * size + rng.uniform(-0.06, 0.06, (4, 2)) * size


def warp(film: Image.Image, corners: NDArray[np.float64], size: tuple[int, int]) -> Image.Image:
    """The film seen in perspective: its corners lie at ``corners``, and black around."""
    across, down = film.size
    source = np.array([[0, 0], [across, 0], [across, down], [0, down]], np.float64)
    rows = []
    for (x, y), (u, v) in zip(corners, source, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    coefficients = np.linalg.solve(np.array(rows), source.ravel())
    return film.transform(size, Image.Transform.PERSPECTIVE, coefficients.tolist(), Image.Resampling.BILINEAR)


def _lit(pixels: NDArray[np.float64], rng: np.random.Generator) -> Gray:
    """Vignette, one or two reflections of a lamp, and the noise of the sensor."""
    height, width = pixels.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    lit = pixels * (1 - rng.uniform(0, 0.4) * (x**2 + y**2) / 2)
    for _ in range(int(rng.integers(0, 3))):
        across, down = rng.uniform(-0.9, 0.9, 2)
        spread = rng.uniform(0.05, 0.3)
        lit += rng.uniform(60, 200) * np.exp(-((x - across) ** 2 + (y - down) ** 2) / spread**2)
    lit += rng.normal(0, rng.uniform(0, 6), pixels.shape)
    return np.clip(lit, 0, 255).astype(np.uint8)


CHANGES: dict[str, Change] = {
    "inverted": _inverted,
    "white border": _white_border,
    "black border": _black_border,
    "marker": _marker,
    "brighter": _brighter,
    "darker": _darker,
    "flat": _flat,
    "crop": _crop,
    "turned": _turned,
    "two views": _two_views,
    "phone": _phone,
}
"""By name: what a picture of a radiograph may go through."""
