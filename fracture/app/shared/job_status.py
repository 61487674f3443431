"""How the job that fills a data set's folder stands, an import or a phantom job, and the buttons that control it."""

from contextlib import suppress
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import StreamlitSecretNotFoundError

from fracture.app.shared import state
from fracture.app.shared.dialogs import any_open
from fracture.app.shared.state import policy
from fracture.app.shared.widgets import escape_markdown, may_change, show_errors
from fracture.formatting import format_bytes, format_duration
from fracture.importers import job as imports
from fracture.importers.download import Progress
from fracture.importers.job import Import, find_import
from fracture.importers.kaggle_credentials import Credentials, from_secrets
from fracture.paths import typed_path
from fracture.phantoms import job as phantoms
from fracture.phantoms.job import PhantomJob, find_phantom_job

Job = Import | PhantomJob

FULL_PAGE = 24
"""Images. A page with fewer of them shows new ones by itself; with more, they would move what somebody looks at."""


def find_job(root: Path) -> Job | None:
    """The job that fills a folder, or has filled it; None for other folders."""
    return find_import(root) or find_phantom_job(root)


def follow_job(root: str, browsing: bool = False) -> Job | None:
    """Show how the job of a data set stands, live while it works, and return it; None for other data sets.

    With ``browsing`` the page shows the images, and offers to show those that have come since; of a job that is
    complete it says nothing, since the images are seen, unless the visitor saw it at work: then the words stay where
    the progress was until they are closed, so that nothing moves by itself.
    """
    with suppress(ValueError):  # no path at all: reading the data set will say so
        job = find_job(typed_path(root))
        if job is not None and job.active and browsing:
            state.FOLLOWED_JOB.set(str(job.root))
        is_known = job is not None and job.state == "complete" and (browsing or isinstance(job, Import))
        if job is not None and not is_known:
            # Made here and not by a decorator: how often it repeats itself depends on the job.
            st.fragment(_live, run_every=_seconds_between_looks(job))(job, browsing)
        elif job is not None and browsing and state.FOLLOWED_JOB.get() == str(job.root):
            _show_end(job)
        return job
    return None


def images_ready(job: Job | None) -> bool:
    """Whether the images of a data set can be read; a caption says so while they are still to come."""
    if isinstance(job, Import):
        if job.active:
            st.caption("The images can be used when the import is complete.")
        return not job.active and job.progress.files > 0
    if isinstance(job, PhantomJob):
        if job.active and not job.images:
            st.caption("The first images are being generated.")
        return job.images > 0
    return True


def version(job: Job | None) -> str:
    """A part of the keys of a data set's caches: it changes when a job has brought images that the page is to read."""
    if isinstance(job, Import):
        return f"{job.state} {job.progress.files}"
    if isinstance(job, PhantomJob):
        images = _shown(job) if job.active else job.images
        return f"{job.plan} {job.state} {images}"
    return ""


def progress_words(job: Job) -> str:
    """How far a job is: ``Generating: 12 of 40 patients, about 8 s left``."""
    if isinstance(job, Import):
        return f"Importing: {escape_markdown(_import_words(job.progress))}"
    return f"Generating: {job.done:,} of {job.plan.patients:,} patients{_left(job.seconds_left)}"


def _import_words(progress: Progress) -> str:
    if progress.note:
        return progress.note
    total = "" if progress.total_files is None else f" of {progress.total_files:,}"
    return f"{progress.files:,}{total} files, {format_bytes(progress.bytes)}{_left(progress.seconds_left)}"


def _left(seconds: float | None) -> str:
    return "" if seconds is None else f", about {format_duration(seconds)} left"


def kaggle_credentials() -> Credentials:
    """Those that were typed during this visit, or else those in the app's secrets."""
    if typed := state.KAGGLE_CREDENTIALS.get():
        return Credentials(typed.token, typed.username, typed.key)
    with suppress(StreamlitSecretNotFoundError):  # asking raises where there is no file of them
        return from_secrets(st.secrets)
    return Credentials()


def _seconds_between_looks(job: Job) -> float | None:
    if not job.active:
        return None
    waits_for_first_image = isinstance(job, PhantomJob) and not job.images
    return 0.3 if waits_for_first_image else 1.0


def _live(before: Job, browsing: bool) -> None:
    job = find_job(before.root)
    if job is None:
        st.rerun()
    shown = _shown(before)
    with _box():
        _show(job)
        if job.active:
            if browsing and isinstance(job, PhantomJob):
                _offer_new_images(job, shown)
            _offer_stop(job)
        elif job.state == "interrupted":
            _offer_resume(job)
    # The page as a whole runs when a dialog closes: before that, it would blank the dialog.
    if not any_open() and (job.state != before.state or _fills_page(job, shown)):
        _show_all(job)
        st.rerun()


def _box() -> DeltaGenerator:
    """As high while a job works as after its end, by the button in it."""
    return st.container(border=True, horizontal=True, vertical_alignment="center", key="job")


def _show_end(job: Job) -> None:
    generated = "" if isinstance(job, Import) else f"{job.images:,} images were generated. "
    with _box():
        st.markdown(f":material/check: {generated}{_complete_words(job)}")
        st.button("Close", icon=":material/close:", key="job close", on_click=state.FOLLOWED_JOB.set, args=("",))


def _show(job: Job) -> None:
    if job.active:
        st.progress(job.share, text=progress_words(job))
    elif job.state == "complete":
        st.markdown(f":material/check: {_complete_words(job)}")
    else:
        reason = f" {escape_markdown(job.error)}" if job.error else ""
        st.markdown(f":material/pause: {_interrupted_words(job)}{reason}")


def _complete_words(job: Job) -> str:
    if isinstance(job, Import):
        return "The import is complete."
    plan = job.plan
    words = f"Synthetic: {plan.patients:,} patients, seed {plan.seed}, difficulty {plan.difficulty:g}"
    # Plans from before the share have none.
    return words if plan.hardware_share is None else f"{words}, hardware share {plan.hardware_share:.0%}"


def origin(job: Job | None) -> str:
    """The plan of phantoms that are complete; empty for all other images."""
    if isinstance(job, PhantomJob) and job.state == "complete":
        return _complete_words(job)
    return ""


def _interrupted_words(job: Job) -> str:
    if isinstance(job, PhantomJob):
        return f"Interrupted: {job.done:,} of {job.plan.patients:,} patients are generated."
    total = f" of {job.progress.total_files:,}" if job.progress.total_files else ""
    return f"Interrupted: {job.progress.files:,}{total} files are imported."


def _offer_stop(job: Job) -> None:
    if not may_change(job.root):
        return
    module = imports if isinstance(job, Import) else phantoms
    asked = module.stop_request(job.root).exists()
    words = "Stopping …" if asked else "Stop"
    if st.button(words, icon=":material/stop:", disabled=asked, key="job stop"):
        module.request_stop(job.root, policy())
        st.rerun(scope="fragment")


def _offer_resume(job: Job) -> None:
    if st.button("Resume", icon=":material/play_arrow:", key="job resume"):
        with show_errors():
            if isinstance(job, Import):
                imports.start(job.root, job.order, kaggle_credentials().variables(), policy())
            else:
                phantoms.start(job.root, job.plan, policy())
            st.rerun()


def _offer_new_images(job: PhantomJob, shown: int) -> None:
    new = job.images - shown
    words = f"Show {new:,} new images" if new > 0 else "Show new images"
    if st.button(words, icon=":material/refresh:", disabled=new <= 0, key="show new", width=230):
        _show_all(job)
        st.rerun()


def _fills_page(job: Job, shown: int) -> bool:
    """Whether the page shows so few phantoms that it should show the new ones by itself."""
    if isinstance(job, Import) or not job.active:
        return False
    return shown == 0 < job.images or shown < FULL_PAGE <= job.images


def _shown(job: Job) -> int:
    """How many phantoms the page shows of a job that works: all there are, the first time.

    More than there are were shown of a folder of the same name that has been deleted since.
    """
    if isinstance(job, Import):
        return 0
    shown = state.images_shown(job.root)
    if not 0 < shown.get() <= job.images:
        shown.set(job.images)
    return shown.get()


def _show_all(job: Job) -> None:
    if isinstance(job, PhantomJob):
        state.images_shown(job.root).set(job.images)
