"""An estimate: a value with its 95 % interval, and the one way in which it is printed."""

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12


class Estimate(TypedDict):
    """A value and the bounds of its 95 % interval.

    ``value`` is None where it is not defined. The bounds are None where it isn't, or where all bootstrap resamples
    agree, as they do at 100 %: that is no certainty.
    """

    value: float | None
    low: float | None
    high: float | None


def excludes_zero(difference: Estimate) -> bool:
    """Whether the interval excludes zero: the difference is then significant."""
    low = difference["low"]
    high = difference["high"]
    return low is not None and high is not None and (low > 0 or high < 0)


def format_change(value: float) -> str:
    """A difference with its sign: ``+0.013``, with more digits where it would round to zero; zero is ``0.000``."""
    for digits in range(3, 7):
        words = f"{value:+.{digits}f}"
        if float(words):
            return words
    return "0.000"


def format_interval(estimate: Estimate, digits: int = 3) -> str:
    """The interval alone: ``0.780 to 0.840``; ``digits`` as below."""
    if estimate["low"] is None or estimate["high"] is None:
        return "no interval"
    return f"{estimate['low']:.{digits}f} to {estimate['high']:.{digits}f}"


def format_percent(estimate: Estimate | None, digits: int = 0) -> str:
    """A share with its interval: ``81% (76 to 86%)``; ``digits`` after the point. None: an earlier version's card."""
    if estimate is None:
        return "not measured"
    if estimate["value"] is None:
        return "not defined"
    value = f"{estimate['value']:.{digits}%}"
    if estimate["low"] is None or estimate["high"] is None:
        return f"{value} (no interval)"
    return f"{value} ({estimate['low'] * 100:.{digits}f} to {estimate['high']:.{digits}%})"


def format_number(estimate: Estimate | None, digits: int = 3) -> str:
    """A metric that is no share, with its interval: ``0.812 (0.780 to 0.840)``; ``digits`` as above."""
    if estimate is None:
        return "not measured"
    if estimate["value"] is None:
        return "not defined"
    value = f"{estimate['value']:.{digits}f}"
    return f"{value} ({format_interval(estimate, digits)})"
