"""The dialog that a visitor has open.

Streamlit closes a dialog as soon as the whole page runs without calling it, and a page runs for many reasons: images
have been analyzed, an import has ended, a click came while the page was still being drawn. So an open dialog is session
state, and every run of its page that finds it open calls it again.

Even so, such a run may blank the dialog for a moment, since Streamlit sends it closed first and open afterwards: text
that is being typed is lost then. So nothing starts such a run while a dialog is open; closing it runs the page.
"""

from fracture.app.shared import state


def is_open(dialog: str) -> bool:
    """Whether this is the dialog that the visitor has open."""
    return state.OPEN_DIALOG.get() == dialog


def any_open() -> bool:
    """Whether the visitor has a dialog open, so that the page must not run as a whole of its own accord."""
    return state.OPEN_DIALOG.get() is not None


def open_dialog(dialog: str) -> None:
    """Open a dialog in the next run of the page: the callback of a button."""
    state.OPEN_DIALOG.set(dialog)


def close_dialog() -> None:
    """Close the dialog: the visitor dismissed it, finished it, or opened another page."""
    state.OPEN_DIALOG.pop()
