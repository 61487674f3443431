"""Find the widgets of a page that runs in AppTest."""

import re
from collections.abc import Iterable
from typing import Any


def keys_of(widgets: Iterable[Any], name: str) -> list[str]:
    """The keys that are ``name`` or begin with it, such as ``resume`` and ``resume first``."""
    keys = [str(each.key) for each in widgets]
    return [key for key in keys if key == name or key.startswith(f"{name} ")]


def by_key(widgets: Iterable[Any], name: str) -> Any:
    """The widget whose key is ``name``, or begins with it and goes on with what the widget belongs to.

    Args:
        widgets: of one kind, for example ``app.button``.
        name: the words that a key begins with, for example ``start`` of ``start 0``.
    """
    found = [each for each in widgets if keys_of([each], name)]
    assert len(found) == 1, f"{len(found)} widgets have the key {name!r}: {[each.key for each in widgets]}"
    return found[0]


def open_tab(app: Any, name: str) -> Any:
    """Open a tab of the page of a data set, and run the page."""
    app.session_state["data set tab"] = name
    return app.run()


def header_counts(app: Any) -> tuple[int, ...]:
    """Images, studies and the percentage of the positive label, in the header of the page of a data set."""
    header = next(each.value for each in app.markdown if "** images · " in each.value)
    return tuple(int(number.replace(",", "")) for number in re.findall(r"\*\*([\d,]+)%?\*\*", header))
