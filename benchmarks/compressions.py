"""Whether every DICOM file of one frame in pydicom and pydicom-data is read, and its pixels are right.

Run as ``python -m benchmarks.compressions``. Each compressed file is decoded by another library as well (GDCM, for
which ``python-gdcm`` must be installed, or pydicom's own plugins), written uncompressed, and read again: the gray
values of both must be within one level. Files that are refused are printed with their sentence.
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
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

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
    if not syntax.is_compressed:
        return "read"
    try:
        theirs = read(uncompressed(path, dataset), path.name).pixels.astype(int)
    except Exception as error:  # noqa: BLE001 - whatever the other decoders raise
        return f"read, without a second opinion: {type(error).__name__}"
    difference = np.abs(ours - theirs).max()
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
