"""A class in a room of the page *Class vote*: a teacher and students, each a session of its own."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from fracture.app.vote.images import examine, samples
from fracture.inference.classifier import Classifier
from fracture.registry.model_folder import bundled_model
from fracture.teaching import rooms
from fracture.teaching.rooms import RoomModel
from tests.support.tab import Tab
from tests.support.waiting import wait

STUDENT_SECONDS = 2.0
TEACHER_SECONDS = 1.0
"""As the pages ask their browsers to look again."""


def open_room(images: int) -> tuple[str, str]:
    """A room with radiographs that come with the app and the bundled model's answers: its code and the secret."""
    model = Classifier(bundled_model())
    source = samples()
    answering = RoomModel(model.name, model.labels, model.card.thresholds["balanced"])
    return rooms.open_room(list(examine(source, model, images, seed=0)), source.labels, answering, source.credit)


@dataclass
class Student:
    """A phone, which looks at its room every two seconds and votes on each image once."""

    base: str
    code: str
    number: int
    think: Callable[[], float]
    """Seconds from seeing an image to voting on it."""
    pressed: dict[int, float] = field(default_factory=dict)
    """When the vote on an image was sent, in seconds since 1970, by the place of the image."""
    acknowledged: dict[int, bool] = field(default_factory=dict)
    """The votes that the page has confirmed: whether they were for the positive label, by place."""
    errors: list[str] = field(default_factory=list)
    identity: str = ""

    def attend(self, ended: threading.Event) -> None:
        """Join, and vote until the vote has ended; what goes wrong is kept and ends the visit."""
        tab: Tab | None = None
        try:
            tab = self._join()
            while not ended.is_set():
                self._vote_once(tab, ended)
        except Exception as error:  # noqa: BLE001  whatever it is, it is what is looked for
            if not ended.is_set():
                self.errors.append(f"student {self.number}: {type(error).__name__}: {str(error)[:500]}")
        finally:
            if tab:
                tab.close()

    def _join(self) -> Tab:
        tab = Tab(self.base)
        tab.open("vote", f"room={self.code}")
        button = tab.keyed("join room button")
        assert button is not None, words(tab)
        tab.press(button)
        self.identity = tab.parameter("student")
        assert self.identity, words(tab)
        return tab

    def _vote_once(self, tab: Tab, ended: threading.Event) -> None:
        """Vote on the image that is shown where this student has not yet, after thinking; else wait and look again."""
        place = shown_place(tab)
        if place is None or place in self.pressed or tab.keyed("vote positive") is None:
            ended.wait(STUDENT_SECONDS)
            tab.repeat()
            return
        votes_at = time.monotonic() + self.think()
        while time.monotonic() < votes_at and shown_place(tab) == place:
            ended.wait(min(STUDENT_SECONDS, max(0.0, votes_at - time.monotonic())))
            tab.repeat()
        positive = (place + self.number) % 2 == 0
        button = tab.keyed("vote positive" if positive else "vote negative")
        if button is None or shown_place(tab) != place:
            return
        self.pressed[place] = time.time()
        tab.press(button)
        if "You voted" in words(tab):
            self.acknowledged[place] = positive


@dataclass
class Teacher:
    """A teacher's browser, which looks at the votes every second."""

    tab: Tab
    seen: list[tuple[float, int, int]] = field(default_factory=list)
    """When it showed how many votes on which image: seconds since 1970, place, votes."""

    @classmethod
    def arrive(cls, base: str, code: str, secret: str) -> "Teacher":
        """Open the teacher's link."""
        tab = Tab(base)
        tab.open("vote", f"room={code}&teacher={secret}")
        return cls(tab)

    def press(self, key: str) -> None:
        """Press a button of the page."""
        button = self.tab.keyed(key)
        assert button is not None, words(self.tab)
        self.tab.press(button)

    def watch(self, until: Callable[[int], bool], seconds: float) -> int:
        """Look every second until so many students or votes are shown, or the time is over; how many there were."""
        end = time.monotonic() + seconds
        while True:
            self.tab.repeat()
            count = self._count()
            place = shown_place(self.tab)
            if place is not None:
                self.seen.append((time.time(), place, count))
            if until(count) or time.monotonic() > end:
                return count
            time.sleep(TEACHER_SECONDS)

    def _count(self) -> int:
        return int(self.tab.all("metric")[0].content.body.split(" ")[0])


def attend(base: str, code: str, count: int, think: Callable[[], float]) -> tuple[list[Student], threading.Event]:
    """Let so many students join at the same time, a thread each. The event ends their visits."""
    ended = threading.Event()
    students = [Student(base, code, number, think) for number in range(count)]
    for student in students:
        threading.Thread(target=student.attend, args=(ended,), daemon=True).start()
    return students, ended


def wait_for_votes(students: list[Student], count: int, seconds: float = 120) -> None:
    """Wait until so many votes have been acknowledged."""
    wait(lambda: sum(len(each.acknowledged) for each in students) >= count, seconds)


def shown_place(tab: Tab) -> int | None:
    """The place of the image on the page; None where it shows none."""
    for shown in tab.all("markdown"):
        if shown.content.body.startswith("**Image "):
            return int(shown.content.body.split()[1]) - 1
    return None


def words(tab: Tab) -> str:
    """What the page says."""
    return "\n".join(str(shown.content.body) for kind in ("markdown", "alert") for shown in tab.all(kind))
