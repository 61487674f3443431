"""Classify X-rays by a model: samples, or uploads, each by itself or as the views of one study."""

import streamlit as st

from fracture.app.classify.answering import Asked
from fracture.app.classify.asking import describe_choice, describe_models, read_links, show_sample, show_uploads
from fracture.app.classify.result import make_stage
from fracture.app.classify.samples import choose_sample, read_sample
from fracture.app.classify.viewing import show_open_viewer
from fracture.app.shared import prediction_cache
from fracture.app.shared.frame import presenting
from fracture.app.shared.uploads import PRESENTED_UPLOADER_WIDTH_PX, UPLOADER_WIDTH_PX, choose_uploads
from fracture.app.shared.widgets import choose_models, ensure_routed, no_model_hint, show_errors
from fracture.inference.classifier import NOTICE
from fracture.sample_radiographs import CREDIT

ensure_routed("classify")
with st.container(horizontal=True, vertical_alignment="center"):
    st.title("Classify", anchor=False, width="content")
    folders = choose_models()
    uploader = st.container(width=PRESENTED_UPLOADER_WIDTH_PX if presenting.is_on() else UPLOADER_WIDTH_PX)
    strip = st.container()
if not folders:
    no_model_hint()
    st.stop()
with show_errors():
    asked = [Asked(folder, prediction_cache.adjusted_classifier(folder)) for folder in folders]
    stage = make_stage()
    read_links()
    with uploader:
        # Each model's answers are cached: with more, every click would classify all files again.
        uploads = choose_uploads(prediction_cache.MAX_EXAMINED // len(asked), stage.controls)
    if not uploads:
        prediction_cache.forget_uploads()
    sample = read_sample([each.classifier for each in asked])
    idle = sample is None and not uploads
    with stage.picture if idle else strip:
        choose_sample(wide=idle)
    if sample is not None:
        show_sample(sample, asked, stage, back=bool(uploads))
    elif uploads:
        show_uploads(uploads, asked, stage)
        show_open_viewer(uploads)
    else:
        describe_choice(asked, stage)
    describe_models(asked, stage)
st.caption(f"Samples: {CREDIT}, and synthetic X-rays. {NOTICE}")
