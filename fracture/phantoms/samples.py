"""Single studies to try a model on, each known by one number."""

import os
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from fracture.phantoms.study import Phantom, draw_study

_DIGITS = 100_000, 999_999
"""As many digits as a person likes to read out."""


def draw_sample(number: int, views: int | None = None) -> list[Phantom]:
    """All views of the study with this number, or the first few; the same number gives the same study."""
    return draw_study(number, patient=1, abnormal=_abnormal(number), views=views)


def draw_samples(numbers: Sequence[int], views: int | None = None) -> list[list[Phantom]]:
    """Several studies, drawn side by side, one on each core: each takes tens of megabytes while it is drawn."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(partial(draw_sample, views=views), numbers))


def sample_numbers(count: int = 6) -> list[int]:
    """Numbers by chance, half of them of abnormal studies, in no order that tells which."""
    chance, numbers = secrets.SystemRandom(), list[int]()
    for kind in chance.sample([place % 2 == 0 for place in range(count)], count):
        while (number := chance.randint(*_DIGITS)) in numbers or _abnormal(number) != kind:
            continue
        numbers.append(number)
    return numbers


def _abnormal(number: int) -> bool:
    return bool(np.random.default_rng(number).random() < 0.5)
