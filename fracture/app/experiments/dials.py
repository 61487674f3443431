"""The dials of the playground: the settings of a head, and the preset behind *Show me*."""

from collections.abc import Sequence

import streamlit as st

from fracture import demo
from fracture.app.shared.widgets import expander
from fracture.experiments.learning_curve import MIN_GROUPS
from fracture.experiments.presets import LOW_RATE
from fracture.experiments.workbench import Bench
from fracture.training.config import TrainConfig, field_title

LEARNING_RATES = tuple(lead * 10.0**power for power in range(-5, 0) for lead in (1, 2, 5))
PENALTIES = (0.0, *(10.0**power for power in range(-6, 0)))
MAX_SLIDER_EPOCHS = 200


def choose_settings(bench: Bench, name: str) -> tuple[TrainConfig, int]:
    """The settings, beginning with those of the run, and the number of training patients or groups."""
    given = bench.config
    _offer_low_rate(given.learning_rate, f"learning rate {name}")
    groups = _choose_patients(bench, name)
    learning_rate = _choose_from(
        field_title("learning_rate"), LEARNING_RATES, given.learning_rate, f"learning rate {name}"
    )
    dropout = st.slider(
        field_title("dropout"), 0.0, 0.95, given.dropout, 0.05, key=f"dropout {name}", persist_state="session"
    )
    most = int(demo.max_value("epochs", max(MAX_SLIDER_EPOCHS, given.epochs)))
    epochs = st.slider(
        field_title("epochs"), 1, most, min(given.epochs, most), key=f"epochs {name}", persist_state="session"
    )
    with expander("More settings", "more settings", ":material/tune:"):
        l2 = _choose_from(field_title("l2"), PENALTIES, given.l2, f"l2 {name}")
        class_weight = st.segmented_control(
            field_title("class_weight"),
            ["none", "balanced"],
            default=given.class_weight,
            required=True,
            key=f"class weight {name}",
            persist_state="session",
        )
        seed = st.number_input("Seed", 0, 2**31, given.seed, key=f"seed {name}", persist_state="session")
    config = given.changed(
        learning_rate=learning_rate,
        dropout=dropout,
        l2=l2,
        class_weight=class_weight,
        epochs=epochs,
        seed=int(seed),
    )
    return config, groups


def _offer_low_rate(given: float, key: str) -> None:
    """The preset: a learning rate with which the head hardly learns."""
    st.button(
        "Show me",
        type="primary",
        icon=":material/play_arrow:",
        key="show low rate",
        on_click=_switch_rate,
        args=(key, _rounded(given)),
        help=f"A learning rate of {LOW_RATE:g}, with which the head hardly learns; a second press goes back.",
    )


def _switch_rate(key: str, given: float) -> None:
    st.session_state[key] = LOW_RATE if st.session_state.get(key) != LOW_RATE else given


def _choose_patients(bench: Bench, name: str) -> int:
    """The number of training patients or groups; all where they are few."""
    total = int(bench.table.loc[bench.training, "group"].nunique())
    if total <= MIN_GROUPS:
        return total
    chosen: int = st.slider(
        "Training patients",
        MIN_GROUPS,
        total,
        total,
        key=f"patients {name}",
        persist_state="session",
        help="A random subset of the patients, or of the groups where the data set names no patients. A smaller "
        "subset is part of each larger one.",
    )
    return chosen


def _choose_from(title: str, scale: Sequence[float], given: float, key: str) -> float:
    """A slider over the values of a scale, with the run's own value among them."""
    options = sorted({_rounded(value) for value in (*scale, given)})
    # Set here and not by the slider: the button *Show me* sets it, too.
    st.session_state.setdefault(key, _rounded(given))
    chosen: float = st.select_slider(
        title, options, format_func=lambda value: f"{value:g}", key=key, persist_state="session"
    )
    return chosen


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
