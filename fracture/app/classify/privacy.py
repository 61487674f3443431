"""What uploads may tell of a patient: files of one study, which can be joined, and text in pictures.

Studies are compared by hashes, salted for this visit: what a file says of its study is neither shown nor stored.
"""

from collections.abc import Mapping

import streamlit as st

from fracture.app.shared import state
from fracture.app.shared.dataset_cache import HashFuncs
from fracture.app.shared.prediction_cache import Examined
from fracture.app.shared.uploads import Upload
from fracture.app.shared.widgets import escape_markdown
from fracture.imaging.privacy import declares_text, hash_study, seems_to_have_text
from fracture.paths import sanitize_name


def _source(upload: Upload) -> str:
    return upload.source


def _version(upload: Upload) -> str:
    return upload.version


_BY_SOURCE: HashFuncs = {Upload: _source}
_BY_VERSION: HashFuncs = {Upload: _version}


def propose_studies(uploads: list[Upload]) -> list[list[Upload]]:
    """The uploads, each by itself, or joined to studies where the visitor wants it and the files say so."""
    by_study: dict[str, list[Upload]] = {}
    for number, upload in enumerate(uploads):
        # Under its number: a file that names no study is one by itself.
        study = _hash_study(upload) or str(number)
        by_study.setdefault(study, []).append(upload)
    if len(by_study) == len(uploads):
        return [[upload] for upload in uploads]
    is_joined = state.JOINED_STUDIES.get()
    _offer_joining(len(uploads), by_study, is_joined)
    return list(by_study.values()) if is_joined else [[upload] for upload in uploads]


def _offer_joining(count: int, by_study: Mapping[str, list[Upload]], is_joined: bool) -> None:
    joined = [len(views) for views in by_study.values() if len(views) > 1]
    studies = "one study" if len(joined) == 1 else f"{len(joined)} studies"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f":material/folder_shared: {sum(joined)} of {count} files say that they are views of {studies}.",
            width="content",
        )
        st.button(
            "Separate views" if is_joined else "Join views",
            icon=":material/call_split:" if is_joined else ":material/merge:",
            key="join studies",
            help="Joined, a study gets one answer: the mean over its views.",
            on_click=state.JOINED_STUDIES.set,
            args=(not is_joined,),
        )


def warn_of_text(examined: Mapping[Upload, Mapping[str, Examined]]) -> None:
    """One line for the uploads whose pictures have text in them, or say so."""
    names = [
        escape_markdown(sanitize_name(upload.name))
        for upload, by_model in examined.items()
        if _has_text(upload, next(iter(by_model.values())))
    ]
    if names:
        st.caption(
            f":material/privacy_tip: There seems to be text in the picture of {', '.join(names)}. "
            "Make sure that it names no patient before you share it."
        )


@st.cache_data(max_entries=200, scope="session", show_spinner=False, hash_funcs=_BY_SOURCE)
def _hash_study(upload: Upload) -> str:
    return hash_study(upload.data, state.study_salt())


@st.cache_data(max_entries=200, scope="session", show_spinner=False, hash_funcs=_BY_VERSION)
def _has_text(upload: Upload, _examined: Examined) -> bool:
    return declares_text(upload.data) or seems_to_have_text(_examined.pixels)
