"""Widgets that pages share: each draws something and returns the choice."""

import os
import re
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import StreamlitAPIException

from fracture import demo, paths
from fracture.app.shared import state
from fracture.app.shared.dialogs import close_dialog
from fracture.app.shared.frame import chart
from fracture.app.shared.state import policy
from fracture.errors import FractureError
from fracture.registry.default_model import RULE, by_preference, describe_model, has_labels, why_default
from fracture.registry.model_folder import ModelFolder, shipped_models, usable_models, write_zip
from fracture.training.runs import queue
from fracture.training.runs.cleanup import delete_outdated

AUTOMATIC = "automatic"
"""In the place of a model's name: the model that knows an X-ray best, of those that come with the project."""

COMPACT_PX = 190
"""Width of a picker in a bar."""


def may_change(folder: Path) -> bool:
    """Whether this visitor may stop, resume, rename or delete the run, model or data set in a folder."""
    return policy().may_change(folder)


def left_out(*features: str) -> bool:
    """Whether this is a public demo, which leaves these features out; a caption says why."""
    if demo.is_public():
        reasons = [demo.NOT_OFFERED[feature] for feature in features]
        st.caption(" ".join([":material/public:", *reasons]))
    return demo.is_public()


def on_phone() -> bool:
    """Whether the visitor's browser introduces itself as that of a phone."""
    return "Mobi" in (st.context.headers.get("User-Agent") or "")


def show_retention(folder: Path) -> None:
    """The owner of a visitor's run, model or data set in a public demo, and when it will be deleted."""
    mark = demo.owner_of(folder) if demo.is_public() else None
    if mark is None:
        return
    owner = "Yours, in this browser tab and by your resume link" if may_change(folder) else "Made by another visitor"
    seconds = mark.since + demo.LIMITS.retention_seconds - time.time()
    hours = min(max(0, seconds), demo.LIMITS.retention_seconds) / 3600  # also where the clock was set back
    when = f"within {hours:.0f} hours" if hours >= 2 else "soon"
    st.caption(f":material/schedule: {owner}. The demo deletes it {when}.")


def choose_model(labels: tuple[str, str] | None = None) -> ModelFolder | None:
    """A picker of a model. None where there is no model.

    The choice holds on every page and stands in the address: a reload or a link shows the same model. Until there is
    one, a model that answers with ``labels`` is proposed before others.
    """
    models = _models()
    if not models:
        return None
    rule = RULE
    proposed = None
    if labels is not None:
        rule = f"one whose labels are those of the data set; without any, {RULE}"
        proposed = next((name for name, folder in models.items() if has_labels(folder, labels)), None)
    return models[_choose_name(models, {}, f"By default {rule}.", proposed=proposed)]


def choose_models() -> list[ModelFolder]:
    """A picker of a model that also offers *Automatic*: all models that come with the project, where there are several.

    It is narrow and one row high, to stand in a bar. To these models a visitor may add a few others, outside of a
    public demo. Empty where there is no model.
    """
    models = _models()
    shipped = shipped_models()
    automatic = {AUTOMATIC: "Automatic"} if len(shipped) > 1 else {}
    if not models:
        return []
    name = _choose_name(models, automatic, "", compact=True)
    if name != AUTOMATIC:
        return [models[name]]
    return [*shipped, *_choose_also_asked(models, shipped)]


def _choose_also_asked(models: dict[str, ModelFolder], shipped: list[ModelFolder]) -> list[ModelFolder]:
    """A picker of the models that *Automatic* asks besides the shipped ones; none where there is no other model."""
    from fracture.inference.automatic import MAX_ALSO_ASKED  # loads scipy: the first page must not wait for it

    others = {name: folder for name, folder in models.items() if folder not in shipped}
    if demo.is_public() or not others:  # a demo's machine may have no memory for more than the shipped models
        return []
    # A model that was deleted since must not be among the picker's values.
    state.ALSO_ASKED.set([name for name in state.ALSO_ASKED.get() or [] if name in others])
    menu = st.popover("Also ask", type="tertiary", key="also ask")
    names: list[str] = menu.multiselect(
        "Also ask",
        list(others),
        format_func=lambda name: describe_model(others[name]),
        max_selections=MAX_ALSO_ASKED,
        placeholder="Your own models",
        key=state.ALSO_ASKED.key,
        persist_state="session",
        help=f"Automatic asks these, too, at most {MAX_ALSO_ASKED}. Each takes as long as an answer of its own.",
    )
    return [others[name] for name in names]


def _choose_name(
    models: dict[str, ModelFolder],
    first: dict[str, str],
    help_text: str,
    *,
    compact: bool = False,
    proposed: str | None = None,
) -> str:
    """The name that is chosen: a model's, or one of ``first``, which holds the titles of other choices.

    ``compact``: narrow, and with a label for screen readers alone. ``proposed``: the name of the default where it is
    not the first one.
    """
    options = [*first, *models]
    wanted = linked_name("model") or state.CHOSEN_MODEL.get()
    # Set before the picker is drawn: afterwards Streamlit refuses to change the value of its key.
    candidates = (wanted, state.CHOSEN_MODEL.get(), proposed, *options)
    state.MODEL.set(next(name for name in candidates if name in options))
    labels = first | {name: describe_model(folder) for name, folder in models.items()}
    name: str = st.selectbox(
        "Model",
        options,
        format_func=lambda name: labels.get(name, name),
        key=state.MODEL.key,
        on_change=_keep_model,
        help=None if compact else help_text,
        label_visibility="collapsed" if compact else "visible",
        width=COMPACT_PX if compact else "stretch",
    )
    if wanted and wanted not in (*options, AUTOMATIC):
        missing = escape_markdown(wanted[:80])
        st.warning(f"There is no model {missing} any more; this is {escape_markdown(name)}.", icon=":material/delete:")
    if wanted:  # without a choice it is the default, which may be another model later
        _keep_model()
    if st.query_params.get("model") != name:
        st.query_params["model"] = name
    return name


def default_model() -> tuple[ModelFolder, str] | None:
    """The model that the pages use unless another is chosen there, and why. None where there is no model."""
    models = _models()
    if not models:
        return None
    default = next(iter(models))
    chosen = state.CHOSEN_MODEL.get()
    if chosen in models and chosen != default:
        return models[chosen], "the one that you chose"
    return models[default], why_default(models[default])


def _models() -> dict[str, ModelFolder]:
    """The usable models by name, the default first, those of other visitors last."""
    return {folder.name: folder for folder in sorted(by_preference(usable_models()), key=_of_another_visitor)}


def _keep_model() -> None:
    """Keep the choice for the other pages, each of which has a picker of its own."""
    state.CHOSEN_MODEL.set(state.MODEL.get() or "")
    state.OPENED_RUN.set("")


def _of_another_visitor(folder: ModelFolder) -> bool:
    return demo.is_public() and demo.owner_of(folder.path) is not None and not may_change(folder.path)


@contextmanager
def show_errors() -> Iterator[None]:
    """Show an error that a visitor can act on as a sentence, and let every other error through."""
    try:
        yield
    except FractureError as error:
        st.error(escape_markdown(without_host_paths(str(error))), icon=":material/error:")


def without_host_paths(words: str) -> str:
    """An error message; in a public demo without the place of the host's data, which is nobody's business."""
    return words.replace(f"{paths.data_home()}{os.sep}", "") if demo.is_public() else words


def offer_delete(folder: ModelFolder) -> None:
    """A button that asks for confirmation before it deletes a run or a model; none for those of other visitors."""
    if not may_change(folder.path):
        return
    with st.popover("Delete", icon=":material/delete:", key=f"delete menu {folder.name}"):
        st.markdown(
            f"Delete **{escape_markdown(folder.name)}**, its curves and its predictions. This cannot be undone."
        )
        what = "model" if folder.usable else "run"
        if st.button(f"Delete {what}", type="primary", icon=":material/delete:", key=f"delete {folder.name}"):
            with show_errors():
                queue.delete(folder, policy())
                st.rerun(scope="app")


def offer_zip(folder: ModelFolder) -> None:
    """A button that downloads a model with all its files; a click makes the zip file."""
    st.download_button(
        "Download model (zip)",
        lambda: zip_model(folder),
        f"{folder.name}.zip",
        "application/zip",
        icon=":material/download:",
        on_click="ignore",
        key=f"zip {folder.name}",
    )


def zip_model(folder: ModelFolder) -> bytes:
    """The bytes of a zip file of a model folder."""
    with tempfile.TemporaryDirectory() as place:
        target = Path(place) / "model.zip"
        write_zip(folder, target)
        return target.read_bytes()


def ensure_routed(page: str) -> None:
    """Let the router draw a page that was opened by its address.

    On the way, a public demo's outdated folders are deleted, and the dialog of another page is closed.

    Until the router has run once in a process, Streamlit makes an app of its own of the folder ``pages/``, without the
    title and the menu of this one. A page that is run alone has no router, and continues.
    """
    if state.CURRENT_PAGE.get() != page:
        state.CURRENT_PAGE.set(page)
        state.forget_page()
        close_dialog()
    with suppress(FractureError):  # the page will show it
        delete_outdated()
    if not state.ROUTED.get():
        state.REQUESTED_PAGE.set(page)
        with suppress(StreamlitAPIException):
            st.switch_page("streamlit_app.py", query_params=address())


def page_head(title: str) -> DeltaGenerator:
    """The title of a page, and the place at the right of its row for the picker of its data set, model or features.

    On a phone the picker stands below the title.
    """
    left, right = head_columns()
    left.container(horizontal=True).title(title)  # a title in a row has no room above it
    return right


def head_columns() -> tuple[DeltaGenerator, DeltaGenerator]:
    """The places of a page's title, with what may stand beside it, and of the picker."""
    left, right = st.columns([3, 2])  # aligned at the top: the title stays in place when the right side grows
    return left, right


def lead_to(page: str, without: Collection[str] = ()) -> None:
    """Switch from a former address to today's page, with the address's parameters; a link where a page is run alone.

    Args:
        page: the page's file, without its ending.
        without: parameters that the page has no use for.
    """
    kept = {name: values for name, values in address().items() if name not in without}
    with suppress(StreamlitAPIException):
        st.switch_page(f"pages/{page}.py", query_params=kept)
    link(page, "This page has moved", ":material/arrow_forward:")


def linked_name(parameter: str) -> str | None:
    """The name that a parameter of the address holds; see :func:`linked_names`."""
    return next(reversed(linked_names(parameter)), None)


def linked_names(parameter: str) -> list[str]:
    """The names that a parameter of the address holds, once each time that a page is entered: by a link, or a reload.

    Later the address only follows the page. A click may still send an outdated address, which the browser has not
    replaced yet, and must not undo the choice that was made meanwhile.
    """
    asked = st.query_params.get_all(parameter)
    read = state.parameters_read()
    if parameter in read:
        return []
    read.add(parameter)
    return asked


def address() -> dict[str, list[str]]:
    """The parameters of this page's address, to be passed to another page; a name may have several values."""
    return {name: st.query_params.get_all(name) for name in st.query_params}


def no_dataset_hint() -> None:
    """The way to a first data set, from a page that needs one."""
    st.info(
        "No data set selected. Generate synthetic X-rays, or import a data set, on the page *Data*.",
        icon=":material/folder_open:",
    )
    if st.button("Generate phantoms", icon=":material/draw:", type="primary", key="to phantoms"):
        with suppress(StreamlitAPIException):  # a page that is run alone can't open another one
            st.switch_page("pages/data.py")


def describe_layouts() -> None:
    """The folders that a data set may be, other than those that the app makes."""
    if demo.is_public():
        return  # it reads no folder of a visitor
    learn_more(
        "folder layouts",
        f"Put a folder into `{paths.data_home()}`, or type a path above. The app reads these layouts:\n"
        "- a **MURA** tree: `train/XR_HUMERUS/patient00001/study1_positive/image1.png`\n"
        "- **class folders**: `train/negative/…`, `train/positive/…`\n"
        "- a **`dataset.csv`** beside `images/`, as in FracAtlas, or any **CSV** file with a row for each image\n"
        "- **YOLO** and **COCO**: images with boxes, whose classes are asked for",
    )


def no_model_hint() -> None:
    """The way to a first model."""
    st.info(
        "There is no trained model yet. Train one first; it takes about a minute.", icon=":material/model_training:"
    )
    link("train", "Train a model", ":material/arrow_forward:")


def link(
    page: str, label: str, icon: str, model: str | None = None, *, run: str | None = None, data: str | None = None
) -> None:
    """A link to another page, there to a model, a run or a data set; only a caption where a page is run alone."""
    named = {name: value for name, value in {"model": model, "run": run, "data": data}.items() if value}
    try:
        st.page_link(f"pages/{page}.py", label=label, icon=icon, query_params=named or None)
    except StreamlitAPIException:
        st.caption(f"{icon} {label}: see the page {page!r} of the app.")


def escape_markdown(name: str) -> str:
    """A name with its special characters escaped, so that Markdown shows it as it is."""
    visible = re.sub("[\0-\x1f\x7f\u202a-\u202e\u2066-\u2069]", " ", name)
    # A zero-width space: a backslash would not keep this from becoming an icon.
    without_icons = visible.replace(":material/", ":\u200bmaterial/")
    return re.sub(r"([\\`*_{}\[\]()#+!|<>~$:-])", r"\\\1", without_icons)


def expander(label: str, key: str, icon: str) -> DeltaGenerator:
    """An expander that stays open or closed when its label changes, for example with a count."""
    # With another label it is another widget for Streamlit, which begins with the value that its key has before.
    st.session_state[key] = st.session_state.get(key, False)
    return st.expander(label, icon=icon, key=key, on_change="rerun")


def learn_more(key: str, text: str) -> None:
    """What the sentences above leave out, folded away. ``text``: Markdown."""
    with st.expander("Learn more", type="compact", key=key):
        st.markdown(text)


def show_chart(figure: Any, key: str, alt: str) -> None:
    """See :func:`fracture.app.shared.frame.chart.show_chart`."""
    chart.show_chart(figure, key, alt)
