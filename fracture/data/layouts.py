"""What lies in a folder, and the layout of MURA's tree, in which names of folders are labels, patients and splits.

A reader takes a folder and the images below it, and returns rows with columns of
:data:`fracture.data.dataset.TABLE_COLUMNS`; or None where the folder has another layout. Class folders are read by
:mod:`fracture.data.labels.class_folders`, a ``dataset.csv`` by :mod:`fracture.data.dataset_csv`; the names of splits
are listed in :mod:`fracture.data.splits`.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from fracture import demo
from fracture.data.ground_truth import with_truth
from fracture.data.labels.choice import LabelMapping
from fracture.data.splits import SPLIT_OF_NAME
from fracture.errors import DatasetError

ENDINGS = (".png", ".jpg", ".jpeg", ".dcm")
"""How the names of image files end, in lower case."""

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
    """``class``: images of no class; ``unlisted``: images that dataset.csv does not name; ``link``: a link to a folder;
    ``file``: a file that is not read."""
    what: str
    """The folder of a class, or the ending of a file."""
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


class Tree(NamedTuple):
    """What lies below a folder, as sorted posix paths relative to it."""

    images: list[str]
    others: list[str]
    """Files that are neither images nor :data:`READ_BESIDE`."""
    links: list[str]
    """Links to folders that were not followed."""


def tree(root: Path) -> Tree:
    """Everything below a folder. Raises DatasetError as :func:`files_below` does."""
    links: list[str] = []
    entries = list(files_below(root, links))
    images = [entry.path for entry in entries if entry.name.lower().endswith(ENDINGS)]
    others = [entry.path for entry in entries if _is_stray(entry.name)]
    return Tree(_relative(root, images), _relative(root, others), _relative(root, links))


def _is_stray(name: str) -> bool:
    lower = name.lower()
    return not (lower.endswith(ENDINGS) or lower in READ_BESIDE or _PAPERS.fullmatch(lower))


def _relative(root: Path, paths: list[str]) -> list[str]:
    above = str(root).rstrip(os.sep) + os.sep
    return sorted(path.removeprefix(above).replace(os.sep, "/") for path in paths)


def strays(found: Tree) -> tuple[Skipped, ...]:
    """The files that are not read, by the endings of their names, and the links that were not followed."""
    by_ending: dict[str, list[str]] = {}
    for path in found.others:
        by_ending.setdefault(Path(path).suffix.lower(), []).append(path)
    files = [Skipped("file", ending, len(paths), paths[0]) for ending, paths in sorted(by_ending.items())]
    links = [Skipped("link", "", len(found.links), found.links[0])] if found.links else []
    return (*files, *links)


def walk(root: Path) -> list[str]:
    """Every image below a folder, as a sorted posix path relative to it."""
    return tree(root).images


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
            folders += _follow(links.pop(), followed, refused)
            continue
        for entry in _entries(folders.pop()):
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            elif entry.is_symlink() and entry.is_dir():
                links.append(entry.path)
            elif entry.is_symlink() or entry.is_file():
                yield entry


def _follow(link: str, followed: list[str], refused: list[str] | None) -> list[str]:
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
