"""The public demo: its limits, who owns what, and the policy that the services ask.

``FRACTURE_PUBLIC=1`` turns the demo on: strangers share one small machine. A *visitor* is a random word that the
browser's session holds. A run or a data set that a visitor makes is signed in its folder with the hash of that word:
only this visitor may change it, and it is deleted after :attr:`Limits.retention_seconds`. A resume link holds the
word, so that another session becomes the same visitor; the log of a proxy and the browser's history may keep it. A
folder without a signature belongs to the host of the demo, and no visitor may change it.

A page makes the :class:`Policy` of its visitor and passes it to the services that start, change or delete something.
They enforce it, so that no page can forget to; a page asks it as well, to leave out what is not offered.
"""

import contextlib
import hashlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from fracture.documents import Document, Moment
from fracture.errors import PublicError
from fracture.files import read_json, write_json
from fracture.paths import data_home, models_home

VARIABLE = "FRACTURE_PUBLIC"

OWNER_FILE = ".visitor.json"
"""In the folder of a run or data set: the hash of its visitor's word, and since when it exists."""


@dataclass(frozen=True)
class Limits:
    """How much a visitor may ask for. Times and memory were measured on two cores, see ``docs/public-demo.md``."""

    mode: str = "head"
    """The only mode of a run: fine-tuning takes hours and gigabytes."""
    max_values: Mapping[str, int] = field(default_factory=lambda: {"image_size": 224, "epochs": 100, "batch_size": 64})
    """Of a run's configuration. 299 px take three times as long as 150."""
    min_batch_size: int = 8
    """With one image a batch, an epoch takes sixteen times as many steps as in the reference experiment."""
    min_memory_mb: Mapping[str, int] = field(
        default_factory=lambda: {"bundled-8bit": 900, "bundled": 2_200, "imagenet": 2_200, "none": 2_200}
    )
    """MB of memory that the machine must have, by the pre-trained weights; the first ones are proposed.

    A run takes up to 460 MB (3,202 images) or, with TensorFlow, 1,770 MB, and the app takes the rest. The path of a
    weights file is not allowed: it would let strangers look around on the disk.
    """
    max_images: int = 2000
    """In a run; the reference experiment has 1,560."""
    max_run_seconds: float = 600
    """After them a run is stopped and its best epoch kept; the reference experiment on phantoms takes a minute."""
    max_queued: int = 4
    """Runs that wait: the last one waits about forty minutes at most."""
    max_patients: int = 200
    """Of phantoms in one data set: generated in less than a minute."""
    max_imported_images: int = 500
    """Of FracAtlas in one import: 40 MB."""
    retention_seconds: float = 24 * 3600.0
    """How long a visitor's runs and data sets are kept."""
    max_runs: int = 12
    """Visitors' runs that are kept at a time, 110 MB each; the oldest is deleted first."""
    max_datasets: int = 12
    """Visitors' data sets that are kept at a time, 40 MB each; the oldest is deleted first."""
    max_cache_bytes: int = 500 * 2**20
    """Of graphs, and of features; the oldest are deleted first."""
    max_rooms: int = 2
    """Rooms of class votes at a time, of all teachers; each has up to 5 MB of pictures."""
    max_students: int = 25
    """In a room: all rooms together then have the fifty students that one server was measured with."""


LIMITS = Limits()

NOT_OFFERED = {
    "fine-tuning": "The public demo trains the head only: fine-tuning takes hours and gigabytes.",
    "paths": "The public demo reads only its own data sets, by their names.",
    "kaggle": "The public demo imports nothing from Kaggle: don't give your token to a stranger's machine.",
    "zip": "The public demo takes no zip files: everyone would see your data set, and X-rays are private.",
    "export": "The public demo writes no exports to its disk.",
    "decisions": "The public demo doesn't change its data sets: your decisions would apply to everyone.",
    "evaluations": "The public demo evaluates no model on a whole data set: that takes minutes of a small machine.",
    "features": "The public demo computes no lost features again: that takes minutes of a small machine.",
    "adjustments": "The public demo recalibrates no model: its answers would change for everyone.",
}
"""What no visitor can do, each with the sentence that says so."""


class Owner(Document):
    """The visitor who made a run or a data set."""

    visitor: str
    """The hash of the visitor's word."""
    since: Moment
    """When the folder was made."""


def is_public() -> bool:
    """Whether this app is a public demo."""
    return os.environ.get(VARIABLE, "").strip().lower() not in ("", "0", "false", "no", "off")


def refuse(what: str) -> None:
    """Raises PublicError in a public demo, whoever asks; ``what`` is a key of :data:`NOT_OFFERED`."""
    if is_public():
        raise PublicError(f"{NOT_OFFERED[what]} Run the app yourself to do it.")


def max_value(name: str, otherwise: float) -> float:
    """The largest value that a field of a run's configuration may have; ``otherwise`` without a smaller limit."""
    if not is_public():
        return otherwise
    return min(LIMITS.max_values.get(name, otherwise), otherwise)


def check_head(choices: Mapping[str, Any], images: int) -> None:
    """Raises PublicError where no head may be trained so long: ``epochs`` on so many images, in small batches."""
    if not is_public():
        return
    _check_at_most("images times epochs", choices["epochs"] * images, LIMITS.max_images * LIMITS.max_values["epochs"])
    _check_at_most("batch_size", choices["batch_size"], LIMITS.max_values["batch_size"])
    if choices["batch_size"] < LIMITS.min_batch_size:
        raise _outside("batch_size", f"at least {LIMITS.min_batch_size}", f"{choices['batch_size']:,}")


@dataclass(frozen=True)
class Policy:
    """What one person may do; everything where the app is no public demo."""

    visitor: str = ""
    """The visitor's word; empty for the command line or a notebook, which start nothing in a public demo."""

    def check_visitor(self) -> None:
        """Raises PublicError where a public demo is asked by nobody."""
        if is_public() and not self.visitor:
            raise PublicError(
                f"In the public demo only visitors start something, from a page. Unset {VARIABLE} to act as its host."
            )

    def check_run(self, choices: Mapping[str, Any], images: int) -> None:
        """Raises PublicError where a run of this configuration on so many images is not offered."""
        if not is_public():
            return
        if choices["mode"] != LIMITS.mode:
            refuse("fine-tuning")
        _check_weights(str(choices["weights"]))
        for name in ("image_size", "epochs"):
            _check_at_most(name, choices[name], LIMITS.max_values[name])
        _check_at_most("images", images, LIMITS.max_images)
        check_head(choices, images)

    def check_queue(self, own: int, waiting: int) -> None:
        """Raises PublicError where this visitor has ``own`` unfinished runs, or too many runs of anyone wait."""
        if is_public() and own:
            raise PublicError(
                "A visitor of the public demo has one run at a time. Yours is not finished yet; stop it first."
            )
        if is_public() and waiting >= LIMITS.max_queued:
            raise PublicError(
                f"At most {LIMITS.max_queued} runs wait in the public demo. Received: one more; try again in a while."
            )

    def check_phantoms(self, patients: int) -> None:
        """Raises PublicError where so many phantoms may not be generated."""
        if is_public():
            _check_at_most("patients", patients, LIMITS.max_patients)

    def check_import(self, source: str, choices: Mapping[str, Any]) -> None:
        """Raises PublicError where this import is not offered; 0 images stand for all."""
        if not is_public():
            return
        if source != "fracatlas":
            refuse("kaggle")
        images = int(choices["images"])
        if not 0 < images <= LIMITS.max_imported_images:
            received = f"{images:,}" if images else "all"
            raise _outside("images", f"1 to {LIMITS.max_imported_images:,}", received)

    def sign(self, folder: Path) -> None:
        """In a public demo, make the visitor the owner of a folder. Raises OSError."""
        if is_public():
            write_json(folder / OWNER_FILE, {"visitor": _hash(self.visitor), "since": time.time()})

    def may_change(self, folder: Path) -> bool:
        """Whether this visitor may stop, resume, rename or delete what is in a folder."""
        if not is_public():
            return True
        owner = owner_of(folder)
        return owner is not None and bool(self.visitor) and owner.visitor == _hash(self.visitor)

    def check_owner(self, folder: Path) -> None:
        """Raises PublicError where :meth:`may_change` says no."""
        if not self.may_change(folder):
            raise PublicError(
                f"In the public demo only the visitor who made {folder.name!r} may change it. "
                "Received: another visitor; open your resume link, or make one of your own."
            )

    def check_new_dataset(self, root: Path) -> bool:
        """Whether a data set's folder is still to be made, and may be.

        Raises PublicError where in a public demo it lies outside of the data home, or another visitor made it.
        """
        if is_public() and root.resolve().parent != data_home().resolve():
            raise PublicError(NOT_OFFERED["paths"])
        if root.exists():
            self.check_owner(root)
            return False
        return True


def made_by(policy: Policy) -> bool:
    """Whether a visitor of a public demo has made a run, a model or a data set that is still there.

    Raises FractureError where the folders can't be read.
    """
    folders = [*models_home().glob("*/"), *data_home().glob("*/")]
    return is_public() and any(policy.may_change(folder) for folder in folders)


NOBODY = Policy()
"""For calls that name no visitor."""


def owner_of(folder: Path) -> Owner | None:
    """The visitor who made a folder; None where none did, or the file is damaged."""
    try:
        return Owner.model_validate(read_json(folder / OWNER_FILE))
    except (OSError, ValueError):  # a ValidationError is a ValueError
        return None


def offered_weights() -> list[str]:
    """The pre-trained weights for which the demo's machine has enough memory, the proposed ones first.

    Raises PublicError where there are none: a run would take the app down.
    """
    memory = machine_memory_mb()
    smallest = min(LIMITS.min_memory_mb.values())
    if memory < smallest:
        raise _too_small("A run", smallest, memory, "look at the models that are here")
    return [name for name, needed in LIMITS.min_memory_mb.items() if needed <= memory]


def _check_weights(chosen: str) -> None:
    if chosen not in LIMITS.min_memory_mb:
        received = Path(chosen).name[:80]  # without its folder: where it lies is not for strangers
        raise _outside("weights", f"one of {', '.join(LIMITS.min_memory_mb)}", received)
    offered = offered_weights()
    if chosen not in offered:
        needed = LIMITS.min_memory_mb[chosen]
        raise _too_small(f"A run with weights {chosen}", needed, machine_memory_mb(), f"choose {' or '.join(offered)}")


def _too_small(what: str, needed: int, received: int, instead: str) -> PublicError:
    return PublicError(
        f"{what} needs a machine with {needed:,} MB of memory. Received: {received:,} MB; {instead}, or run the app "
        "yourself."
    )


def machine_memory_mb() -> int:
    """MB of memory of this machine, or of the container that the app runs in."""
    found = [psutil.virtual_memory().total]
    for file in ("memory.max", "memory/memory.limit_in_bytes"):  # Linux's cgroups, version 2 and version 1
        with contextlib.suppress(OSError, ValueError):  # the file is missing, or says "max"
            found.append(int((Path("/sys/fs/cgroup") / file).read_text()))
    return min(found) // 2**20


def _check_at_most(name: str, value: Any, most: int) -> None:
    if value > most:
        raise _outside(name, f"at most {most:,}", f"{value:,}")


def _outside(name: str, allowed: str, received: str) -> PublicError:
    return PublicError(
        f"In the public demo, {name} must be {allowed}. Received: {received}; choose that, or run the app yourself."
    )


def _hash(visitor: str) -> str:
    return hashlib.sha256(visitor.encode()).hexdigest()
