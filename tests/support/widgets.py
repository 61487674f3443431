"""Find the widgets of a page that runs in AppTest."""

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
