"""A data set of phantoms that is being generated: what was asked for, how far it is, and how to start and stop it.

The work is done by a process of its own, see :mod:`fracture.jobs` and :mod:`fracture.phantoms.generate`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from fracture.demo import NOBODY, Policy
from fracture.documents import Finite, Whole
from fracture.errors import DatasetError
from fracture.jobs.folder_job import FolderJob, FolderStatus
from fracture.phantoms.plan import FORMER_RULE, Plan

STATUS = "phantom.json"

RENDERER = 2
"""To be raised whenever the same plan gives other pixels: a data set is not completed by another renderer."""

FORMER_RENDERER = 1
"""Of plans without a hardware share, whose pixels have stayed the same."""


@dataclass(frozen=True)
class PhantomJob:
    """A data set of phantoms as it stands on disk."""

    root: Path
    plan: Plan
    done: int
    """Patients that are complete."""
    images: int
    working: bool
    """Whether its process is running."""
    seconds_left: float | None = None
    """None where it is not known."""
    error: str | None = None
    """Why the process gave up: a sentence."""

    @property
    def state(self) -> str:
        """``generating``, ``complete`` or ``interrupted``."""
        if self.done >= self.plan.patients:
            return "complete"
        return "generating" if self.working else "interrupted"

    @property
    def active(self) -> bool:
        """Whether there is more to come."""
        return self.state == "generating"

    @property
    def share(self) -> float:
        """How much of it is done, 0 to 1."""
        return min(self.done / self.plan.patients, 1.0)


class PhantomStatus(FolderStatus):
    """The file ``phantom.json``."""

    patients: Whole
    seed: Whole
    difficulty: Finite
    hardware_share: Finite | None = None
    """None, or missing in an older file: the former rule, see :class:`fracture.phantoms.plan.Plan`."""
    renderer: Whole | None = None
    done: Whole
    images: Whole
    seconds_left: Finite | None = None

    @classmethod
    def of(cls, plan: Plan, done: int, images: int, **more: Any) -> Self:
        """The status of a job. ``more``: ``seconds_left``, ``error``, and the process that writes it."""
        renderer = FORMER_RENDERER if plan.hardware_share is None else RENDERER
        document = {"renderer": renderer, "done": done, "images": images, "seconds_left": None, "error": None, **more}
        return cls.model_validate({**plan.settings, **document})

    @property
    def active(self) -> bool:
        """Whether there is more to come."""
        return self.working and self.done < self.patients

    def conflict(self, wanted: Self) -> str | None:
        """Why the folder of this job cannot take another one."""
        if self._key == wanted._key:
            return None
        return f"phantoms of {self._settings}. Received: {wanted._settings}"

    @property
    def _key(self) -> tuple[float | None, ...]:
        return self.patients, self.seed, self.difficulty, self.hardware_share, self.renderer

    @property
    def _settings(self) -> str:
        share = FORMER_RULE if self.hardware_share is None else f"{self.hardware_share:g}"
        plan = f"{self.patients} patients, seed {self.seed}, difficulty {self.difficulty:g}, hardware share {share}"
        return f"{plan}, renderer {self.renderer}"

    def resumed(self, wanted: Self) -> Self:
        """What the folder holds is kept."""
        return wanted.model_copy(update={"done": self.done, "images": self.images})


PHANTOM = FolderJob(
    name="phantom",
    status=PhantomStatus,
    error=DatasetError,
    busy="is being generated",
    content="phantoms generated before",
    kept="Whatever has been generated is kept.",
)


def find_phantom_job(root: str | Path) -> PhantomJob | None:
    """How the phantoms in this folder stand; None where there are none, or their ``phantom.json`` is damaged."""
    found = PHANTOM.find(Path(root))
    if found is None:
        return None
    try:
        plan = Plan(found.patients, found.seed, found.difficulty, found.hardware_share)
    except DatasetError:
        return None
    return PhantomJob(Path(root), plan, found.done, found.images, found.working, found.seconds_left, found.error)


def find_same(home: Path, plan: Plan) -> PhantomJob | None:
    """The data set in a folder of data sets that was begun with the same plan, whatever has become of it."""
    folders = sorted(home.iterdir()) if home.is_dir() else []
    found = (find_phantom_job(folder) for folder in folders)
    return next((job for job in found if job is not None and job.plan == plan), None)


def start(root: Path, plan: Plan, policy: Policy = NOBODY) -> None:
    """Start or resume the generation in a process of its own; one beside another would only make both slower.

    ``policy``: of who asks. Raises DatasetError where the folder cannot be used, or phantoms are
    being generated into it or into a folder beside it; PublicError where a public demo does not generate so many.
    """
    policy.check_visitor()
    policy.check_phantoms(plan.patients)
    with PHANTOM.disk_errors(root):
        if busy := PHANTOM.active_in(root.parent):
            raise PHANTOM.busy_error(busy)
    options: list[str] = []
    for name, value in plan.settings.items():
        options += [f"--{name.replace('_', '-')}", str(value)]
    if plan.hardware_share is None:
        options += ["--hardware-share", FORMER_RULE]
    PHANTOM.start(root, PhantomStatus.of(plan, 0, 0), ["phantom", str(root), "--json", *options], policy)


def request_stop(root: Path, policy: Policy = NOBODY) -> None:
    """Ask the generation to stop after the patients that are being drawn; what is there is kept.

    Raises PublicError where it is another visitor's.
    """
    PHANTOM.request_stop(root, policy)


def stop_request(root: Path) -> Path:
    """The file whose presence asks the generation to stop."""
    return PHANTOM.stop_request(root)


def claim(root: Path, plan: Plan) -> PhantomJob:
    """Make the folder this process's own, and return what it holds already.

    Raises DatasetError where it holds anything else, or another process generates phantoms into it.
    """
    with PHANTOM.disk_errors(root):
        status = PHANTOM.claim(root, PhantomStatus.of(plan, 0, 0))
        # An empty tree, so that the folder is known as a data set from the first moment on.
        (root / "train" / "XR_HUMERUS").mkdir(parents=True, exist_ok=True)
        return PhantomJob(root, plan, status.done, status.images, working=True)


def save(job: PhantomJob, **process: Any) -> None:
    """Write ``phantom.json``. ``process``: :func:`fracture.jobs.process.identity`, or ``ended``. Raises OSError."""
    more = {"seconds_left": job.seconds_left, "error": job.error, **process}
    PHANTOM.write(job.root, PhantomStatus.of(job.plan, job.done, job.images, **more))
