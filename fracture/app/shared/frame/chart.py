"""A chart with its downloads: the picture from Plotly's own bar, the numbers below; larger in a presentation."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from fracture.app.shared.frame import presenting

if TYPE_CHECKING:  # a page without a chart doesn't wait for Plotly
    import pandas as pd

    from fracture.charts import VegaChart

_BAR = [["toImage"]]
"""The buttons of Plotly's bar, which the pointer or the focus brings up: only the one that saves the picture."""


def show_chart(figure: Any, key: str, alt: str) -> None:
    """A Plotly figure as wide as its container. It downloads as a PNG file, its numbers as a CSV file."""
    if presenting.is_on():
        from fracture import charts

        st.plotly_chart(charts.enlarge(figure), key=key, alt=alt, config={"displayModeBar": False})
        return
    name = _file_name(alt)
    picture = {"format": "png", "filename": name, "scale": 2}
    config = {"displaylogo": False, "modeBarButtons": _BAR, "toImageButtonOptions": picture}
    with st.container(gap=None, horizontal_alignment="right"):
        st.plotly_chart(_on_the_page(figure), key=key, alt=alt, config=config)
        if figure.data:  # else it shows an image
            _offer_csv(lambda: _to_table(figure), key, name)


def _on_the_page(figure: Any) -> Any:
    """A copy whose ground is the page's, not transparent: a picture saved by night is light on dark everywhere."""
    copied = copy.copy(figure)
    if copied.data:  # an image has a ground of its own
        copied.layout.paper_bgcolor = None
    return copied


def show_selectable_chart(figure: Any, key: str, alt: str, presented_height: int) -> list[int]:
    """The same for a figure whose points a visitor selects by a box or a lasso.

    ``presented_height``: in px, in a presentation.

    Returns the numbers that the selected points carry as their ``customdata``, in ascending order.
    """
    if presenting.is_on():
        from fracture import charts

        figure = charts.enlarge(figure, presented_height)
    name = _file_name(alt)
    config = {
        "displaylogo": False,
        "displayModeBar": True,
        # Each button in a group of its own: Plotly's are 22 px high, and need room around them on a touch screen.
        "modeBarButtons": [["select2d"], ["lasso2d"], ["pan2d"], ["toImage"]],
        "toImageButtonOptions": {"format": "png", "filename": name, "scale": 2},
    }
    with st.container(gap=None, horizontal_alignment="right"):
        drawn = st.plotly_chart(
            _on_the_page(figure), key=key, alt=alt, config=config, on_select="rerun", selection_mode=("box", "lasso")
        )
        if not presenting.is_on():
            _offer_csv(lambda: _to_table(figure), key, name)
    return sorted({int(point["customdata"]) for point in drawn["selection"]["points"]})


def show_vega_chart(shown: VegaChart, alt: str, key: str) -> None:
    """A chart that follows a slider without flicker, see :mod:`fracture.charts.vega`; larger in a presentation.

    Streamlit's own bar saves its picture, and the button below it its numbers.
    """
    from fracture import charts

    if presenting.is_on():
        larger = charts.enlarge_spec(shown)
        st.vega_lite_chart(larger.data, larger.spec, key=key, alt=alt)
        return
    with st.container(gap=None, horizontal_alignment="right"):
        st.vega_lite_chart(shown.data, shown.spec, key=key, alt=alt)
        # Named after the key: the alternative text may say what the slider is set to.
        _offer_csv(lambda: charts.vega_to_table(shown), key, _file_name(key))


def _offer_csv(make_table: Callable[[], pd.DataFrame], key: str, name: str) -> None:
    """A button that downloads a table, which is made at the click."""
    st.download_button(
        "CSV",
        lambda: make_table().to_csv(index=False).encode(),
        f"{name}.csv",
        "text/csv",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
        key=f"csv {key}",
        help="Download the numbers of this chart",
    )


def _to_table(figure: Any) -> pd.DataFrame:
    from fracture import charts

    return charts.to_table(figure)


def _file_name(alt: str) -> str:
    """What a chart shows, as the name of a file without its ending: ``loss-by-epoch``."""
    return re.sub(r"[^\w]+", "-", alt.lower()).strip("-")[:60] or "chart"
