"""Pictures that are no radiographs, from Debian packages and drawn here, for the fit of the radiograph check.

A package is unpacked, without being installed, by ``apt-get download NAME && dpkg -x NAME_*.deb ROOT/NAME``. A package
is left out of the fit as a whole where it is measured. Each picture goes the way
of an upload, through :func:`fracture.imaging.radiograph.load`.
"""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from fracture.errors import RadiographError
from fracture.imaging.codecs.color import measure_color
from fracture.imaging.radiograph import Radiograph, load, read
from tests.support.not_radiographs import Picture, upright

Gray = NDArray[np.uint8]

PACKAGES = {
    "openclipart-png": ("clip art", 350),
    "tuxpaint-stamps-default": ("cutout", 250),
    "gimp-help-en": ("screen", 220),
    "opencv-doc": ("photograph", 220),
    "povray-examples": ("rendering", 150),
    "kstars-data": ("sky", 120),
    "plasma-workspace-wallpapers": ("wallpaper", 60),
    "hugin-data": ("photograph", 60),
    "krita-data": ("texture", 60),
    "marble-data": ("map", 60),
    "pingus-data": ("drawing", 60),
    "extremetuxracer-data": ("texture", 60),
    "gnome-user-docs": ("screen", 40),
    "mate-backgrounds": ("wallpaper", 40),
    "foobillardplus-data": ("texture", 40),
    "imagemagick-6-doc": ("photograph", 30),
    "khangman": ("drawing", 30),
    "lomiri-wallpapers-16.04": ("wallpaper", 20),
    "ukui-wallpapers": ("wallpaper", 20),
    "python-kivy-examples": ("photograph", 20),
}
"""Kind and largest number of pictures that are taken of each package; Debian 12 has them all."""

MAX_BYTES = 12_000_000
"""Of a picture's file: larger ones would take seconds to decode."""

MIN_SIDE = 64
"""In px: smaller ones are icons, which nobody uploads."""

MIN_SIDE_OF_CROPPED = 480
"""In px: parts of larger pictures are pictures themselves, but for those of :data:`NEVER_CROPPED` kinds."""

NEVER_CROPPED = ("clip art", "cutout")

MADE_BY_DOXYGEN = re.compile(r"^(class|struct|union|interface|protocol|inherit_graph)|_8hpp|__incl|dir_")
"""Class diagrams, thousands of one kind."""

MEDICAL = re.compile(r"x-?ray|skelet|retina|brain|skull|bone|tumou?r", re.IGNORECASE)
"""Names of pictures of bones and the like, which are looked at apart."""


def packaged(root: Path) -> Iterator[Picture]:
    """Pictures of the packages unpacked below ``root``, the same on each call; ``name`` begins with the package."""
    for package, (kind, count) in PACKAGES.items():
        paths = [path for path in sorted((root / package).rglob("*")) if _is_wanted(path)]
        order = np.random.default_rng(len(package)).permutation(len(paths))
        found = 0
        for place in order:
            image = _loaded(paths[place])
            if image is None:
                continue
            yield from _with_crops(kind, f"{package}/{paths[place].name}", image, paths[place], seed=found)
            found += 1
            if found == count:
                break


def drawn(count: int) -> Iterator[Picture]:
    """``count`` each of pages, forms, charts, screens, patterns and noise, by other code than ``not_radiographs``."""
    kinds = {"page": _page, "form": _form, "chart": _chart, "pattern": _pattern, "noise": _noise, "shapes": _shapes}
    for kind, draw in kinds.items():
        for seed in range(count):
            rng = np.random.default_rng([seed, len(kind)])
            pixels = draw(rng)
            yield Picture(kind, f"drawn/{kind} {seed}", "", 255 - pixels if seed % 4 == 3 else pixels)


def _is_wanted(path: Path) -> bool:
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg") or not path.is_file() or path.is_symlink():
        return False
    named = MADE_BY_DOXYGEN.search(path.name) or MEDICAL.search(path.name)
    return not named and path.stat().st_size <= MAX_BYTES


def _loaded(path: Path) -> Radiograph | None:
    """None for what the app does not read, and for icons."""
    try:
        image = load(path)
    except RadiographError:
        return None
    return image if min(image.pixels.shape) >= MIN_SIDE else None


def _with_crops(kind: str, name: str, image: Radiograph, path: Path, seed: int) -> Iterator[Picture]:
    """The picture, and of a large one two parts, the second as a negative; each with the color that it has."""
    pixels = image.pixels
    yield Picture(kind, name, "", pixels, image.color)
    if min(pixels.shape) < MIN_SIDE_OF_CROPPED or kind in NEVER_CROPPED:
        return
    colors = upright(path.read_bytes())
    rng = np.random.default_rng(seed)
    for variant in ("crop", "negative crop"):
        height, width = (np.array(pixels.shape) * rng.uniform(0.2, 0.6, 2)).astype(int)
        top = int(rng.integers(0, pixels.shape[0] - height))
        left = int(rng.integers(0, pixels.shape[1] - width))
        crop = np.ascontiguousarray(pixels[top : top + height, left : left + width])
        color = measure_color(colors.crop((left, top, left + width, top + height)))
        yield Picture(kind, name, variant, 255 - crop if variant == "negative crop" else crop, color)


def _text(rng: np.random.Generator, length: int) -> str:
    letters = rng.choice(list("aaabcdeeeefghiiklmnooprssttuvwy     ,.AEIST0123"), length)
    return "".join(letters.tolist())


def _page(rng: np.random.Generator) -> Gray:
    """Lines of text in one or two columns, on white or yellowed paper; some are scanned askew and blurred."""
    paper, ink = int(rng.integers(200, 256)), int(rng.integers(0, 90))
    width, height = int(rng.integers(400, 1000)), int(rng.integers(500, 1200))
    page = Image.new("L", (width, height), paper)
    draw = ImageDraw.Draw(page)
    size = int(rng.integers(9, 26))
    columns = int(rng.integers(1, 3))
    font = ImageFont.load_default(size)
    characters = max(5, int(width * 0.85 / columns / size * 1.8))
    for column in range(columns):
        for line in range(int(height * 0.08), int(height * rng.uniform(0.4, 0.95)), int(size * rng.uniform(1.2, 1.8))):
            draw.text((width * (0.07 + column * 0.46), line), _text(rng, characters), ink, font)
    if rng.random() < 0.4:
        page = page.rotate(rng.uniform(-6, 6), fillcolor=paper).filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.5)))
    return np.asarray(page)


def _form(rng: np.random.Generator) -> Gray:
    """Boxes, lines and labels, as of forms, tables and windows of programs."""
    ground = int(rng.choice([255, 240, 30, 60]))
    ink = 255 - ground
    width, height = int(rng.integers(400, 1300)), int(rng.integers(400, 1000))
    form = Image.new("L", (width, height), ground)
    draw = ImageDraw.Draw(form)
    font = ImageFont.load_default(int(rng.integers(10, 20)))
    for _ in range(int(rng.integers(8, 50))):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        across, down = int(rng.integers(20, width // 2)), int(rng.integers(10, 120))
        fill = int(rng.integers(0, 256)) if rng.random() < 0.3 else None
        draw.rectangle((x, y, x + across, y + down), fill, ink)
        draw.text((x + 4, y + 4), _text(rng, across // 8), ink, font)
    return np.asarray(form)


def _chart(rng: np.random.Generator) -> Gray:
    """One or more axes with steps, areas, boxes, arrows or surfaces."""
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with style.context(str(rng.choice(["default", "dark_background", "ggplot", "grayscale"]))):
        figure = Figure(figsize=tuple(rng.uniform(3, 8, 2)), dpi=100)
        FigureCanvasAgg(figure)
        across, down = (int(each) for each in rng.integers(1, 3, 2))
        for axes in figure.subplots(down, across, squeeze=False).flat:
            draw = [
                lambda axes=axes: axes.step(np.arange(30), rng.random(30)),
                lambda axes=axes: axes.stackplot(np.arange(20), rng.random((4, 20))),
                lambda axes=axes: axes.boxplot(rng.standard_normal((50, 5))),
                lambda axes=axes: axes.quiver(*rng.standard_normal((2, 12, 12))),
                lambda axes=axes: axes.hexbin(*rng.standard_normal((2, 2000)), gridsize=15),
                lambda axes=axes: axes.barh(np.arange(8), rng.random(8)),
                lambda axes=axes: axes.semilogy(rng.random((20, 3))),
            ]
            draw[int(rng.integers(len(draw)))]()
            axes.set_title(_text(rng, 15))
        file = BytesIO()
        figure.savefig(file, format="png")
    return read(file.getvalue()).pixels


def _pattern(rng: np.random.Generator) -> Gray:
    """Gratings, rings, cells and weaves."""
    height, width = (int(each) for each in rng.integers(200, 700, 2))
    y, x = np.mgrid[0:height, 0:width]
    step = rng.uniform(4, 80)
    angle = rng.uniform(0, np.pi)
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    kind = int(rng.integers(4))
    if kind == 0:
        wave = np.sin(along / step)
    elif kind == 1:
        wave = np.sin(np.hypot(x - width * rng.random(), y - height * rng.random()) / step)
    elif kind == 2:
        wave = np.sign(np.sin(along / step) * np.sin(across / step))
    else:
        points = rng.random((40, 2)) * (height, width)
        wave = np.full((height, width), np.inf)
        for down, right in points:
            wave = np.minimum(wave, np.hypot(y - down, x - right))
        wave = 2 * wave / wave.max() - 1
    return (255 * np.clip(0.5 + 0.5 * wave * rng.uniform(0.3, 1), 0, 1)).astype(np.uint8)


def _noise(rng: np.random.Generator) -> Gray:
    """Blurred noise of one scale, of grains or of streaks."""
    from scipy import ndimage

    height, width = (int(each) for each in rng.integers(150, 700, 2))
    spread = rng.uniform(0, 25, 2) if rng.random() < 0.4 else np.full(2, rng.uniform(0, 30))
    noise = ndimage.gaussian_filter(rng.standard_normal((height, width)), spread)
    if rng.random() < 0.3:
        noise = np.abs(noise)
    low, high = np.percentile(noise, [1, 99])
    return (255 * np.clip((noise - low) / (high - low), 0, 1)).astype(np.uint8)


def _shapes(rng: np.random.Generator) -> Gray:
    """A flat, shaded or banded ground, and on most a few flat shapes."""
    height, width = (int(each) for each in rng.integers(200, 700, 2))
    corners = Image.fromarray(rng.integers(0, 256, (2, 2)).astype(np.uint8))
    ground = corners.resize((width, height), Image.Resampling.BILINEAR)
    if rng.random() < 0.4:
        ground = Image.new("L", (width, height), int(rng.integers(0, 256)))
    draw = ImageDraw.Draw(ground)
    for _ in range(int(rng.integers(0, 12))):
        x, y = int(rng.integers(-50, width)), int(rng.integers(-50, height))
        box = (x, y, x + int(rng.integers(10, width)), y + int(rng.integers(10, height)))
        level = int(rng.integers(0, 256))
        draw.ellipse(box, level) if rng.random() < 0.5 else draw.rectangle(box, level)
    return np.asarray(ground)
