"""The points of the map: computed once for all visitors, since the same features give the same map."""

import pandas as pd
import streamlit as st

from fracture.app.shared.features.material import Material
from fracture.experiments.projection import Projection, project_pca, project_tsne
from fracture.experiments.workbench import Bench

PCA = "PCA"

TSNE = "t-SNE"


def project(material: Material, bench: Bench, method: str, seed: int) -> Projection:
    """The images of a bench on a plane. Raises DatasetError where they are too few or too many."""
    key = material.results_key(bench)
    if method == PCA:
        return _pca(key, bench)
    with st.spinner(f"Arranging {len(bench.table):,} images by t-SNE, seed {seed}", show_time=True):
        return _tsne(key, seed, bench)


@st.cache_resource(max_entries=8, ttl="1h", show_spinner="Projecting the features")
def _pca(key: str, _bench: Bench) -> Projection:  # noqa: ARG001  part of the key
    return project_pca(_bench.features)


@st.cache_resource(max_entries=16, ttl="1h", show_spinner=False)
def _tsne(key: str, seed: int, _bench: Bench) -> Projection:  # noqa: ARG001  part of the key
    return project_tsne(_bench.features, seed)


def named_points(projection: Projection, bench: Bench) -> pd.DataFrame:
    """The points with the images' names, as the charts take them."""
    x, y = projection.points.T
    return pd.DataFrame({"x": x, "y": y, "name": bench.table["image_id"]})


def axis_titles(projection: Projection) -> tuple[str, str]:
    """What the axes stand for; those of t-SNE for nothing."""
    if projection.explained is None:
        return "t-SNE 1", "t-SNE 2"
    first, second = projection.explained
    return f"Component 1 ({first:.0%} of the variance)", f"Component 2 ({second:.0%})"
