"""Which studies were answered."""

import os

from fracture.inference.batch.done import DoneStudies, as_text


def test_done_studies_knows_its_names_alone():
    """Also a name that is no text, by the way it is written in a file."""
    odd = os.fsdecode(b"x\xff.png")
    done = DoneStudies(["a.png", "a.png", as_text(odd)])
    assert len(done) == 2 and "a.png" in done and odd in done and "b.png" not in done
    assert len(DoneStudies()) == 0 and "a.png" not in DoneStudies()


def test_done_studies_takes_eight_bytes_each():
    """A million names need 8 MB."""
    done = DoneStudies(f"{number}.png" for number in range(10_000))
    assert done._keys.nbytes == 80_000 and all(f"{number}.png" in done for number in range(0, 10_000, 97))
