"""The command line: ``python -m fracture <command>``.

Exit status 0 on success, 1 with one sentence on stderr for what a user can put right, 2 for wrong usage. With
``--json`` one JSON document goes to stdout and nothing else.
"""

import argparse
import importlib
import io
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fracture.errors import FractureError
from fracture.files import JsonObject
from fracture.imaging.codecs.formats import READ
from fracture.logs import configure_logs
from fracture.phantoms.plan import FORMER_RULE
from fracture.training.config import PRESETS, TrainConfig

EXPORT_WAYS = ("copy", "link", "zip")

Command = Callable[[argparse.Namespace], JsonObject | list[Any]]
"""Does the work, prints for people unless ``args.json``, and returns the JSON document. ``errors`` in the document, a
list of sentences, means that a part could not be done."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    configure_logs()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # file names need not be valid text
            stream.reconfigure(errors="backslashreplace")
    args = _parser().parse_args(argv)
    try:
        document = args.run(args)
        if args.json:
            print(json.dumps(document, indent=1))
    except FractureError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130  # 128 + SIGINT, as shells have it
    except BrokenPipeError:  # the reader, for example `head`, has seen enough
        # At its exit Python flushes stdout once more, and would print that this fails.
        sys.stderr.close()
        return 0
    failed_partly = isinstance(document, dict) and document.get("errors")
    return 1 if failed_partly else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fracture",
        description="Learn and teach deep learning on bone radiographs. The app: streamlit run streamlit_app.py",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_dataset(commands)
    _add_prep(commands)
    _add_phantom(commands)
    _add_import_kaggle(commands)
    _add_import_fracatlas(commands)
    _add_import_zip(commands)
    _add_train(commands)
    _add_evaluate(commands)
    _add_recalibrate(commands)
    _add_calibrate(commands)
    _add_classify(commands)
    _add_models(commands)
    _add_code(commands)
    _add_rename(commands)
    _add_note(commands)
    _add_features(commands)
    return parser


def _add(commands: Any, name: str, run: str, about: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=about, description=about)
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    parser.set_defaults(run=_later(run))
    return parser


def _later(place: str) -> Command:
    """A ``module.function`` of :mod:`fracture.cli`, imported only when it runs: ``--help`` must be quick."""

    def run(args: argparse.Namespace) -> JsonObject | list[Any]:
        module, name = place.split(".")
        command: Command = getattr(importlib.import_module(f"fracture.cli.{module}"), name)
        return command(args)

    return run


def _add_dataset(commands: Any) -> None:
    parser = _add(commands, "dataset", "datasets.dataset_command", "show the contents and the problems of a data set")
    parser.add_argument("path", metavar="PATH")
    parser.add_argument("--body-part", help="only this body part, for example XR_HUMERUS")
    _add_labels(parser)
    parser.add_argument("--quick", action="store_true", help="decode no pixels: check names, tables and headers only")
    parser.add_argument("--model", metavar="NAME", help="also list the likely label errors, found with this model")
    change = parser.add_mutually_exclusive_group()
    change.add_argument("--rename", metavar="NEW", help="only rename its folder, also in the runs that use it")
    change.add_argument("--delete", action="store_true", help="only delete its folder with all images")
    parser.add_argument("--yes", action="store_true", help="delete without asking")
    _add_workers(parser, "1, with a thread for each core")


def _add_labels(parser: argparse.ArgumentParser, where: str = "the data set") -> None:
    parser.add_argument(
        "--labels",
        nargs="+",
        metavar="KIND=NAMES",
        help=f"which classes of {where} are which: negative=A,B positive=C ignore=D, by the names of folders, the "
        "values in a table or the classes of boxes; unannotated stands for images without a box; stored in labels.json "
        "beside the data",
    )
    parser.add_argument(
        "--columns",
        nargs="+",
        metavar="ROLE=COLUMN",
        help="which columns of a CSV file hold what: image=filename label=diagnosis, and if need be patient=, study=, "
        "split=, body_part=, and file= for which of several; stored in labels.json as well",
    )
    parser.add_argument(
        "--patient-pattern",
        metavar="PATTERN",
        help="where names of files say whose they are: a template such as {patient}_*, also with folders; stored in "
        "labels.json as well",
    )


def _add_prep(commands: Any) -> None:
    parser = _add(commands, "prep", "datasets.prep", "export a data set, with all decisions applied, as class folders")
    parser.add_argument("path", metavar="PATH")
    parser.add_argument("out", type=Path, metavar="OUT", help="a new folder, or a new zip")
    parser.add_argument("--as", dest="way", choices=EXPORT_WAYS, default="copy", help="copies, hard links or one zip")
    parser.add_argument("--body-part", help="only this body part, for example XR_HUMERUS")
    _add_labels(parser)


def _add_phantom(commands: Any) -> None:
    parser = _add(
        commands, "phantom", "datasets.phantom", "generate synthetic radiographs of the humerus with their ground truth"
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="a new folder, or an unfinished one of the same settings")
    parser.add_argument("--patients", type=int, help="2 to 20000 (default: 200)")
    parser.add_argument("--seed", type=int, help="0 to 2**31; a seed always generates the same images (default: 1)")
    parser.add_argument(
        "--difficulty",
        type=float,
        help="0 (obvious) to 1 (specialists would disagree) (default: 0.2)",
    )
    parser.add_argument(
        "--hardware-share",
        type=_hardware_share,
        metavar="SHARE",
        help="0 to 1: the share of the abnormal studies that show a plate or a nail, the others show fractures alone; "
        "former: as version 0.1.0 generated them, 0.9 × (1 - difficulty²) (default: that of an unfinished OUT, or 0.3)",
    )
    _add_workers(parser, "one a core")


def _hardware_share(text: str) -> float | str:
    if text == FORMER_RULE:
        return text
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be 0 to 1, or {FORMER_RULE}. Received: {text}") from None


def _add_import_kaggle(commands: Any) -> None:
    parser = _add(commands, "import-kaggle", "imports.import_kaggle_command", "import a body part of MURA from Kaggle")
    parser.add_argument(
        "--dataset", default="cjinny/mura-v11", help="its owner and name on Kaggle (default: %(default)s)"
    )
    parser.add_argument("--body-part", default="XR_HUMERUS", help="or all (default: %(default)s)")
    _add_out(parser)


def _add_import_fracatlas(commands: Any) -> None:
    parser = _add(commands, "import-fracatlas", "imports.import_fracatlas_command", "import a sample of FracAtlas")
    parser.add_argument("--images", type=_images, default=200, help="how many, or all (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the sample (default: %(default)s)")
    parser.add_argument("--whole", action="store_true", help="download the whole zip (323 MB) instead of single files")
    _add_out(parser)


def _add_import_zip(commands: Any) -> None:
    parser = _add(commands, "import-zip", "imports.import_zip", "import a zip file of radiographs")
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--body-part", help="only this body part of a MURA tree, for example XR_HUMERUS")
    _add_out(parser)


def _add_out(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="a new or empty folder (default: one in the data folder)"
    )


def _images(text: str) -> int:
    return 0 if text == "all" else int(text)


def _add_train(commands: Any) -> None:
    parser = _add(commands, "train", "models.train", "train InceptionV3 on a data set")
    begin = parser.add_mutually_exclusive_group(required=True)
    begin.add_argument("--data", metavar="PATH", help="the data set's folder")
    begin.add_argument(
        "--resume",
        action="store_true",
        help="resume the stopped or failed run of this name, with its own configuration",
    )
    parser.add_argument(
        "--also", action="append", metavar="PATH", help="a further data set to train on; may be given several times"
    )
    parser.add_argument("--name", required=True, help="the model's name")
    parser.add_argument(
        "--preset", choices=PRESETS, default="reference", help="the values of all options that are not given"
    )
    parser.add_argument(
        "--estimate",
        action="store_true",
        help="only print how long the run will take on this machine, and how much memory it needs",
    )
    parser.add_argument("--body-part", help="only this body part, for example XR_HUMERUS")
    _add_labels(parser)
    _add_cluster(parser)
    parser.add_argument("--input-range", type=float, nargs=2, metavar=("LOW", "HIGH"), help="pixel range of a FILE")
    for name, field in TrainConfig.__dataclass_fields__.items():
        if why := field.metadata.get("why"):
            among = field.metadata["among"] or None
            flag = "--" + name.replace("_", "-")
            mode = f"{field.metadata['mode']}: " if field.metadata["mode"] else ""
            words = f"{mode}{why} (default: {field.default})"
            parser.add_argument(flag, type=field.type, choices=among, help=words)


def _add_evaluate(commands: Any) -> None:
    parser = _add(commands, "evaluate", "models.evaluate_command", "evaluate a model on a data set")
    parser.add_argument("--model", required=True, metavar="NAME")
    parser.add_argument("--data", required=True, metavar="PATH")
    parser.add_argument("--split", default="valid", help="train, valid, test, or all (default: valid)")
    parser.add_argument("--body-part", help="only this body part, for example XR_HUMERUS")
    _add_labels(parser)
    _add_workers(parser, "1")


def _add_recalibrate(commands: Any) -> None:
    parser = _add(
        commands,
        "recalibrate",
        "adjustments.recalibrate_command",
        "refit a model's temperature and thresholds on a labeled data set; the model folder stays as it is",
    )
    parser.add_argument("--model", required=True, metavar="NAME")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--data", metavar="PATH", help="the data set's folder")
    what.add_argument("--undo", action="store_true", help="return to the temperature and thresholds of the card")
    parser.add_argument("--split", default="valid", help="train, valid, test, or all (default: valid)")
    parser.add_argument("--body-part", help="only this body part, for example XR_HUMERUS")
    _add_labels(parser)
    _add_workers(parser, "1")


def _add_calibrate(commands: Any) -> None:
    parser = _add(
        commands,
        "calibrate",
        "adjustments.calibrate_command",
        "adjust a model's out-of-distribution check to 50 or more unlabeled radiographs; the model folder stays as it "
        "is",
    )
    parser.add_argument("--model", required=True, metavar="NAME")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="radiographs, and nothing else")
    what.add_argument("--undo", action="store_true", help="return to the threshold of the model")


def _add_classify(commands: Any) -> None:
    parser = _add(commands, "classify", "classify.classify", "classify radiographs with a model")
    parser.add_argument(
        "files",
        nargs="+",
        type=_place,
        metavar="FILE",
        help=f"files in {READ}, folders of them of any size, or their URLs (s3://, gs://, abfs://, https://, zip://)",
    )
    parser.add_argument(
        "--frame", type=int, default=1, metavar="N", help="of DICOM files with several, from 1; default: the first"
    )
    parser.add_argument(
        "--invert", action="store_true", help="black becomes white: for images with dark bones on a light ground"
    )
    parser.add_argument(
        "--model",
        metavar="NAME",
        help="default: automatic, the one that knows each image best, of those that come with the project; without "
        "them, the newest that finished",
    )
    parser.add_argument(
        "--also-ask",
        action="append",
        metavar="NAME",
        help="automatic: also ask this model, one of your own; at most twice",
    )
    parser.add_argument(
        "--all-models",
        action="store_true",
        help="automatic: where it can't be told which of two models knows an image better, the answers of both",
    )
    parser.add_argument(
        "--study", action="store_true", help="the files, and those of each folder, are the views of one study"
    )
    parser.add_argument(
        "--threshold", type=_share, help="a probability at or above it is positive (default: the card's thresholds)"
    )
    parser.add_argument(
        "--unadjusted", action="store_true", help="answer as the model's card says, without its adjustments"
    )
    parser.add_argument(
        "--answer-unlike",
        action="store_true",
        help="also answer radiographs unlike the model's training images, outside of what it was validated on",
    )
    parser.add_argument(
        "--csv",
        type=Path,
        metavar="FILE",
        help="write a CSV file with a line per image and study as answers come; a name in .parquet is a folder of "
        "Parquet files. Interrupted, the same command resumes it",
    )
    _add_workers(parser, "one a core from 64 files on")


def _add_workers(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument(
        "--workers",
        type=_count,
        metavar="N",
        help=f"processes of this machine (default: {default})",
    )
    _add_cluster(parser)


def _add_cluster(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="the workers of a Dask cluster, by its scheduler's address (default: FRACTURE_CLUSTER)",
    )


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more. Received: {text}")
    return count


def _place(text: str) -> str:
    """A path as :class:`Path` writes it, or a URL as it is."""
    return text if "://" in text else str(Path(text))


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"must be 0 to 1. Received: {text}")
    return value


def _add_models(commands: Any) -> None:
    _add(commands, "models", "models.models", "list all models and runs")


def _add_code(commands: Any) -> None:
    parser = _add(commands, "code", "runs.code", "print a Keras script that trains a model again")
    parser.add_argument("--model", required=True, metavar="NAME")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write the script and images.csv, the list of its images, into DIR"
    )


def _add_rename(commands: Any) -> None:
    parser = _add(commands, "rename", "runs.rename_command", "rename a model or a run")
    parser.add_argument("old", metavar="OLD")
    parser.add_argument("new", metavar="NEW")


def _add_note(commands: Any) -> None:
    parser = _add(commands, "note", "runs.note_command", "print or replace the note about a model or a run")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("text", metavar="TEXT", nargs="?", help="the new note; an empty text deletes it")


def _add_features(commands: Any) -> None:
    parser = _add(
        commands, "features", "runs.features", "compute the features of a run again where the cache lost them"
    )
    parser.add_argument("--model", required=True, metavar="NAME", help="a run with a frozen backbone")
    _add_cluster(parser)
