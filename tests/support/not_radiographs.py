"""Pictures that are no bone radiographs, to see what a model that knows only those makes of them.

Nothing is downloaded: the pictures lie in the wheels of scikit-learn, scikit-image, matplotlib, pydicom and
pydicom-data, in this project's README, or are drawn here. Each goes the way of an upload, through
:func:`fracture.imaging.radiograph.read`. A picture comes in a few variants (cropped, as a negative); ``name`` is the
original's, so that shares can be given by original as well: variants of one picture resemble each other.

>>> from collections import Counter
>>> Counter(picture.kind for picture in pictures())  # doctest: +SKIP
"""

import re
from collections.abc import Iterator
from importlib.resources import files
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

from fracture.imaging.codecs.color import measure_color
from fracture.imaging.radiograph import read
from fracture.paths import PROJECT

Gray = NDArray[np.uint8]


class Picture(NamedTuple):
    """One picture that is no bone radiograph; ``pixels`` (H, W), and the ``color`` that its file would have."""

    kind: str
    name: str
    variant: str
    pixels: Gray
    color: float = 0.0


SKIMAGE, MATPLOTLIB, SKLEARN = "skimage/data", "matplotlib/mpl-data/sample_data", "sklearn/datasets/images"
PHOTOGRAPHS = {
    SKLEARN: "china.jpg flower.jpg",
    SKIMAGE: "astronaut.png camera.png chelsea.png coffee.png coins.png rocket.jpg motorcycle_left.png color.png "
    "clock_motion.png hubble_deep_field.jpg moon.png",
    MATPLOTLIB: "grace_hopper.jpg",
}
TEXTURES = {SKIMAGE: "brick.png grass.png gravel.png"}
OTHER_MEDICINE = {SKIMAGE: "ihc.png retina.jpg cell.png microaneurysms.png phantom.png"}
DOCUMENTS = {SKIMAGE: "page.png text.png"}
DRAWINGS = {SKIMAGE: "horse.png logo.png chessboard_GRAY.png", MATPLOTLIB: "logo2.png Minduka_Present_Blue_Pack.png"}
SLICES = "CT_small.dcm MR_small.dcm 693_UNCR.dcm MR2_UNCR.dcm MR-SIEMENS-DICOM-WithOverlays.dcm explicit_VR-UN.dcm"
ULTRASOUND = "US1_UNCR.dcm examples_rgb_color.dcm color-pl.dcm"
CHEST = "RG1_UNCR.dcm"
LEGS = ("RG3_UNCR.dcm", "RG3_J2KR.dcm", "RG3_J2KI.dcm")
"""pydicom-data's lower leg of a child with a fibroma: a radiograph that a model of all body parts must know."""
WORDS = re.findall(
    r"\w+", "the of study bone image patient left right shows no acute fracture normal report hand knee view and"
)


def pictures() -> Iterator[Picture]:
    """All of them, the same on each call."""
    yield from chain(
        _photographs(), _from_dicom(), _documents(), _screens(), _charts(), _drawings(), _noise(), _blank()
    )


def dicom(name: str) -> bytes:
    """A DICOM file of pydicom or pydicom-data."""
    for package, place in (("pydicom", "data/test_files"), ("data_store", "data")):
        if (path := _shipped(package).joinpath(place, name)).is_file():
            return path.read_bytes()
    raise FileNotFoundError(f"{name} is neither in pydicom nor in pydicom-data")


def _photographs() -> Iterator[Picture]:
    for kind, group in (("photograph", PHOTOGRAPHS), ("texture", TEXTURES), ("other medicine", OTHER_MEDICINE)):
        for name, data in _bundled(group):
            yield from _variants_of_file(kind, name, data, crops=True)


def _from_dicom() -> Iterator[Picture]:
    for kind, names in (
        ("slice", SLICES),
        ("ultrasound", ULTRASOUND),
        ("chest", CHEST),
        ("bone scan", "JPEG2000_UNC.dcm"),
    ):
        for name in names.split():
            yield from _variants(kind, name, read(dicom(name), name).pixels, crops=kind in ("chest", "slice"))


def _documents() -> Iterator[Picture]:
    for name, data in _bundled(DOCUMENTS):
        yield from _variants_of_file("document", name, data, crops=True)
    for seed in range(6):
        yield from _variants("document", f"page {seed}", _page(seed))


def _screens() -> Iterator[Picture]:
    for path in sorted((PROJECT / "docs" / "pictures").glob("*.png")):
        if path.stem in ("home", "train", "models"):  # the others show radiographs
            yield from _variants_of_file("screen", path.stem, path.read_bytes())
    for seed in range(6):
        yield from _variants("screen", f"window {seed}", _window(seed))


def _charts() -> Iterator[Picture]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rng = np.random.default_rng(3)
    walk = rng.standard_normal((200, 3)).cumsum(axis=0)
    draw = {
        "lines": lambda axes: axes.plot(walk),
        "bars": lambda axes: axes.bar(range(12), rng.random(12)),
        "points": lambda axes: axes.scatter(*rng.standard_normal((2, 300))),
        "heat map": lambda axes: axes.imshow(rng.random((12, 12))),
        "pie": lambda axes: axes.pie([3, 2, 5, 1], labels=list("abcd")),
        "histogram": lambda axes: axes.hist(rng.standard_normal(1000), 30),
        "contours": lambda axes: axes.contourf(
            np.add.outer(np.sin(np.arange(0, 9, 0.1)), np.cos(np.arange(0, 9, 0.1)))
        ),
    }
    for name, drawn in draw.items():
        figure, file = Figure(figsize=(6, 4.5), dpi=100), BytesIO()
        FigureCanvasAgg(figure)
        drawn(figure.subplots())
        figure.savefig(file, format="png")
        yield from _variants_of_file("chart", name, file.getvalue())


def _drawings() -> Iterator[Picture]:
    for name, data in _bundled(DRAWINGS):
        yield from _variants_of_file("drawing", name, data)
    yield from _variants("drawing", "bone", _bone())
    yield from _variants("drawing", "stick figure", _stick_figure())
    for seed in range(4):
        yield from _variants("drawing", f"strokes {seed}", _strokes(seed))


def _noise() -> Iterator[Picture]:
    for exponent, name in ((0, "white"), (1, "pink"), (2, "brown"), (3, "clouds")):
        for seed, (height, width) in enumerate(((512, 512), (512, 320), (128, 128), (640, 800))):
            yield Picture("noise", name, str(seed), _spectrum(seed, height, width, exponent))
    rng = np.random.default_rng(9)
    yield Picture("noise", "salt and pepper", "", np.where(rng.random((400, 400)) < 0.1, 255, 0).astype(np.uint8))
    yield Picture("noise", "few levels", "", (rng.integers(0, 3, (400, 300)) * 100).astype(np.uint8))


def _blank() -> Iterator[Picture]:
    for level in (0, 32, 64, 128, 192, 255):
        yield Picture("blank", f"all {level}", "", np.full((400, 300), level, np.uint8))
        yield Picture("blank", f"all {level}", "square", np.full((512, 512), level, np.uint8))
    ramp = np.broadcast_to(np.linspace(0, 255, 300).astype(np.uint8), (400, 300))
    spot = np.hypot(*np.mgrid[-1:1:400j, -1:1:400j])
    for name, pixels in (
        ("ramp", ramp),
        ("dark ramp", ramp // 4),
        ("spot", (255 * np.exp(-4 * spot**2)).astype(np.uint8)),
    ):
        yield Picture("blank", name, "", np.ascontiguousarray(pixels))
        yield Picture("blank", name, "turned", np.ascontiguousarray(255 - pixels.T))
    framed = np.zeros((500, 400), np.uint8)
    framed[100:400, 120:280] = 180
    yield Picture("blank", "a bright field", "", framed)


def _variants(kind: str, name: str, pixels: Gray, crops: bool = False) -> Iterator[Picture]:
    """The picture, its negative, and two crops; mirrored ones would tell nothing, as features are means over both."""
    yield Picture(kind, name, "", pixels)
    yield Picture(kind, name, "negative", 255 - pixels)
    if crops and min(pixels.shape) >= 100:
        height, width = pixels.shape
        yield Picture(kind, name, "upper left", pixels[: height * 3 // 5, : width // 2])
        yield Picture(kind, name, "lower right", pixels[height // 2 :, width * 2 // 5 :])


def _variants_of_file(kind: str, name: str, data: bytes, crops: bool = False) -> Iterator[Picture]:
    """The same of a file, with the color of each: a negative has as much of it."""
    pixels = read(data, name).pixels
    image = upright(data)
    height, width = pixels.shape
    boxes = {
        "upper left": (0, 0, width // 2, height * 3 // 5),
        "lower right": (width * 2 // 5, height // 2, width, height),
    }
    for picture in _variants(kind, name, pixels, crops):
        box = boxes.get(picture.variant)
        yield picture._replace(color=measure_color(image.crop(box) if box else image))


def upright(data: bytes) -> Image.Image:
    """A picture in color, turned as :func:`fracture.imaging.radiograph.read` turns it."""
    return ImageOps.exif_transpose(Image.open(BytesIO(data)))


def _bundled(group: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    for place, names in group.items():
        package, _, inside = place.partition("/")
        for name in names.split():
            yield name, _shipped(package).joinpath(inside, name).read_bytes()


def _shipped(package: str) -> Path:
    return Path(str(files(package)))


def _font(size: int, name: str = "DejaVuSans") -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_shipped("matplotlib") / "mpl-data/fonts/ttf" / f"{name}.ttf"), size)


def _words(rng: np.random.Generator, count: int) -> str:
    return " ".join(rng.choice(WORDS, count))


def _page(seed: int) -> Gray:
    """A printed page: a heading, paragraphs, on some a table."""
    rng = np.random.default_rng(seed)
    page = Image.new("L", (620, 877), 255)
    draw, font = ImageDraw.Draw(page), _font(int(rng.integers(10, 18)), "DejaVuSerif" if seed % 2 else "DejaVuSansMono")
    draw.text((60, 50), _words(rng, 3).title(), 0, _font(28))
    for line in range(110, 560 if seed % 3 else 820, font.size + 6):
        draw.text((60, line), _words(rng, 9)[: 500 // (font.size // 2 + 2)], int(rng.integers(0, 60)), font)
    if seed % 3:
        for row in range(600, 820, 24):
            draw.rectangle((60, row, 560, row + 24), outline=90)
            for column in range(60, 560, 125):
                draw.text((column + 5, row + 4), f"{rng.random() * 100:.2f}", 30, _font(13))
    return np.asarray(page)


def _window(seed: int) -> Gray:
    """A program on a screen: bars, a list, cards with text and buttons; half of them in dark colours."""
    rng = np.random.default_rng(100 + seed)
    width, height = ((1280, 800), (800, 1280), (1024, 768))[seed % 3]
    ground, ink = (245, 20) if seed % 2 else (24, 225)
    screen = Image.new("L", (width, height), ground)
    draw = ImageDraw.Draw(screen)
    draw.rectangle((0, 0, width, 48), (ground + ink) // 2)
    draw.text((20, 12), _words(rng, 3), ink, _font(20))
    for row in range(70, height - 30, 34):
        draw.text((20, row), _words(rng, 2), ink, _font(15))
    for row in range(70, height - 160, 190):
        for column in range(240, width - 240, 280):
            card = (column, row, column + 260, row + 170)
            draw.rounded_rectangle(card, 10, ground - 12 if ground > 128 else ground + 20, (ground + ink) // 2)
            for line in range(4):
                draw.text((column + 12, row + 12 + 22 * line), _words(rng, 5)[:28], ink, _font(14))
            draw.rounded_rectangle((column + 12, row + 120, column + 110, row + 152), 8, int(rng.integers(60, 200)))
    return np.asarray(screen)


def _bone() -> Gray:
    """A cartoon of a bone, white on black."""
    image = Image.new("L", (400, 700))
    draw = ImageDraw.Draw(image)
    draw.rectangle((160, 150, 240, 550), 255)
    for x, y in ((150, 130), (250, 130), (150, 570), (250, 570)):
        draw.ellipse((x - 60, y - 60, x + 60, y + 60), 255)
    return np.asarray(image)


def _stick_figure() -> Gray:
    image = Image.new("L", (400, 600), 255)
    draw = ImageDraw.Draw(image)
    draw.ellipse((150, 40, 250, 140), outline=0, width=6)
    for line in (
        (200, 140, 200, 360),
        (200, 200, 90, 290),
        (200, 200, 310, 290),
        (200, 360, 110, 550),
        (200, 360, 290, 550),
    ):
        draw.line(line, 0, 6)
    return np.asarray(image)


def _strokes(seed: int) -> Gray:
    rng = np.random.default_rng(200 + seed)
    image = Image.new("L", (500, 500), 255)
    for _ in range(15):
        points = rng.integers(0, 500, (int(rng.integers(2, 6)), 2))
        ImageDraw.Draw(image).line([tuple(map(int, point)) for point in points], int(rng.integers(0, 120)), 4, "curve")
    return np.asarray(ImageOps.autocontrast(image))


def _spectrum(seed: int, height: int, width: int, exponent: float) -> Gray:
    """Noise whose amplitudes fall with frequency to the power of ``exponent``; from 1 to 99 % of it over all grays."""
    white = np.fft.rfft2(np.random.default_rng(300 + seed).standard_normal((height, width)))
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = np.inf if exponent else 1.0
    noise = np.fft.irfft2(white / frequency**exponent, (height, width))
    low, high = np.percentile(noise, [1, 99])
    return (255 * np.clip((noise - low) / (high - low), 0, 1)).astype(np.uint8)
