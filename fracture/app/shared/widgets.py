"""Widgets that pages share: each draws something and returns what was chosen."""

import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import StreamlitAPIException

from fracture import demo, paths
from fracture.app.shared import state
from fracture.app.shared.dialogs import close_dialog
from fracture.app.shared.state import visitor
from fracture.errors import FractureError
from fracture.registry.default_model import RULE, by_preference, describe, why_default
from fracture.registry.model_folder import ModelFolder, usable_models, write_zip
from fracture.training.runs import queue
from fracture.training.runs.cleanup import delete_outdated


def may_change(folder: Path) -> bool:
    """Whether this visitor may stop, go on with, rename or delete the training, model or data set in a folder."""
    return demo.may_change(folder, visitor())


def left_out(*what: str) -> bool:
    """Whether this is a public demo, which leaves these out; why, it says in a quiet line."""
    if demo.on():
        st.caption(" ".join([":material/public:", *(demo.OFF[each] for each in what)]))
    return demo.on()


def show_retention(folder: Path) -> None:
    """Of what a visitor has made: whose it is, and when it will be deleted."""
    if demo.on() and (mark := demo.mark_of(folder)):
        whose = "Yours, as long as this browser tab is open" if may_change(folder) else "Made by another visitor"
        hours = min(max(0, mark.since + demo.LIMITS.kept - time.time()), demo.LIMITS.kept) / 3600
        when = f"within {hours:.0f} hours" if hours >= 2 else "soon"
        st.caption(f":material/schedule: {whose}. It is deleted {when}, as all is that visitors make.")


def choose_model() -> ModelFolder | None:
    """A picker over the models that can answer. None where there is no model.

    The choice holds on every page, and the address names it: what a reload or a shared link shows is the same model.
    """
    models = _models()
    if not models:
        return None
    wanted = [each for each in (asked_for("model"), state.CHOSEN_MODEL.get()) if each]
    state.MODEL.set(next(each for each in (*wanted, *models) if each in models))
    labels = {each: describe(folder) for each, folder in models.items()}
    name: str = st.selectbox(
        "Model",
        list(models),
        format_func=lambda each: labels.get(each, each),
        key="model",
        on_change=_keep_model,
        help=f"By default {RULE}.",
    )
    if wanted and wanted[0] not in models:
        gone = escape_markdown(wanted[0][:80])
        st.warning(f"Model {gone} is not here any more; this is {escape_markdown(name)}.", icon=":material/delete:")
    if wanted:  # else it is the default, which may be another one later
        _keep_model()
    if st.query_params.get("model") != name:
        st.query_params["model"] = name
    return models[name]


def answering_model() -> tuple[ModelFolder, str] | None:
    """The model that answers on the pages unless another is chosen there, and why. None where there is no model."""
    models = _models()
    if not models:
        return None
    default, chosen = next(iter(models)), state.CHOSEN_MODEL.get()
    if chosen in models and chosen != default:
        return models[chosen], "the one that you chose"
    return models[default], why_default(models[default])


def _models() -> dict[str, ModelFolder]:
    """The models that can answer by name, the default first, those of other visitors last."""
    return {folder.name: folder for folder in sorted(by_preference(usable_models()), key=_of_another_visitor)}


def _keep_model() -> None:
    """Keep the choice for the other pages, where the picker is another one."""
    state.CHOSEN_MODEL.set(state.MODEL.get() or "")


def _of_another_visitor(folder: ModelFolder) -> bool:
    return demo.on() and demo.mark_of(folder.path) is not None and not may_change(folder.path)


@contextmanager
def show_errors() -> Iterator[None]:
    """Shows what a person can put right as a sentence, and lets every other error through."""
    try:
        yield
    except FractureError as error:
        st.error(escape_markdown(str(error)), icon=":material/error:")


def offer_delete(folder: ModelFolder) -> None:
    """A button that asks once more before it deletes a training or a model; none for those of other visitors."""
    if not may_change(folder.path):
        return
    with st.popover("Delete …", icon=":material/delete:", key=f"delete menu {folder.name}"):
        st.markdown(f"**{folder.name}**, its curves and its predictions will be gone for good.")
        if st.button("Delete it", type="primary", icon=":material/delete:", key=f"delete {folder.name}"):
            with show_errors():
                queue.delete(folder, visitor())
                st.rerun(scope="app")


def offer_zip(folder: ModelFolder) -> None:
    """A button that downloads a model with all its files; the zip is made once it is clicked."""
    st.download_button(
        "Download (zip)", lambda: zipped(folder), f"{folder.name}.zip", "application/zip",
        icon=":material/download:", on_click="ignore", key=f"zip {folder.name}",
    )  # fmt: skip


def zipped(folder: ModelFolder) -> bytes:
    """A model folder as one zip."""
    with tempfile.TemporaryDirectory() as place:
        target = Path(place) / "model.zip"
        write_zip(folder, target)
        return target.read_bytes()


def ensure_routed(page: str) -> None:
    """Let the router draw a page that was called straight by its address.

    What visitors of a public demo have left is swept away on the way; the dialog of another page is closed.

    Until the router has run once in a process, Streamlit makes an app of its own of the folder ``pages/``, without the
    title and the menu of this one. Where a page is run by itself there is no router, and the page goes on.
    """
    if state.PAGE.get() != page:
        state.PAGE.set(page)
        state.forget_page()
        close_dialog()
    with suppress(FractureError):  # the page will say so
        delete_outdated()
    if not state.ROUTED.get():
        state.REQUESTED_PAGE.set(page)
        with suppress(StreamlitAPIException):
            st.switch_page("streamlit_app.py", query_params=address())


def asked_for(name: str) -> str | None:
    """What the address asks for, once each time that a page is entered: by a link, or by a reload.

    From then on the address only says what is shown. A click may still bring along the address of before, which the
    browser had not changed yet, and must not undo the choice that was made meanwhile.
    """
    asked = st.query_params.get(name)
    read = state.parameters_read()
    if name in read:
        return None
    read.add(name)
    return asked


def address() -> dict[str, list[str]]:
    """What the address of this page says, for another one to say it, too; a name may stand in it several times."""
    return {name: st.query_params.get_all(name) for name in st.query_params}


def no_dataset_hint() -> None:
    """What to do where there is no data set yet."""
    if demo.on():
        st.info("No data set chosen. Draw phantoms or import a sample on the page *Data set*.", icon=":material/draw:")
        return
    st.info(
        "No data set chosen. Draw phantoms or import one on the page *Data set*, put a folder of radiographs into "
        f"`{paths.data_home()}`, or type a path above. "
        "Readable are: a **MURA** tree (`train/XR_HUMERUS/patient00001/study1_positive/image1.png`), **class folders** "
        "(`train/negative/…`, `train/positive/…`), and a **`dataset.csv`** beside `images/`, as FracAtlas has it.",
        icon=":material/folder_open:",
    )


def no_model_hint() -> None:
    """What to do where there is no model yet."""
    st.info(
        "There is no trained model yet. Train one first; it takes about a minute.", icon=":material/model_training:"
    )
    link("train", "Train a model", ":material/arrow_forward:")


def link(
    page: str, label: str, icon: str, model: str | None = None, *, run: str | None = None, data: str | None = None
) -> None:
    """A link to another page, there to a model, a run or a data set; plain words where a page is run alone."""
    named = {name: value for name, value in {"model": model, "run": run, "data": data}.items() if value}
    try:
        st.page_link(f"pages/{page}.py", label=label, icon=icon, query_params=named or None)
    except StreamlitAPIException:
        st.caption(f"{icon} {label}: on the page {page!r} of the app.")


def escape_markdown(name: str) -> str:
    """A name as it is, where Markdown would take its signs for formatting."""
    seen = re.sub("[\0-\x1f\x7f\u202a-\u202e\u2066-\u2069]", " ", name)
    apart = seen.replace(":material/", ":\u200bmaterial/")  # which would become an icon, whatever stands before it
    return re.sub(r"([\\`*_{}\[\]()#+!|<>~$:-])", r"\\\1", apart)


def format_percent(estimate: dict[str, Any], digits: int = 0) -> str:
    """A share with its 95 % interval: ``81% (76 to 86%)``; ``digits`` behind the point.

    There is no interval where all resamples agree, as they do at 100 %: that is no certainty, and said.
    """
    if estimate["value"] is None:
        return "not defined"
    low, high = estimate["low"], estimate["high"]
    ends = " (no interval)" if low is None else f" ({low * 100:.{digits}f} to {high:.{digits}%})"
    return f"{estimate['value']:.{digits}%}{ends}"


def format_threshold(value: float) -> str:
    """A threshold of 0 to 1 in percent, with more than one decimal where it takes them: ``35.3%``, ``0.04%``."""
    percent = round(100 * value, 6)
    return f"{percent:.1f}%" if percent == round(percent, 1) else f"{percent:.10g}%"


def duration(seconds: float) -> str:
    """Seconds as people say them: ``45 s``, ``3 min 20 s``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def expander(label: str, key: str, icon: str) -> DeltaGenerator:
    """An expander that stays open or folded as it is when its label changes, for example with a count."""
    st.session_state[key] = st.session_state.get(key, False)
    return st.expander(label, icon=icon, key=key, on_change="rerun")


def show_chart(figure: Any, key: str, alt: str) -> None:
    """A Plotly figure as wide as its place, without the tool bar that covers small charts."""
    st.plotly_chart(figure, key=key, alt=alt, config={"displayModeBar": False})
