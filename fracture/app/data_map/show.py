"""The map: its settings, the points, and beside them the images of what was selected."""

import streamlit as st

from fracture.app.data_map.colors import colorings, find_predictions
from fracture.app.data_map.gallery import show_selection
from fracture.app.data_map.points import PCA, TSNE, axis_titles, named_points, project
from fracture.app.shared.features.material import Material, with_bench
from fracture.app.shared.frame import presenting
from fracture.app.shared.frame.chart import show_selectable_chart
from fracture.app.shared.widgets import escape_markdown, learn_more
from fracture.experiments.projection import Projection
from fracture.experiments.workbench import Bench

PRESENTED_HEIGHT_PX = 390
"""Of the map in a presentation: with its settings and the line below it, it is seen on a screen of 720 px."""


def show_map(material: Material | None) -> None:
    """The map of the chosen features."""
    if not presenting.is_on():
        _describe_map()
    with_bench(material, _show_map)
    learn_more(
        "learn map",
        "- Each image has 2,048 features: the means of the maps of mixed10. PCA keeps the two directions in which they "
        "vary most; what the rest holds is not seen.\n"
        "- t-SNE keeps neighbors together. The distances between groups, their sizes and their shapes mean little, and "
        "another seed gives another arrangement (van der Maaten and Hinton, JMLR 2008).\n"
        "- Groups that follow the body part, the view or the hardware and not the label show what the network finds "
        "easy: a head may take it for a shortcut.",
    )


@st.fragment
def _show_map(material: Material, bench: Bench) -> None:
    predictions = find_predictions(bench, shipped=material.run is None)
    ways = colorings(bench, predictions)
    left, right = st.columns((3, 2), gap="medium")
    with left:
        with st.container(horizontal=True, vertical_alignment="top"):
            method, seed = _choose_projection()
            way = st.selectbox("Color", list(ways), key=f"map color {' '.join(ways)}", width=170)
        projection = project(material, bench, method, seed)
        figure = ways[way](named_points(projection, bench), axis_titles(projection))
        alt = f"{len(bench.table):,} X-rays on a plane"
        places = show_selectable_chart(figure, f"data map {material.key}", alt, PRESENTED_HEIGHT_PX)
        st.caption(_explain(projection, seed, predictions.model if way in {"Error", "Probability"} else ""))
    with right:
        if presenting.is_on():  # above the map there is no room
            _describe_map()
        show_selection(places, material, bench)


def _describe_map() -> None:
    st.caption("Each point is an X-ray. Points are near each other where the network's features are alike.")


def _choose_projection() -> tuple[str, int]:
    """The method, and the seed of t-SNE."""
    method: str = st.segmented_control(
        "Projection", (PCA, TSNE), default=PCA, required=True, key="map projection", persist_state="session"
    )
    if method == PCA:
        return method, 0
    seed = st.number_input("Seed", 0, 9999, 0, key="map seed", persist_state="session", width=120)
    return method, int(seed)


def _explain(projection: Projection, seed: int, model: str) -> str:
    """How much of the features the map shows, and whose predictions color it."""
    shown = f"t-SNE with seed {seed}; its axes mean nothing."
    if projection.explained is not None:
        shown = f"Both components explain {sum(projection.explained):.0%} of the variance."
    if not model:
        return shown
    return f"{shown} Predictions of {escape_markdown(model)} for the images that it was validated on."
