"""What the commands ``import-...`` of :mod:`fracture.cli.main` do."""

import contextlib
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator

from tqdm import tqdm

from fracture.files import JsonObject
from fracture.formatting import format_bytes
from fracture.importers import fracatlas, kaggle, zip_file
from fracture.importers.download import OnProgress, Progress
from fracture.importers.job import Import
from fracture.importers.kaggle_credentials import pop_from_environment


def import_kaggle_command(args: Namespace) -> JsonObject:
    """Import one body part of MURA from Kaggle, or what it lacks."""
    wanted = kaggle.order(args.dataset, args.body_part)
    credentials = pop_from_environment()
    root = (args.out or kaggle.default_folder(wanted)).absolute()
    return _followed(args, lambda on_progress: kaggle.import_kaggle(root, wanted, credentials, on_progress))


def import_fracatlas_command(args: Namespace) -> JsonObject:
    """Import a sample of FracAtlas, or all of it, or what it lacks."""
    wanted = fracatlas.order(args.images, args.seed, args.whole)
    root = (args.out or fracatlas.default_folder(wanted)).absolute()
    return _followed(args, lambda on_progress: fracatlas.import_fracatlas(root, wanted, on_progress))


def import_zip(args: Namespace) -> JsonObject:
    """Unpack a data set from a zip."""
    root = (args.out or zip_file.default_folder(args.file)).absolute()
    with _bar(args) as on_progress:
        unpacked = zip_file.unpack(args.file, root, args.body_part, on_progress=on_progress)
    if not args.json:
        print(
            f"{unpacked.images:,} images ({format_bytes(unpacked.bytes)}, layout {unpacked.layout}) in {unpacked.root}"
        )
    return {**vars(unpacked), "root": str(unpacked.root)}


def _followed(args: Namespace, work: Callable[[OnProgress], Import]) -> JsonObject:
    """Do an import with a bar on a terminal, and tell how it ended."""
    with _bar(args) as on_progress:
        ended = work(on_progress)
    done = ended.progress
    if not args.json:
        size = format_bytes(done.bytes)
        print(f"{ended.state}: {done.files:,} of {done.total_files or 0:,} files ({size}) in {ended.root}")
    return {
        "root": str(ended.root),
        "state": ended.state,
        **ended.order.choices,
        "files": done.files,
        "total_files": done.total_files,
        "bytes": done.bytes,
    }


@contextlib.contextmanager
def _bar(args: Namespace) -> Iterator[OnProgress]:
    """A progress bar of files; on a terminal's stderr, none elsewhere."""
    with tqdm(unit="file", disable=args.json or not sys.stderr.isatty()) as bar:

        def on_progress(progress: Progress) -> None:
            bar.total = progress.total_files
            bar.set_postfix_str(progress.note or format_bytes(progress.bytes), refresh=False)
            bar.update(progress.files - bar.n)

        yield on_progress
