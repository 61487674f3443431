"""The session state of one visitor: every key that the code itself sets or reads, with typed accessors.

A widget's own key stands where the widget is drawn; here it is repeated only where code sets it, as for the data set.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import streamlit as st

from fracture.demo import Policy

if TYPE_CHECKING:  # every page imports this module, and few need these
    from fracture.app.shared.frame.presenting import Steps
    from fracture.data.checks import Problem
    from fracture.imaging.viewing.changes import PictureChanges
    from fracture.importers.kaggle_credentials import Credentials
    from fracture.registry.validation import OperatingPoint
    from fracture.training.config import TrainConfig
    from fracture.training.runs.queue import Run

T = TypeVar("T")


@dataclass(frozen=True)
class Entry(Generic[T]):
    """One value of the session state.

    Args:
        key: its key in ``st.session_state``.
        default: its value until it is set; a constant, since all visitors share it.
    """

    key: str
    default: T

    def get(self) -> T:
        """The value."""
        value: T = st.session_state.get(self.key, self.default)
        return value

    def set(self, value: T) -> None:
        """Set the value; as the callback of a button, too."""
        st.session_state[self.key] = value

    def pop(self) -> T:
        """The value, which is from now on the default again."""
        value: T = st.session_state.pop(self.key, self.default)
        return value


ROUTED = Entry("routed", False)
"""Whether the router has run, so that pages have its title and its menu."""
REQUESTED_PAGE = Entry[str | None]("asked for", None)
"""The page that was called by its address before the router had run."""
CURRENT_PAGE = Entry[str | None]("page", None)
"""The page that the visitor is on."""
NEXT_PAGE = Entry[str | None]("next page", None)
"""The address of the page that a presentation goes on to."""
PRESENTING = Entry[bool | None]("presenting", None)
"""Whether the visitor presents; None until the address was read."""
STEPS: Entry[Steps | None] = Entry("steps", None)
"""What the arrow keys step through on this page; None where they lead to the next page."""

VISITOR = Entry("visitor", "")
"""The word that identifies the visitor in a public demo; see :func:`policy`."""
RESUME = Entry("resume", "")
"""How far the resume link is: "" before it was shown, ``asked``, ``resumed``, ``unknown``, ``known``."""
RESUME_WORD = Entry("resume word", "")
"""The word of the resume link that was opened, until the visitor answers whether to resume."""

OPEN_DIALOG = Entry[str | None]("open dialog", None)

DATA = Entry[str | None]("data", None)
"""The path of the data set that is shown; also the key of its picker."""
NEW_DATA = Entry[str | None]("new data", None)
"""The path of a data set that was just made, until the picker has selected it."""

FOLLOWED_JOB = Entry("followed job", "")
"""The path of the data set whose job was seen at work on the page Data; empty once the words of its end were closed."""

MODEL = Entry[str | None]("model", None)
"""The name of the model in the picker of this page; also the picker's key."""
CHOSEN_MODEL = Entry("chosen model", "")
"""The name of the model that the visitor chose on any page."""
OPENED_RUN = Entry("opened run", "")
"""The name of the run without a model that the page Models shows again; empty once a model was chosen on any page."""

ALSO_ASKED = Entry[list[str] | None]("also asked", None)
"""The names of the models that *Automatic* asks besides those that come with the project; also the picker's key."""

RUN = Entry[str | None]("run", None)
"""The name of the run on the page Train; also the key of its picker."""
REPLAYED_RUN = Entry("replayed run", "")
"""The name of the run whose replay is playing; empty where none is."""

REPLAY_SPEED: Entry[float | None] = Entry("replay speed", None)
"""How much faster than usual a replay plays; None until it was chosen."""
WEIGHTS = Entry[str | None]("weights", None)
"""The pre-trained weights of a new run; also the key of their picker."""
PRESET = Entry("preset", "reference")
"""The card that is chosen for a new run: a preset, or *custom*."""
CHOSEN_RUNS = Entry[list[str] | None]("runs", None)
"""The names of the runs and models that are chosen on the page Models; also the key of its picker."""
RUN_ROWS = Entry[Any]("table of runs", None)
"""The selected rows of the table of runs; also the table's key."""
RENAMED_RUN = Entry[dict[str, str] | None]("renamed", None)
"""The new name of a run by its old one, until the page has selected it."""
MASKS = Entry[tuple[str, list[Any]]]("masks", ("", []))
"""The picture in the occlusion lab, and its masks."""

UPLOADS = Entry[tuple[Any, ...]]("kept uploads", ())
"""The uploads that stay while the visitor looks at other pages."""
UPLOADS_CHOSEN = Entry("uploads chosen", 0)
"""Of how many files these are the first."""
VIEWED_UPLOAD = Entry("viewed upload", "")
"""The upload that the viewer shows, by its source, or the synthetic view, by its name."""
SAMPLE = Entry("sample", "")
"""The sample that is classified: the name of a real one's file, or the number of a synthetic study."""
SAMPLES = Entry[list[int] | None]("samples", None)
"""The numbers of the synthetic studies that are offered."""

GUESSING = Entry("hide answer", False)
"""Whether the answers are hidden until the visitor asks for each; also the key of the switch."""
SHOWN_ANSWERS = Entry[tuple[str, ...]]("shown answers", ())
"""The answers that were asked for meanwhile, each by its model and the pictures that it is for."""
HEAT_OFF = Entry("heat map off", False)
"""Whether the heat maps on *Classify* are switched off."""

QUIZ = Entry("quiz number", 0)
"""The number of the visitor's present quiz; each is another choice of images."""

LESSON = Entry[int | None]("lesson step", None)
"""The step of the lesson, from 0; None where no lesson was begun. Also the key of its picker."""
MASKED = Entry[tuple[float, float] | None]("masked", None)
"""The probability before and after the last mask in the occlusion lab."""
CHOSEN_POINT: Entry[OperatingPoint | None] = Entry("chosen point", None)
"""The metrics at the threshold that the visitor chose last on *Models*; None while that is the balanced one."""

HOME_SAMPLE = Entry[str | None]("home sample", None)
"""The name of the real radiograph that the start page shows; None for the first one."""

VIEWED_IMAGE = Entry("viewed", "")
"""The image that the dialog of a study shows."""
REVEALED_STUDY = Entry[str | None]("revealed study", None)
"""The study whose label and truth are shown."""
ANSWERED_STUDY = Entry[str | None]("answered study", None)
"""The study for whose views the model's answer is shown."""

UPLOADERS_CLEARED = Entry("uploaders cleared", 0)
"""How often this visitor has cleared the uploads: after each time, the uploaders are empty again."""
JOINED_STUDIES = Entry("joined studies", False)
"""Whether uploads of the same study are answered as one."""

KAGGLE_CREDENTIALS: Entry[Credentials | None] = Entry("kaggle credentials", None)
"""What the visitor typed; in memory alone."""
ZIPS_UNPACKED = Entry("zips unpacked", 0)
"""How many zip files this visitor has unpacked: after each, the form is empty again."""

DATASET_TAB = Entry("data set tab", "Images")
"""The open tab of the page of a data set; also the key of its tabs."""
DECIDE_OPEN = Entry("decide", False)
"""Whether the buttons for decisions are open; also the key of their expander."""
DECIDED = Entry("decided", False)
"""Whether a decision was made or undone that the rest of the page has not shown yet."""
SELECTION_NUMBER = Entry("selection number", 0)
"""A part of the keys of the gallery's checkboxes: another number resets them."""

TAUGHT_ROOM = Entry[tuple[str, str] | None]("taught room", None)
"""The code of the room of a class vote that this visitor has opened, and its teacher's secret."""
ROOM_LINK_CLOSED = Entry("room link closed", False)
"""Whether the teacher has closed the link that leads back to the room."""
JOINED_ROOM = Entry[tuple[str, str] | None]("joined room", None)
"""The code of the room that this visitor has joined, and what identifies them as its student."""
ROOM_EXPIRES = Entry("room expires", 0.0)
"""When the joined room expires, in seconds since 1970; 0 before the room was seen."""


def predictions() -> dict[str, int]:
    """The class's predictions, by the steps of the lesson; the dictionary itself, to be changed."""
    return get_or_create("predictions", dict)


def outcomes() -> dict[str, Mapping[str, str]]:
    """What came out of the steps of the lesson, by their names; the dictionary itself, to be changed."""
    return get_or_create("outcomes", dict)


def guesses() -> dict[str, Any]:
    """The visitor's guesses in this session, by the answers that they are for; the dictionary itself, to be changed."""
    return get_or_create("guesses", dict)


def select_new_data(path: str) -> None:
    """Select a data set that was just made, and show its images, whatever tab was open for the one before."""
    DATA.set(path)
    DATASET_TAB.set(DATASET_TAB.default)


def seen_answers() -> set[str]:
    """The samples whose answer or truth the visitor has seen in this session; the set itself, to be changed."""
    return get_or_create("seen answers", set)


def picture_changes() -> dict[str, PictureChanges]:
    """How the visitor has changed the pictures of uploads, by their sources; the dictionary itself, to be changed."""
    return get_or_create("picture changes", dict)


def failure(action: str) -> Entry[str]:
    """The sentence that says why an action failed; a button's callback can show nothing itself."""
    return Entry(f"{action} failed", "")


def started(action: str) -> Entry[bool]:
    """Whether an action was started by a button whose dialog has not been closed yet."""
    return Entry(f"{action} started", False)


@dataclass
class Submissions:
    """The forms of new runs that this visitor has submitted.

    The keys of the form's button and of its name contain the form's number: a second press on a submitted form belongs
    to a button that no longer exists, and starts nothing. While the first press is still at work, :func:`press_lock`
    keeps the second waiting.
    """

    number: int = 0
    """Of the form on the page; each start increments it."""
    newest: str = ""
    """The run that was started last, until the page has selected it."""


def submissions() -> Submissions:
    """The forms that this visitor has submitted; the object itself, to be changed."""
    return get_or_create("submissions", Submissions)


def press_lock() -> Lock:
    """Held by a script while a press on a button starts a run, so that a double click starts one.

    At a second press Streamlit starts the script again in another thread. Where the button has already sent the script
    of the first press on its way, that goes on beside it until it calls Streamlit next.
    """
    return get_or_create("press lock", Lock)


def proposed_name(form: str, propose: Callable[[], str]) -> str:
    """The name that a form has proposed for a run."""
    return get_or_create(f"{form}, proposed", propose)


def train_view(form: int) -> Entry[str | None]:
    """The form or the runs, on the page Train; also the key of its control.

    The number is that of the form: after each start it is another control, which a late click on the form that was
    submitted cannot change.
    """
    return Entry(f"train view {form}", None)


def replayed_epoch(run: Run, epochs: int) -> Entry[int | None]:
    """The epoch of a run of so many epochs that the visitor chose to see again; also the key of its slider."""
    return Entry(f"replayed epoch {run.name} {run.started} {epochs}", None)


def shown_frame(run: Run, epochs: int) -> Entry[int | None]:
    """The epoch that a replay shows while it plays; also the key of its slider."""
    return Entry(f"shown frame {run.name} {run.started} {epochs}", None)


def frame(run: Run, epochs: int) -> Entry[tuple[int, float]]:
    """The epoch that the replay of a run shows while it plays, and since when, on the monotonic clock in seconds."""
    return Entry(f"frame {run.name} {run.started} {epochs}", (1, 0.0))


def saved_note(note: str) -> Entry[str | None]:
    """The text of a note that this tab has read or saved last."""
    return Entry(f"{note}, saved", None)


def playground_settings(features: str) -> Entry[TrainConfig | None]:
    """The settings of the playground, on the features with this key."""
    return Entry(f"settings of {features}", None)


def playground_trials(features: str) -> Entry[list[Any] | None]:
    """The trials of this visit, on the features with this key."""
    return Entry(f"trials of {features}", None)


def settings_tried(features: str) -> set[tuple[object, ...]]:
    """All settings that were validated in the playground, those too that are no longer listed."""
    return get_or_create(f"settings tried on {features}", set)


def runs_of_trials() -> dict[TrainConfig, str]:
    """The runs that the playground has started, by their settings; the dictionary itself, to be changed."""
    return get_or_create("runs of trials", dict)


def experiment(name: str, features: str) -> Entry[Any]:
    """The results of an experiment on the features with this key; None where it was not done yet."""
    return Entry(f"{name} of {features}", None)


def section_settings(section: str, features: str) -> Entry[tuple[Mapping[str, str], list[str]] | None]:
    """The dials that a section of the playground was computed with, and which of them it calls changed since."""
    return Entry(f"settings of {section} of {features}", None)


def finding(root: Path) -> Entry[str | None]:
    """The kind of the finding whose images the gallery of a data set shows; None where it shows all."""
    return Entry(f"finding of {root}", None)


def map_selection(root: Path) -> Entry[Problem | None]:
    """The images of a data set that were selected on the data map."""
    return Entry(f"map selection of {root}", None)


def alike_to(features: str, selected: tuple[int, ...]) -> Entry[int | None]:
    """The image, by its place among the features with this key, whose like the data map shows.

    Another selection on the map is another entry: its images are shown again.
    """
    return Entry(f"alike on {features} {hash(selected)}", None)


def label_issues(root: Path) -> Entry[Problem | None]:
    """The labels of a data set that a model contradicts, once it was asked."""
    return Entry(f"label issues of {root}", None)


def label_search(root: Path) -> Entry[bool]:
    """Whether the visitor has asked elsewhere for the doubtful labels of a data set, and *Checks* is to find them."""
    return Entry(f"label search of {root}", False)


def contradicted_by_none(root: Path) -> Entry[str]:
    """The name of the model by whose features no label of a data set is doubtful, once it was asked."""
    return Entry(f"no label issues of {root}", "")


def analyzed(root: Path, version: str) -> Entry[bool]:
    """Whether the images of a data set were analyzed: what cannot be opened is not known afterwards either."""
    return Entry(f"analyzed {root} {version}", False)


def images_shown(root: Path) -> Entry[int]:
    """How many phantoms the page shows of a data set that is being generated."""
    return Entry(f"images shown of {root}", 0)


def study_salt() -> bytes:
    """What the hashes of study identifiers are salted with, for this visit alone."""
    return get_or_create("study salt", lambda: secrets.token_bytes(16))


def proposed_export(root: Path) -> Entry[str | None]:
    """The path that was proposed for an export, by which one tells whether another was typed."""
    return Entry(f"proposed export of {root}", None)


def policy() -> Policy:
    """What the visitor in this browser tab may do; the word that identifies the visitor stays in the session."""
    return Policy(get_or_create(VISITOR.key, lambda: secrets.token_urlsafe(32)))


def selected_images(root: Path) -> set[str]:
    """The images of a data set that are selected for a decision; the set itself, to be changed."""
    return get_or_create(f"selected of {root}", set)


def parameters_read() -> set[str]:
    """The parameters of the address that this page has read already; the set itself, to be changed."""
    return get_or_create("read from the address", set)


def forget_page() -> None:
    """The visitor has entered another page: its address is to be read, and a job that ended is no news."""
    FOLLOWED_JOB.pop()
    st.session_state.pop("read from the address", None)


def forget_folder(folder: Path) -> None:
    """Forget all that was found and chosen in a folder: another one may get its name."""
    for key in list(st.session_state):
        if str(folder) in str(key):
            del st.session_state[key]


def get_or_create(key: str, make: Callable[[], T]) -> T:
    """A value that is made the first time, and kept: an object that may be changed in place."""
    if key not in st.session_state:
        st.session_state[key] = make()
    value: T = st.session_state[key]
    return value
