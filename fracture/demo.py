"""What a visitor of a public demo may do: strangers share one small machine, and each other's work.

``FRACTURE_PUBLIC=1`` turns the rules on; without it, nothing here forbids anything. The core asks before it starts,
changes or deletes something, so that no page can forget to; pages ask as well, to leave out what is not offered.

Whoever opens the app is a *visitor*: a random word that the browser's session holds. What a visitor makes, a training
or a data set, is signed in its folder with the hash of that word: only who knows the word may change it, and after a
day it is deleted. What has no such mark belongs to whoever runs the demo, and no visitor may touch it.
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
from fracture.paths import data_home

VARIABLE = "FRACTURE_PUBLIC"
MARK = ".visitor.json"


@dataclass(frozen=True)
class Limits:
    """How much a visitor may ask for. Figures of time and memory were measured on two cores, see the README."""

    mode: str = "head"
    """Fine-tuning takes hours and gigabytes."""
    most: Mapping[str, int] = field(default_factory=lambda: {"image_size": 224, "epochs": 100, "batch_size": 64})
    """Of the choices of a training. 299 px take three times as long as 150."""
    smallest_batch: int = 8
    """Of one image each, an epoch takes sixteen times as many steps as in the reference."""
    cached: int = 500 * 2**20
    """Bytes of graphs, and of features, that are kept in the cache; the oldest go first."""
    memory: Mapping[str, int] = field(
        default_factory=lambda: {"bundled-8bit": 900, "bundled": 2_200, "imagenet": 2_200, "none": 2_200}
    )
    """MB that the machine must have, by the weights: a training takes up to 460 of them (3,202 images) or, through
    TensorFlow, 1,770, the app the rest. The first weights are proposed, and there are no others: a path would let
    strangers look around on the disk."""
    images: int = 2000
    """In a training; the reference experiment has 1,560."""
    seconds: float = 600
    """Of a training, then it is stopped and what it has learned is kept; the reference on phantoms takes a minute."""
    waiting: int = 4
    """Trainings in the queue: who comes last waits for forty minutes or so at most."""
    patients: int = 200
    """Of phantoms in one data set: drawn in less than a minute."""
    imported: int = 500
    """Images of FracAtlas in one import: 40 MB."""
    kept: float = 24 * 3600.0
    """Seconds after which what a visitor has made is deleted."""
    trainings: int = 12
    """Of visitors that are kept at a time, at 110 MB each; the oldest goes first."""
    datasets: int = 12
    """Of visitors that are kept at a time, at 40 MB each; the oldest goes first."""


LIMITS = Limits()

OFF = {
    "fine-tuning": "The public demo trains the head alone: fine-tuning takes hours and gigabytes.",
    "paths": "The public demo reads its own data sets alone, each by its name.",
    "kaggle": "The public demo imports nothing from Kaggle: a stranger's machine is no place for one's token.",
    "zip": "The public demo takes no data sets of one's own: everyone would see them, and X-rays are private.",
    "export": "The public demo writes no exports to its disk.",
    "decisions": "The public demo keeps its data sets as they are: one visitor's decisions would change everyone's.",
}
"""What is not offered at all, in the words for it."""


class Mark(Document):
    """Who made something, and when."""

    visitor: str
    """The hash of the visitor's word."""
    since: Moment
    """When the folder was made."""


def on() -> bool:
    """Whether this is a public demo."""
    return os.environ.get(VARIABLE, "").strip().lower() not in ("", "0", "false", "no", "off")


def most(name: str, otherwise: float) -> float:
    """The largest value that may be chosen for a number of a training; ``otherwise`` where no rule says less."""
    return min(LIMITS.most.get(name, otherwise), otherwise) if on() else otherwise


def refuse(what: str) -> None:
    """Raises PublicError in a public demo, for a key of :data:`OFF`."""
    if on():
        raise PublicError(f"{OFF[what]} Run the app yourself to do it.")


def weights() -> list[str]:
    """The pre-trained weights for which a public demo's machine is large enough, the proposed ones first.

    Raises PublicError where there are none: a training would take the app down.
    """
    memory, least = _memory(), min(LIMITS.memory.values())
    if memory < least:
        raise _too_small("A training", least, memory, "look at the models that are here")
    return [each for each, needed in LIMITS.memory.items() if needed <= memory]


def _check_weights(chosen: str) -> None:
    if chosen not in LIMITS.memory:
        received = Path(chosen).name[:80]  # and not where it lies
        raise PublicError(_words("weights", f"one of {', '.join(LIMITS.memory)}", received))
    if chosen not in (fitting := weights()):
        name, memory = f"A training on weights {chosen}", _memory()
        raise _too_small(name, LIMITS.memory[chosen], memory, f"choose {' or '.join(fitting)}")


def _too_small(what: str, needed: int, received: int, instead: str) -> PublicError:
    return PublicError(
        f"{what} needs a machine with {needed:,} MB of memory. Received: {received:,} MB; {instead}, or run the app "
        "yourself."
    )


def _memory() -> int:
    """MB of memory that this machine has, or the container that the app runs in."""
    found = [psutil.virtual_memory().total]
    for file in ("memory.max", "memory/memory.limit_in_bytes"):  # of the second and the first kind of Linux's cgroups
        with contextlib.suppress(OSError, ValueError):  # not there, or "max"
            found.append(int((Path("/sys/fs/cgroup") / file).read_text()))
    return min(found) // 2**20


def check_training(choices: Mapping[str, Any], images: int) -> None:
    """Raises PublicError where a public demo does not offer a training of these choices on so many images."""
    if not on():
        return
    if choices["mode"] != LIMITS.mode:
        refuse("fine-tuning")
    _check_weights(str(choices["weights"]))
    for name in ("image_size", "epochs"):
        _at_most(name, choices[name], LIMITS.most[name])
    _at_most("images", images, LIMITS.images)
    check_head(choices, images)


def check_head(choices: Mapping[str, Any], images: int) -> None:
    """Raises PublicError where a public demo trains no head so long: ``epochs`` on so many images, in small batches."""
    if not on():
        return
    _at_most("images times epochs", choices["epochs"] * images, LIMITS.images * LIMITS.most["epochs"])
    _at_most("batch_size", choices["batch_size"], LIMITS.most["batch_size"])
    if choices["batch_size"] < LIMITS.smallest_batch:
        raise PublicError(_words("batch_size", f"at least {LIMITS.smallest_batch}", f"{choices['batch_size']:,}"))


def check_queue(mine: int, waiting: int) -> None:
    """Raises PublicError where a visitor has ``mine`` trainings at work or waiting, or too many wait already."""
    if on() and mine:
        raise PublicError(
            "A visitor of the public demo has one training at a time. Yours is not done yet; stop it first."
        )
    if on() and waiting >= LIMITS.waiting:
        raise PublicError(
            f"At most {LIMITS.waiting} trainings wait in the public demo. Received: one more; try again in a while."
        )


def check_phantoms(patients: int) -> None:
    """Raises PublicError where a public demo does not draw so many."""
    if on():
        _at_most("patients", patients, LIMITS.patients)


def check_import(source: str, choices: Mapping[str, Any]) -> None:
    """Raises PublicError where a public demo does not import this; 0 images are all of them."""
    if not on():
        return
    if source != "fracatlas":
        refuse("kaggle")
    images = int(choices["images"])
    if not 0 < images <= LIMITS.imported:
        raise PublicError(_words("images", f"1 to {LIMITS.imported:,}", f"{images:,}" if images else "all"))


def _at_most(name: str, value: Any, most: int) -> None:
    if value > most:
        raise PublicError(_words(name, f"at most {most:,}", f"{value:,}"))


def _words(name: str, allowed: str, received: str) -> str:
    return f"In the public demo, {name} must be {allowed}. Received: {received}; choose that, or run the app yourself."


def check_visitor(visitor: str) -> None:
    """Raises PublicError where in a public demo nobody says who asks."""
    if on() and not visitor:
        raise PublicError(
            f"In the public demo only its visitors act, from a page. Unset {VARIABLE} to act for its host."
        )


def sign(folder: Path, visitor: str) -> None:
    """Say in a folder who made it, where this is a public demo. Raises OSError."""
    if on():
        write_json(folder / MARK, {"visitor": _hash(visitor), "since": time.time()})


def mark_of(folder: Path) -> Mark | None:
    """Which visitor made a folder; None where none did, or the file is damaged."""
    try:
        return Mark.model_validate(read_json(folder / MARK))
    except (OSError, ValueError):  # which a ValidationError is, too
        return None


def may_change(folder: Path, visitor: str) -> bool:
    """Whether this visitor may stop, go on with, rename or delete what is in a folder; anybody where it is no demo."""
    mark = mark_of(folder)
    return not on() or (mark is not None and bool(visitor) and mark.visitor == _hash(visitor))


def check_owner(folder: Path, visitor: str) -> None:
    """Raises PublicError where :func:`may_change` says no."""
    if not may_change(folder, visitor):
        raise PublicError(
            f"In the public demo only who made {folder.name!r} may change it, in the same browser tab. "
            "Received: another visitor; make one of your own."
        )


def claimable(root: Path, visitor: str) -> bool:
    """Whether a data set's folder is still to be made.

    Raises PublicError where in a public demo it lies elsewhere than in the data folder, or another visitor made it.
    """
    if on() and root.resolve().parent != data_home().resolve():
        raise PublicError(OFF["paths"])
    if root.exists():
        check_owner(root, visitor)
        return False
    return True


def _hash(visitor: str) -> str:
    return hashlib.sha256(visitor.encode()).hexdigest()
