"""Sample studies to try a model on, each generated from one number."""

import os
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from fracture.phantoms.study import Phantom, generate_study

_MIN_NUMBER = 100_000
_MAX_NUMBER = 999_999  # six digits can be read out


def generate_sample(number: int, views: int | None = None) -> list[Phantom]:
    """All views of the study with this number, or the first few; the same number gives the same study."""
    return generate_study(number, patient=1, abnormal=_abnormal(number), views=views)


def generate_samples(numbers: Sequence[int], views: int | None = None) -> list[list[Phantom]]:
    """Several studies, generated in parallel, one on each core: each takes tens of megabytes meanwhile."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(partial(generate_sample, views=views), numbers))


def sample_numbers(count: int = 6) -> list[int]:
    """Random numbers of studies, half of them abnormal, in random order."""
    random = secrets.SystemRandom()
    labels = [place % 2 == 0 for place in range(count)]
    random.shuffle(labels)
    numbers: list[int] = []
    for abnormal in labels:
        # A number fixes its label: draw until one has the label that is wanted, every second one on average.
        number = random.randint(_MIN_NUMBER, _MAX_NUMBER)
        while number in numbers or _abnormal(number) != abnormal:
            number = random.randint(_MIN_NUMBER, _MAX_NUMBER)
        numbers.append(number)
    return numbers


def _abnormal(number: int) -> bool:
    return bool(np.random.default_rng(number).random() < 0.5)
