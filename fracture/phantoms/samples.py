"""Sample studies to try a model on, each generated from one number."""

import os
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import cycle, islice
from typing import Literal

import numpy as np

from fracture.phantoms.study import Phantom, generate_study

Kind = Literal["normal", "fracture", "hardware"]

_ROW: tuple[Kind, ...] = ("normal", "fracture", "normal", "hardware", "normal", "fracture")
"""What a row of six samples shows."""

_MIN_NUMBER = 100_000
_MAX_NUMBER = 999_999  # six digits can be read out


def generate_sample(number: int, views: int | None = None) -> list[Phantom]:
    """All views of the study with this number, or the first few; the same number gives the same study."""
    kind = sample_kind(number)
    hardware_share = 1.0 if kind == "hardware" else 0.0
    return generate_study(number, 1, hardware_share=hardware_share, abnormal=kind != "normal", views=views)


def generate_samples(numbers: Sequence[int], views: int | None = None) -> list[list[Phantom]]:
    """Several studies, generated in parallel, one on each core: each takes tens of megabytes meanwhile."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(partial(generate_sample, views=views), numbers))


def sample_numbers(count: int = 6) -> list[int]:
    """Random numbers of studies in random order: half normal, a third plain fractures, a sixth with hardware."""
    random = secrets.SystemRandom()
    kinds = list(islice(cycle(_ROW), count))
    random.shuffle(kinds)
    numbers: list[int] = []
    for kind in kinds:
        # A number fixes its kind: draw until one has the kind that is wanted, every fourth one at least on average.
        number = random.randint(_MIN_NUMBER, _MAX_NUMBER)
        while number in numbers or sample_kind(number) != kind:
            number = random.randint(_MIN_NUMBER, _MAX_NUMBER)
        numbers.append(number)
    return numbers


def sample_kind(number: int) -> Kind:
    """What the study with this number shows: ``hardware`` may hold a fracture, ``fracture`` has no hardware."""
    rng = np.random.default_rng(number)
    if rng.random() >= 0.5:
        return "normal"
    return "hardware" if rng.random() < 0.5 else "fracture"
