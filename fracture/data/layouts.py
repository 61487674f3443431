"""What lies in a folder, and the layout of MURA's tree, in which names of folders are labels, patients and splits.

A reader takes a folder and the images below it, and returns rows with columns of
:data:`fracture.data.dataset.TABLE_COLUMNS`; or None where the folder has another layout. Class folders are read by
:mod:`fracture.data.labels.class_folders`, a ``dataset.csv`` by :mod:`fracture.data.dataset_csv`; the names of splits
are listed in :mod:`fracture.data.splits`.
"""

import os
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

import pandas as pd

from fracture import demo
from fracture.data.ground_truth import with_truth
from fracture.data.labels.choice import LabelMapping
from fracture.data.labels.columns import ColumnsChoice
from fracture.data.splits import SPLIT_OF_NAME
from fracture.errors import DatasetError
from fracture.files import open_file
from fracture.imaging.codecs.formats import HEAD_BYTES, is_dicom

Candidate = TypeVar("Candidate")

ENDINGS = (
    *(".png", ".jpg", ".jpeg"),
    *(".dcm", ".dicom", ".ima", ".dcm.gz"),
    *(".tif", ".tiff", ".webp", ".bmp", ".gif", ".jp2", ".j2k", ".heic", ".heif", ".avif"),
)
"""How the names of image files end, in lower case. DICOM files may have no ending: see :func:`may_be_dicom`."""

TABLES = (".csv", ".tsv")
"""How the names of tables end."""

ANNOTATIONS = (".json", ".txt", ".yaml", ".yml", ".names", ".labels")
"""How the names of files with boxes, or with the names of their classes, end."""

MAX_OTHERS_FIRST = 100
"""Files without ending in a folder that are opened, none of them DICOM, until its others are not opened either."""

_ENDING = re.compile(r"\.[^.]*[^\W\d_][^.]*$")
"""An ending has a letter: the last number of a UID is none, as in 1.2.840.113619."""

READ_BESIDE = ("dataset.csv", "truth.csv", "curation.csv", "labels.json", "import.json", "phantom.json")
"""Files of a data set that are no images; README, license and citation files are not counted as left out either."""

_PAPERS = re.compile(r"(readme|license|licence|citation|changelog)(\.\w+)?", re.IGNORECASE)

_MURA = re.compile(
    r"(?:/(?P<split>train|valid))?(?:/(?P<body_part>XR_[A-Z]+))?"
    r"/(?P<patient>patient\d+)/(?P<study>study\d+_(?P<label>positive|negative))/(?P<file>[^/]+)$",
    re.IGNORECASE,
)
_LEVEL = re.compile(rf"{'|'.join(SPLIT_OF_NAME)}|XR_[A-Z]+|patient\d+|study\d+_(?:positive|negative)", re.IGNORECASE)


class Skipped(NamedTuple):
    """Files of a data set that were left out for one reason."""

    reason: str
    """``class``: images of no class; ``unlisted``: images that no table or annotation names; ``link``: a link to a
    folder; ``file``: a file that is not read; ``annotation``: annotations that cannot be read, or fit no image;
    ``boxes``: images that were read without their boxes."""
    what: str
    """The folder of a class, the ending of a file, the table, or what is wrong with an annotation."""
    files: int
    example: str
    """The path of one of them from the data set's folder."""


class Found(NamedTuple):
    """A layout's name, the names of labels 0 and 1, and a row for each image."""

    layout: str
    label_names: tuple[str, str]
    rows: pd.DataFrame
    synthetic: bool = False
    """Whether a truth.csv was found."""
    mapping: LabelMapping | None = None
    """How the names of classes were read; None where the layout itself says what they mean."""
    skipped: tuple[Skipped, ...] = ()
    """Images that belong to no class."""
    files_read: frozenset[str] = frozenset()
    """The paths of tables and annotations that were read, from the data set's folder."""
    columns: ColumnsChoice | None = None
    """Which columns of a table were read."""


class Tree(NamedTuple):
    """What lies below a folder, as sorted posix paths relative to it."""

    images: list[str]
    others: list[str]
    """Files that are neither images nor :data:`READ_BESIDE`."""
    links: list[str]
    """Links to folders that were not followed."""


def tree(root: Path) -> Tree:
    """Everything below a folder.

    Images go by the endings of their names, of which a million take seconds; only files without ending are opened.

    Raises DatasetError as :func:`files_below` does.
    """
    links: list[str] = []
    images = []
    others = []
    unnamed = defaultdict(list)
    for file in files_below(root, links):
        if file.name.lower().endswith(ENDINGS):
            images.append(file.path)
        elif may_be_dicom(file.name):
            unnamed[file.path.rpartition(os.sep)[0]].append(file.path)
        elif _is_stray(file.name):
            others.append(file.path)
    for candidates in unnamed.values():
        dicom = choose_dicom(sorted(candidates), begins_as_dicom)
        images += dicom
        others += [path for path in set(candidates) - set(dicom) if _is_stray(path.rpartition(os.sep)[2])]
    return Tree(_relative(root, images), _relative(root, others), _relative(root, links))


def _is_stray(name: str) -> bool:
    lower = name.lower()
    return not (lower.endswith(ENDINGS) or lower in READ_BESIDE or _PAPERS.fullmatch(lower))


def _relative(root: Path, paths: list[str]) -> list[str]:
    above = str(root).rstrip(os.sep) + os.sep
    return sorted(path.removeprefix(above).replace(os.sep, "/") for path in paths)


def strays(found: Tree, files_read: Collection[str] = ()) -> tuple[Skipped, ...]:
    """The files that are not read, by the endings of their names, and the links that were not followed."""
    by_ending: dict[str, list[str]] = {}
    for path in found.others:
        if path in files_read:
            continue
        by_ending.setdefault(Path(path).suffix.lower(), []).append(path)
    files = [Skipped("file", ending, len(paths), paths[0]) for ending, paths in sorted(by_ending.items())]
    links = [Skipped("link", "", len(found.links), found.links[0])] if found.links else []
    return (*files, *links)


def walk(root: Path) -> list[str]:
    """Every image below a folder, as a sorted posix path relative to it."""
    return tree(root).images


def may_be_dicom(name: str) -> bool:
    """Whether a file of this name has no ending, so that only its content can tell whether it is a DICOM file.

    A DICOMDIR is a table of contents, in the same format.
    """
    return _ENDING.search(name) is None and name.upper() != "DICOMDIR"


def choose_dicom(candidates: Iterable[Candidate], is_dicom: Callable[[Candidate], bool]) -> list[Candidate]:
    """The DICOM files among those of one folder, which are looked at in their order.

    None of them is one where the first :data:`MAX_OTHERS_FIRST` are none: another kind of folder is not read through.
    """
    found: list[Candidate] = []
    for number, candidate in enumerate(candidates):
        if not found and number >= MAX_OTHERS_FIRST:
            break
        if is_dicom(candidate):
            found.append(candidate)
    return found


def begins_as_dicom(path: str) -> bool:
    """Whether a file is a DICOM file by its first bytes; one that can't be opened is none."""
    try:
        with open_file(Path(path)) as file:
            return is_dicom(file.read(HEAD_BYTES))
    except OSError:
        return False


def files_below(root: Path, refused: list[str] | None = None) -> Iterator["os.DirEntry[str]"]:
    """Every file below a folder, in no order; hidden files, pipes and devices are left out.

    A link to a file counts as a file, wherever it leads. A link to a folder is followed unless that folder is read
    anyway, holds the link itself (a loop), or this is a public demo; such links are added to ``refused``.

    Raises DatasetError where a folder may not be read: its images would be missing, and nobody would notice.
    """
    folders = [str(root)]
    links: list[str] = []
    followed = [os.path.realpath(root)]
    while folders or links:  # no recursion, which Python stops at a thousand nested folders
        if not folders:
            # After all real folders, and by name: which of two links to one folder counts must not be chance.
            links.sort(reverse=True)
            folders += follow_link(links.pop(), followed, refused)
            continue
        for entry in _entries(folders.pop()):
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            elif entry.is_symlink() and entry.is_dir():
                links.append(entry.path)
            elif entry.is_symlink() or entry.is_file():
                yield entry


def follow_link(link: str, followed: list[str], refused: list[str] | None) -> list[str]:
    """The link, to be read as a folder; nothing where it must not be followed."""
    target = os.path.realpath(link)
    overlaps = any(_contains(each, target) or _contains(target, each) for each in followed)
    if demo.is_public() or overlaps:
        if refused is not None:
            refused.append(link)
        return []
    followed.append(target)
    return [link]


def _contains(folder: str, other: str) -> bool:
    return other == folder or other.startswith(folder.rstrip(os.sep) + os.sep)


def _entries(folder: str) -> "list[os.DirEntry[str]]":
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except FileNotFoundError:  # deleted just now
        return []
    except OSError as error:
        raise DatasetError(
            f"All folders of a data set must be readable. Received: {folder}: {error.strerror}; "
            "change its permissions, or move it elsewhere."
        ) from error


def levels(root: Path) -> Iterator[Path]:
    """A folder and those above it, up to the root of the tree of which it seems to be a part; each can be opened.

    For ``MURA-v1.1/train/XR_HUMERUS`` the last one is ``MURA-v1.1``.
    """
    yield root
    while _LEVEL.fullmatch(root.name):
        root = root.parent
        yield root


def mura(root: Path, files: list[str]) -> Found | None:
    """MURA's tree: ``{train,valid}/XR_PART/patientN/studyN_{positive,negative}/imageN.png``, from any level.

    The levels above ``root`` are taken from its own path. MURA's positive means abnormal: a fracture, hardware,
    degeneration or a lesion (Rajpurkar et al., arXiv:1712.06957). A ``truth.csv`` at the root of
    the tree is read by :mod:`fracture.data.ground_truth`.
    """
    above = root.as_posix()
    found = []
    trees = set()
    for file in files:
        match = _MURA.search(f"{above}/{file}")
        if match:
            found.append(_mura_row(root, file, match))
            trees.add(match.string[: match.start()])  # what stands before the split is the root of the tree
    if not found:
        return None
    rows, synthetic = with_truth(pd.DataFrame(found), trees)
    return Found("MURA", ("normal", "abnormal"), rows, synthetic)


def _mura_row(root: Path, file: str, match: re.Match[str]) -> dict[str, object]:
    body_part = (match["body_part"] or "").upper()
    patient = match["patient"]
    return {
        "image_id": file,
        "path": f"{root}{os.sep}{file}",
        "split": (match["split"] or "").lower(),
        "body_part": body_part,
        "patient": patient,
        "study": "/".join(filter(None, (body_part, patient, match["study"]))),
        "view": Path(file).stem,
        "label": int(match["label"].lower() == "positive"),
        "group": patient,
    }
