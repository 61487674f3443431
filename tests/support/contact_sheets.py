"""The README's contact sheets of phantoms, drawn anew by ``python -m tests.support.contact_sheets``."""

from itertools import count, islice

from PIL import Image

from fracture.charts import outlined
from fracture.paths import PROJECT
from fracture.phantoms.plan import DIFFICULTY
from fracture.phantoms.render import Phantom
from fracture.phantoms.study import generate_study

SIDE, GAP = 150, 4
PICTURES = PROJECT / "docs" / "pictures"


def main() -> None:
    """One sheet as they come, with the fractures among them below, and one of abnormal ones from easy to hard."""
    studies = [generate_study(1, patient)[patient % 2] for patient in range(12)]
    fractures = (views[0] for patient in count() if (views := generate_study(1, patient, views=1)) and broken(views[0]))
    save("phantoms", [picture(each) for each in (*studies, *islice(fractures, 12))])
    rows = [
        [
            picture(generate_study(1, patient, difficulty=difficulty, abnormal=True, views=1)[0], True)
            for patient in range(12)
        ]
        for difficulty in (0, DIFFICULTY, 0.5, 1)
    ]
    save("difficulty", [each for row in rows for each in row])


def broken(phantom: Phantom) -> bool:
    """Whether there is a fracture and no metal that would draw the eye."""
    return bool(phantom.truth.fracture) and not phantom.truth.hardware


def picture(phantom: Phantom, revealed: bool = False) -> Image.Image:
    """One phantom as on the sheet, with its boxes if ``revealed``."""
    small = Image.fromarray(phantom.pixels).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    return outlined(small, phantom.truth.boxes, SIDE / phantom.pixels.shape[1]) if revealed else small


def save(name: str, pictures: list[Image.Image]) -> None:
    """Twelve a row, in few enough colours for a repository."""
    sheet = Image.new("RGB", (12 * (SIDE + GAP), -(-len(pictures) // 12) * (SIDE + GAP)), "white")
    for index, each in enumerate(pictures):
        sheet.paste(each, (index % 12 * (SIDE + GAP), index // 12 * (SIDE + GAP)))
    sheet.quantize(128).save(PICTURES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
