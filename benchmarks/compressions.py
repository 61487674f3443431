"""Whether every DICOM file of one frame in pydicom and pydicom-data is read, and its pixels are right.

Run as ``python -m benchmarks.compressions``. Each compressed file is decoded by another library as well (GDCM, for
which ``python-gdcm`` must be installed, or pydicom's own plugins), written uncompressed, and read again; color and
palettes are turned to gray by pydicom and Pillow. The gray values of both must be within one level. Files that are
refused are printed with their sentence.
"""

import logging
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import FileMetaDataset
from pydicom.pixels.processing import apply_color_lut
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from fracture.errors import RadiographError
from fracture.imaging.radiograph import read

TOLERANCE = 1
"""Gray levels."""


def main() -> None:
    logging.disable()
    warnings.simplefilter("ignore")
    counted = Counter[str]()
    for path, dataset in single_frames():
        said = judged(path, dataset)
        counted[said.split(":")[0]] += 1
        if said not in ("read", "read, and equal"):
            print(f"{path.name}: {said}")
    for said, count in sorted(counted.items()):
        print(f"{count:4} {said}")
    sys.exit(1 if counted["different"] else 0)


def single_frames() -> Iterator[tuple[Path, pydicom.Dataset]]:
    """All files with pixels of one frame."""
    places = [str(files("pydicom").joinpath("data/test_files")), str(files("data_store").joinpath("data"))]
    for path in sorted(path for place in places for path in Path(place).rglob("*") if path.is_file()):
        try:
            dataset = pydicom.dcmread(path, force=True)
            frames = int(dataset.get("NumberOfFrames") or 1)
        except Exception:  # noqa: BLE001 - damaged on purpose
            continue
        if frames == 1 and dataset.get("PixelData") and dataset.get("Rows"):
            yield path, dataset


def judged(path: Path, dataset: pydicom.Dataset) -> str:
    """What came of a file."""
    try:
        ours = read(path.read_bytes(), path.name).pixels
    except RadiographError as error:
        return f"refused: {error}"
    syntax = dataset.file_meta.get("TransferSyntaxUID", ExplicitVRLittleEndian)
    is_color = not str(dataset.PhotometricInterpretation).startswith("MONOCHROME")
    if not syntax.is_compressed and not is_color:
        return "read"
    try:
        theirs = color_elsewhere(dataset) if is_color else read(uncompressed(path, dataset), path.name).pixels
    except Exception as error:  # noqa: BLE001 - whatever the other decoders raise
        return f"read, without a second opinion: {type(error).__name__}"
    difference = np.abs(ours.astype(int) - theirs.astype(int)).max()
    return "read, and equal" if difference <= TOLERANCE else f"different: by {difference} gray levels"


def uncompressed(path: Path, dataset: pydicom.Dataset) -> bytes:
    """The file with its pixels decoded by another library."""
    native = pydicom.Dataset({element.tag: element for element in dataset if element.tag.group == 0x28})
    pixels = decoded_elsewhere(path, dataset)
    native.BitsAllocated = pixels.itemsize * 8
    native.PixelRepresentation = int(pixels.dtype.kind == "i")
    native.PixelData = pixels.tobytes()
    if pixels.ndim == 3:
        native.PhotometricInterpretation = "RGB"
        native.PlanarConfiguration = 0
    native.file_meta = FileMetaDataset()
    native.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = BytesIO()
    pydicom.dcmwrite(file, native, implicit_vr=False, little_endian=True)
    return bytes(128) + b"DICM" + file.getvalue()


def color_elsewhere(dataset: pydicom.Dataset) -> np.ndarray:
    """Gray, (H, W) uint8, of a color image whose palette or RGB pydicom gives."""
    if "TransferSyntaxUID" not in dataset.file_meta:  # of before there were any
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    colors = dataset.pixel_array
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        if dataset.original_encoding[1] is False:
            swap_palette(dataset)
        colors = apply_color_lut(colors, dataset)
    depth = colors.itemsize * 8
    eight = np.rint(colors / (2**depth - 1) * 255).astype(np.uint8)
    return np.asarray(Image.fromarray(eight).convert("L"))


def swap_palette(dataset: pydicom.Dataset) -> None:
    """To little endian, in place: pydicom takes the tables of big-endian files for such."""
    for color in ("Red", "Green", "Blue"):
        keyword = f"{color}PaletteColorLookupTableData"
        if keyword in dataset:
            dataset[keyword].value = np.frombuffer(dataset[keyword].value, ">u2").astype("<u2").tobytes()


def decoded_elsewhere(path: Path, dataset: pydicom.Dataset) -> np.ndarray:
    """By pydicom with its plugins, which leave 12-bit JPEG out; that by GDCM itself."""
    try:
        return dataset.pixel_array
    except RuntimeError:
        import gdcm

        reader = gdcm.ImageReader()
        reader.SetFileName(str(path))
        if not reader.Read():
            raise
        buffer = reader.GetImage().GetBuffer().encode("utf-8", errors="surrogateescape")
        return np.frombuffer(buffer, np.uint16).reshape(dataset.Rows, dataset.Columns)


if __name__ == "__main__":
    main()
