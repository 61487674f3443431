"""Checks of what is not in the table: files that were left out."""

from collections.abc import Iterator, Sequence

from fracture.data.checks.problem import Problem
from fracture.data.layouts import ENDINGS, Skipped
from fracture.paths import sanitize_name

IMAGE_ENDINGS = {
    *(".jfif", ".jxl", ".dic", ".nii", ".mha", ".nrrd", ".gz", ".zip", ".pdf", ".svg", ".raw", ".npy", ""),
}
"""Endings of files that may well be radiographs, and are not read; DICOM files often have none."""


REASONS = ("class", "unlisted", "annotation", "boxes", "link")


def check_skipped(skipped: Sequence[Skipped]) -> Iterator[Problem]:
    """What was left out, by the reason."""
    of_reason = {reason: [each for each in skipped if each.reason == reason] for reason in REASONS}
    files = [each for each in skipped if each.reason == "file"]
    yield from _classes(of_reason["class"])
    yield from _unlisted(of_reason["unlisted"])
    yield from _annotations(of_reason["annotation"])
    yield from _boxes(of_reason["boxes"])
    yield from _formats([each for each in files if each.what in IMAGE_ENDINGS])
    yield from _links(of_reason["link"])
    yield from _others([each for each in files if each.what not in IMAGE_ENDINGS])


def _classes(found: list[Skipped]) -> Iterator[Problem]:
    if found:
        said = (
            f"{_count(found, 'image')} left out, of classes that are neither negative nor positive: {_listed(found)}; "
            "choose labels that include them, or leave them out on purpose."
        )
        why = "What these images show is in neither class, so that a model learns nothing about it."
        yield Problem("other classes", "warning", said, why)


def _unlisted(found: list[Skipped]) -> Iterator[Problem]:
    if found:
        said = (
            f"{_count(found, 'image')} left out that {_name(found[0].what)} does not list, such as "
            f"{_example(found)}; list what is missing there, or delete the files."
        )
        why = "An image that is not listed has no label."
        yield Problem("unlisted", "warning", said, why)


def _annotations(found: list[Skipped]) -> Iterator[Problem]:
    if found:
        said = (
            f"{_count(found, 'annotation')} left out, with the image where there is one: {_reasons(found)}, such as "
            f"{_example(found)}; correct the annotations, or export them again."
        )
        why = "An image whose boxes are not all known may be of either class."
        yield Problem("annotations", "warning", said, why)


def _boxes(found: list[Skipped]) -> Iterator[Problem]:
    if found:
        said = (
            f"{_count(found, 'image')} read without boxes: {_reasons(found)}, such as {_example(found)}; "
            "export the annotations for the images as they are."
        )
        why = "The label counts all the same; only figures on localization leave these images out."
        yield Problem("boxes", "note", said, why)


def _formats(found: list[Skipped]) -> Iterator[Problem]:
    if found:
        said = (
            f"{_count(found, 'file')} left out that may be radiographs: {_listed(found)}, such as {_example(found)}; "
            f"files that end in {', '.join(ENDINGS)} are read, so convert or rename them."
        )
        why = "Where one class has more of these files than the other, the rest is a biased sample."
        yield Problem("unread formats", "warning", said, why)


def _links(found: list[Skipped]) -> Iterator[Problem]:
    if found:
        said = (
            f"{_count(found, 'link')} not followed, such as {_example(found)}: the linked folder is read anyway, or "
            "holds the link itself; a public demo follows none."
        )
        why = "The same images would be counted twice, and could be on both sides of a split."
        yield Problem("links", "note", said, why)


def _others(found: list[Skipped]) -> Iterator[Problem]:
    if found:
        said = f"{_count(found, 'file')} not read as images: {_listed(found)}, such as {_example(found)}."
        why = "Nothing is missing, unless one of them is a radiograph or a list of labels under another name."
        yield Problem("stray files", "note", said, why)


def _count(found: list[Skipped], noun: str) -> str:
    count = sum(each.files for each in found)
    return f"{count:,} {noun} is" if count == 1 else f"{count:,} {noun}s are"


def _listed(found: list[Skipped]) -> str:
    return ", ".join(f"{_name(each.what)} ({each.files:,})" for each in found)


def _reasons(found: list[Skipped]) -> str:
    return ", ".join(f"{each.what} ({each.files:,})" for each in found)


def _name(what: str) -> str:
    return sanitize_name(what) if what else "without ending"


def _example(found: list[Skipped]) -> str:
    return sanitize_name(found[0].example)
