"""Which image on disk an entry of a COCO file means, and which split the file states."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from fracture.data.labels.words import words_of
from fracture.data.splits import SPLIT_OF_NAME


def by_name(images: Sequence[str]) -> dict[str, list[str]]:
    """The paths of images by the names of their files."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in images:
        found[path.rpartition("/")[2]].append(path)
    return found


def on_disk(name: str, path: str, images: Mapping[str, Sequence[str]]) -> list[str]:
    """The images that an entry may mean: that below the file's own folder, or those of this name, by their split.

    Args:
        name: ``file_name`` of the entry.
        path: the path of the JSON file from the data set's folder.
        images: see :func:`by_name`.
    """
    split = stated_split(path)
    folder = path.rpartition("/")[0]
    name = name.replace("\\", "/")
    named = images.get(name.rpartition("/")[2], ())
    below = f"{folder}/{name}" if folder else name
    if below in named:
        splits = _splits_in(_folder(below))
        return [below] if not split or not splits or split in splits else []
    by_path = [file for file in named if f"/{file}".endswith(f"/{name}")] or list(named)
    return _of_split(by_path, split) if split else by_path


def _of_split(files: Sequence[str], split: str) -> list[str]:
    """The images in a split's folders, or else those in no split's folder.

    One in the folder of another split has the same name by chance: many data sets number each split from 1.
    """
    split_of = {file: folder_split(file) for file in files}
    own = [file for file in files if split_of[file] == split]
    return own or [file for file in files if not split_of[file]]


def stated_split(path: str) -> str:
    """The split that the name of a JSON file states, or else its folders; "" where a name states several.

    ``annotations/instances_train2017.json`` states train, and ``train/_annotations.coco.json``, too.
    """
    splits = [_splits_in(part) for part in path.split("/")]
    innermost = next((each for each in reversed(splits) if each), [])
    return innermost[0] if len(set(innermost)) == 1 else ""


def folder_split(image: str) -> str:
    """The split that a folder of an image names, such as ``images/train2017``; the last one counts.

    Of the image's own name no word counts: test_image.png says nothing.
    """
    splits = _splits_in(_folder(image))
    return splits[-1] if splits else ""


def _splits_in(path: str) -> list[str]:
    return [SPLIT_OF_NAME[word] for word in words_of(path) if word in SPLIT_OF_NAME]


def _folder(path: str) -> str:
    return path.rpartition("/")[0]
