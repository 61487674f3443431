"""Visitors who come at the same time: each browses, classifies marked images of its own, and checks the answers."""

import csv
import io
import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fracture.app.shared.widgets import escape_markdown
from fracture.imaging.radiograph import read
from fracture.inference.classifier import Classifier
from fracture.inference.report import rows
from tests.support.tab import Tab

BITS, SQUARE = 12, 24
"""Squares of a mark, and their side in px: wide enough to be read through a heat map and JPEG."""


@dataclass(frozen=True)
class Upload:
    """A marked image, and what the classifier says of it when asked alone."""

    number: int
    name: str
    content: bytes
    answer: dict[str, str]
    """The line that it gets in a report."""


@dataclass
class Record:
    """What happened to all visitors together; threads may add to it."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    mixed_up: list[str] = field(default_factory=list)
    checked: int = 0
    """Answers that were compared with what they had to be."""

    @contextmanager
    def timed(self, action: str) -> Iterator[None]:
        """Add the seconds that an action takes."""
        started = time.perf_counter()
        yield
        self.seconds.setdefault(action, []).append(time.perf_counter() - started)


def mark(pixels: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    """A radiograph with a number as white and black squares, from a white one and a black one on."""
    marked = pixels.copy()
    for place, bit in enumerate([1, 0, *(number >> shift & 1 for shift in range(BITS))]):
        marked[:SQUARE, place * SQUARE : (place + 1) * SQUARE] = 255 * bit
    return marked


def mark_of(picture: bytes, width: int) -> int:
    """The number on a picture that shows an image of ``width`` px at any size, whatever is laid over it."""
    shown = np.asarray(Image.open(io.BytesIO(picture)).convert("L"), np.float64)
    side = SQUARE * shown.shape[1] / width
    middles = ((np.arange(BITS + 2) + 0.5) * side).astype(int)
    white, black, *bits = shown[int(side / 2), middles]
    return sum(int(bit > (white + black) / 2) << shift for shift, bit in enumerate(bits))


def uploads(files: Sequence[Path], count: int, classifier: Classifier) -> list[Upload]:
    """Marked images, each with its answer; every other one is called ``view.png``, whoever sends it."""
    made = []
    for number in range(count):
        content = io.BytesIO()
        Image.fromarray(mark(read(files[number % len(files)].read_bytes()).pixels, number)).save(content, "PNG")
        name = "view.png" if number % 2 else f"view{number}.png"
        first = classifier.first_pass(name, read(content.getvalue(), name))
        (line,) = rows("study 1", classifier.answer([first.view]), classifier.name)
        made.append(Upload(number, name, content.getvalue(), _as_read(line)))
    return made


def _as_read(line: Mapping[str, object]) -> dict[str, str]:
    """A report's line in words; "None" where its file has nothing."""
    return {key: "None" if value in (None, "") else str(value) for key, value in line.items()}


def visit(base: str, own: Sequence[Upload], think: Callable[[], None], end: float, record: Record) -> None:
    """Go through the app, again and again until ``end`` (monotonic); what goes wrong is kept and ends the visit."""
    chance, tab, going = random.Random(own[0].number), None, True
    try:
        while going:
            tab = tab or _arrive(base, record)
            _browse(tab, chance, think, record)
            for upload in own:
                _classify(tab, upload, chance, think, record)
            if chance.random() < 0.3:
                tab.close()
                tab = None
            going = time.monotonic() < end
    except Exception as error:  # noqa: BLE001  whatever it is, it is what is looked for
        record.errors.append(f"visitor {own[0].number}: {type(error).__name__}: {str(error)[:500]}")
    finally:
        if tab:
            tab.close()


def classify_in_new_tabs(
    base: str,
    own: Sequence[Upload],
    think: Callable[[], None],
    end: float,
    record: Record,
    action: Callable[[Upload], str],
) -> None:
    """Classify one upload after the other until ``end``, each in a tab of its own, whose session has cached nothing.

    ``action``: the name under which the seconds of an upload are kept.
    """
    chance = random.Random(own[0].number)
    try:
        for upload in itertools.cycle(own):
            with closing(Tab(base)) as tab:
                _classify(tab, upload, chance, think, record, action(upload))
            if time.monotonic() >= end:
                return
    except Exception as error:  # noqa: BLE001  whatever it is, it is what is looked for
        record.errors.append(f"visitor {own[0].number}: {type(error).__name__}: {str(error)[:500]}")


def visit_all(
    base: str, owned: Sequence[Sequence[Upload]], think: float, end: float
) -> tuple[Record, list[threading.Thread]]:
    """Let a visitor come for each share of the uploads, a thread each, who thinks ``think`` seconds on average."""
    record = Record()

    def pause() -> None:
        time.sleep(random.uniform(0, 2 * think))

    visitors = [threading.Thread(target=visit, args=(base, own, pause, end, record), daemon=True) for own in owned]
    for visitor in visitors:
        visitor.start()
    return record, visitors


def _arrive(base: str, record: Record) -> Tab:
    with record.timed("open the app"):
        tab = Tab(base)
        tab.open("")
    _look(tab)
    return tab


def _look(tab: Tab) -> None:
    """No page may show an error."""
    wrong = [shown.content.message for shown in tab.all("exception")]
    wrong += [shown.content.body for shown in tab.all("alert") if shown.content.format == shown.content.ERROR]
    assert not wrong, wrong


def _browse(tab: Tab, chance: random.Random, think: Callable[[], None], record: Record) -> None:
    """The gallery, its first page and two others, pictures and all."""
    think()
    with record.timed("open the data set"):
        tab.open("data")
        tab.pictures()
    _look(tab)
    for _ in range(2):
        think()
        (turner,) = tab.all("pagination")
        with record.timed("turn a page"):
            tab.put(turner, int_value=chance.randint(1, turner.content.num_pages))
            tab.pictures()
        _look(tab)


def _classify(
    tab: Tab,
    upload: Upload,
    chance: random.Random,
    think: Callable[[], None],
    record: Record,
    action: str = "classify",
) -> None:
    """Send the image, and find its own name, mark and answer; after a broken connection, too."""
    think()
    with record.timed("open Classify"):
        tab.open("classify")
    think()
    with record.timed(action):
        tab.upload(tab.all("file_uploader")[0], upload.name, upload.content)
        picture = tab.pictures()[-1]
    _check(tab, upload, picture, record)
    if chance.random() < 0.2:
        with record.timed("come back"):
            tab.reconnect()
            picture = tab.pictures()[-1]
        _check(tab, upload, picture, record)


def _check(tab: Tab, upload: Upload, picture: bytes, record: Record) -> None:
    """The page's words, its picture and the file that it offers must be this upload's."""
    _look(tab)
    (offered,) = [each for each in tab.all("download_button") if "CSV" in each.content.label]
    (line,) = csv.DictReader(io.StringIO(tab.fetch(offered.content.url).decode()))
    caption = tab.images()[-1].caption
    width = Image.open(io.BytesIO(upload.content)).width
    share = f"{float(upload.answer['probability']):.1%}" if upload.answer["probability"] != "None" else ""
    said = _as_read(line)
    found = {
        "mark": mark_of(picture, width) == upload.number,
        "caption": caption.startswith(escape_markdown(upload.name)) and share in caption,
        "report": said == upload.answer,
    }
    record.checked += 1
    if not all(found.values()):
        record.mixed_up.append(f"{upload.number}: {found}, mark {mark_of(picture, width)}, {caption}, {said}")
