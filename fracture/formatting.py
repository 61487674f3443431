"""Numbers in the words of a sentence: one way each, for pages, messages and the command line."""

_UNITS = {"GB": 10**9, "MB": 10**6, "kB": 10**3}


def format_threshold(value: float) -> str:
    """A threshold of 0 to 1 in percent, with further decimals where it has them: ``35.3%``, ``0.04%``."""
    percent = round(100 * value, 6)
    return f"{percent:.1f}%" if percent == round(percent, 1) else f"{percent:.10g}%"


def format_count(count: int, noun: str, nouns: str = "") -> str:
    """``1 image``, ``1,272 images``; ``nouns`` where the plural needs more than an s."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def format_bytes(size: int) -> str:
    """A number of bytes for people, in powers of ten."""
    unit = next((unit for unit in ("GB", "MB", "kB") if size >= _UNITS[unit]), "kB")
    return f"{size / _UNITS[unit]:,.1f} {unit}"


def format_duration(seconds: float) -> str:
    """A duration for people: ``45 s``, ``3 min 20 s``, ``2 h 3 min``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes} min {rest} s"
    return f"{rest} s"


def format_rough_duration(seconds: float) -> str:
    """A duration that is known roughly: ``40 seconds``, ``4 minutes``, ``3 hours``."""
    if seconds < 55:
        return f"{max(10, round(seconds, -1)):.0f} seconds"
    if seconds < 90 * 60:
        minutes = max(1, round(seconds / 60))
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    return f"{round(seconds / 3600)} hours"
