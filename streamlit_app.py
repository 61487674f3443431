"""The app: ``streamlit run streamlit_app.py``."""

import streamlit as st

from fracture.app.shared import state
from fracture.app.shared.frame import presenting, resume
from fracture.app.shared.frame.frame import framed, menu_position, turn_page
from fracture.app.shared.widgets import address
from fracture.logs import configure_logs

configure_logs()
# Before the navigation, which would otherwise fetch the tab's icon from the internet; the title is the page's, below.
st.set_page_config(page_icon="assets/icon.png", layout="wide")

state.ROUTED.set(True)
resume.arrive()
presenting.follow_address()
menu = {
    "": [
        st.Page("pages/home.py", title="Home", icon=":material/home:", default=True),
        st.Page("pages/data.py", title="Data", icon=":material/photo_library:"),
        st.Page("pages/train.py", title="Train", icon=":material/model_training:"),
        st.Page("pages/classify.py", title="Classify", icon=":material/radiology:"),
        st.Page("pages/models.py", title="Models", icon=":material/inventory_2:"),
        # Not in the menu: the addresses of earlier versions, which lead to today's pages.
        st.Page("pages/dataset.py", title="Data", visibility="hidden"),
        st.Page("pages/runs.py", title="Models", visibility="hidden"),
        st.Page("pages/labs.py", title="Leakage", visibility="hidden"),
    ],
    "Learn": [
        st.Page("pages/lesson.py", title="Lesson", icon=":material/school:"),
        st.Page("pages/quiz.py", title="Quiz", icon=":material/quiz:"),
        st.Page("pages/vote.py", title="Class vote", icon=":material/how_to_vote:"),
        st.Page("pages/playground.py", title="Playground", icon=":material/tune:"),
        st.Page("pages/leakage.py", title="Leakage", icon=":material/call_split:"),
        st.Page("pages/shortcuts.py", title="Shortcuts", icon=":material/hide_image:"),
        st.Page("pages/inside.py", title="Inside the network", icon=":material/layers:"),
        st.Page("pages/map.py", title="Data map", icon=":material/scatter_plot:"),
    ],
}
page = st.navigation(menu, position=menu_position())
st.set_page_config(page_title=f"{page.title} · Bone X-ray lab")
if asked := state.REQUESTED_PAGE.pop():
    st.switch_page(f"pages/{asked}.py", query_params=address())
sections = [[each for each in section if each.visibility == "visible"] for section in menu.values()]
turn_page([each for section in sections for each in section])
with framed(page, sections):
    page.run()
