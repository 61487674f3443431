"""The gray scale of deep images: probabilities with markers, hot pixels, padding and windows beside the base's.

    python -m benchmarks.gray_scale --data FRACATLAS [--base FILE] [--images 20]

Radiographs of 8 bits are stored as 12 bits in 16, each variant with one thing that disturbs the gray scale, and read as
any file is. Of ``FILE`` and of random positives that the bundled model calls positive, the distance of each variant's
probability from that of the 8-bit image is printed; beside it, that with the gray scale from minimum to maximum. Then,
for windows that fit and for windows that do not, how often they are set aside.
"""

import argparse
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from fracture.data.dataset import scan
from fracture.errors import RadiographError
from fracture.imaging.gray_scale import to_8_bit
from fracture.imaging.radiograph import Radiograph, load, read, shrink
from fracture.inference.classifier import Classifier, load_classifier
from fracture.registry.model_folder import bundled_model
from tests.hostile.dicoms import dicom

Deep = NDArray[np.uint16]

MAX_SIDE = 900
"""px, to which images are reduced: the model sees 427."""


class Variant(NamedTuple):
    """A file, and its values as they are without anything that disturbs them but markers and pixels."""

    name: str
    file: bytes
    values: Deep


class Window(NamedTuple):
    """A window from ``low`` to ``high`` on an image, and whether it fits."""

    name: str
    values: Deep
    low: float
    high: float
    fits: bool


def main() -> None:
    """Measure variants, then windows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--images", type=int, default=20)
    args = parser.parse_args()
    model = load_classifier(bundled_model().name, bundled_model().path.parent)
    table = scan(args.data).table.sample(frac=1, random_state=0)
    rows = []
    if args.base:
        rows += list(_compare(model, args.base))
        print(pd.DataFrame(rows).drop(columns="image").round(3).to_string(index=False))
    for path in table.loc[table["label"] == 1, "path"]:
        found = list(_compare(model, Path(path)))
        if found[0]["base"] >= model.limits.high:
            rows += found
        if len({row["image"] for row in rows}) >= args.images + bool(args.base):
            break
    report_variants(pd.DataFrame(rows))
    report_windows(table["path"].head(5 * args.images))


def report_variants(rows: pd.DataFrame) -> None:
    """Median and maximum of the distances, and how many are beyond 0.05."""
    distance = (rows["probability"] - rows["base"]).abs()
    by_range = (rows["minimum to maximum"] - rows["base"]).abs()
    rows = rows.assign(
        median=distance, maximum=distance, beyond=distance > 0.05, before_median=by_range, before=by_range > 0.05
    )
    kinds = {"median": "median", "maximum": "max", "beyond": "sum", "before_median": "median", "before": "sum"}
    print(f"\n{rows['image'].nunique()} images; distance from the base, and how many are more than 0.05 away;")
    print("the same from minimum to maximum (before)")
    print(rows.groupby("variant", sort=False).agg(kinds).round(3).to_string())


def report_windows(paths: "pd.Series[str]") -> None:
    """How often each kind of window is set aside."""
    rows = []
    for path in paths:
        for window in windows(_pixels(Path(path))):
            width = window.high - window.low
            file = dicom(window.values, WindowCenter=window.low + width / 2, WindowWidth=width)
            aside = any("set aside" in step for step in read(file).steps)
            rows.append({"window": window.name, "fits": window.fits, "set aside": aside})
    print(f"\nwindows on {len(paths)} images: share that is set aside")
    print(pd.DataFrame(rows).groupby(["fits", "window"], sort=False).mean().round(3).to_string())


def _compare(model: Classifier, path: Path) -> Iterator[dict[str, str | float]]:
    pixels = _pixels(path)
    base = model.view("base", Radiograph(pixels, "PNG")).probability
    for variant in variants(pixels):
        image = read(variant.file)
        whole = to_8_bit(variant.values, float(variant.values.min()), float(variant.values.max()))
        yield {
            "image": path.name,
            "variant": variant.name,
            "base": base,
            "probability": model.view("variant", image).probability,
            "minimum to maximum": _answer(model, whole),
        }


def _answer(model: Classifier, pixels: NDArray[np.uint8]) -> float:
    """The probability; of a picture with nothing to see 0, which the model says of a black one."""
    try:
        return model.view("variant", Radiograph(pixels, "PNG")).probability
    except RadiographError:
        return 0.0


def _pixels(path: Path) -> NDArray[np.uint8]:
    return shrink(load(path).pixels, MAX_SIDE)


def variants(pixels: NDArray[np.uint8]) -> Iterator[Variant]:
    """The image as 12 bits in 16, and with markers, hot and dead pixels, and padding."""
    deep = pixels.astype(np.uint16) * 16
    top = float(deep.max())
    random = np.random.default_rng(0)
    yield _png("12 bits in 16", deep)
    yield _png("10 bits in 16", deep // 4)
    for share in (0.005, 0.02, 0.04):
        yield _png(f"marker of {share:.1%} at 65535", _marked(deep, share, 65535))
    yield _png("marker of 2.0% with soft edges", _marked(deep, 0.02, 65535, blur=2))
    noise = random.normal(60000, 500, deep.shape)
    yield _png("marker of 4.0% with noise", _marked(deep, 0.04, noise))
    for factor in (1.4, 2, 4):
        yield _png(f"marker of 1.0% at {factor} of the maximum", _marked(deep, 0.01, factor * top))
    hot = deep.copy()
    hot[7, 7] = 65535
    yield _png("one hot pixel", hot)
    places = random.integers(0, deep.size, max(2, deep.size // 5000))
    scattered = deep + np.uint16(1000)
    scattered.flat[places] = 65535
    scattered.flat[places[::2]] = 0
    yield _png("0.02% hot and dead pixels", scattered)
    for name, value in (("65535", 65535), ("0", 0)):
        edge = max(deep.shape) // 20
        framed = np.pad(deep + np.uint16(1000), edge, constant_values=value)
        yield Variant(f"frame of Pixel Padding Value {name}", dicom(framed, PixelPaddingValue=value), framed)
    marked = np.minimum(_marked(deep // 4, 0.01, 4095), 4095)
    yield Variant("DICOM without window, saturated marker", dicom(marked, BitsStored=12, HighBit=11), marked)
    yield Variant("8 bits with a 12-bit window", dicom(pixels, WindowCenter=2048, WindowWidth=4096), deep)


def windows(pixels: NDArray[np.uint8]) -> Iterator[Window]:
    """Windows that fit an image, on it and on its collimated forms; and windows that do not fit it."""
    random = np.random.default_rng(0)
    deep = (pixels.astype(np.uint16) * 16 + random.integers(0, 16, pixels.shape)).astype(np.uint16)

    def between(name: str, values: Deep, low: float, high: float) -> Window:
        first, last = np.percentile(deep, [low, high])
        return Window(name, values, float(first), float(last) + 2, fits=True)

    yield Window("0 to 4095", deep, 0, 4095, fits=True)
    for low, high in ((1, 99), (5, 95), (10, 90), (50, 99.9), (75, 99.9)):
        yield between(f"percentiles {low} to {high}", deep, low, high)
    for level, name in ((60, "black"), (4030, "white")):
        for share in (0.5, 0.8, 0.9):
            collimated = _collimated(deep, share, level)
            yield between(f"percentiles 1 to 99, collimated: {share:.0%} {name}", collimated, 1, 99)
    yield Window("12 bits, 8-bit values", deep // 16, 0, 4095, fits=False)
    yield Window("12 bits, 10-bit values", deep // 4, 0, 4095, fits=False)
    yield Window("14 bits, 10-bit values", deep // 4, 0, 16383, fits=False)
    yield Window("12 bits, 16-bit values", deep * np.uint16(16), 0, 4095, fits=False)
    yield Window("-160 to 240, 12-bit values", deep, -160, 240, fits=False)
    yield Window("-160 to 240, values from 1024", deep + np.uint16(1024), -160, 240, fits=False)
    yield Window("above all values", deep, 5000, 9000, fits=False)
    yield Window("below all values", deep + np.uint16(3000), 0, 2500, fits=False)


def _png(name: str, values: Deep) -> Variant:
    file = BytesIO()
    Image.fromarray(values).save(file, "PNG")
    return Variant(name, file.getvalue(), values)


def _marked(values: Deep, share: float, level: "float | NDArray[np.float64]", blur: float = 0) -> Deep:
    """A square marker in a corner, of this share of the pixels."""
    side = round((share * values.size) ** 0.5)
    mask = np.zeros(values.shape)
    mask[5 : 5 + side, 5 : 5 + side] = 1
    if blur:
        mask = ndimage.gaussian_filter(mask, blur)
    mixed: Deep = np.rint(values * (1 - mask) + level * mask).clip(0, 65535).astype(np.uint16)
    return mixed


def _collimated(values: Deep, share: float, level: int) -> Deep:
    """The middle of the image in a noisy surround of this share of the pixels."""
    surround = np.random.default_rng(0).normal(level, 15, values.shape).clip(0).astype(np.uint16)
    height, width = values.shape
    kept = (1 - share) ** 0.5
    top, left = (int(side * (1 - kept) / 2) for side in (height, width))
    inside = (slice(top, height - top), slice(left, width - left))
    surround[inside] = values[inside]
    return surround


if __name__ == "__main__":
    main()
