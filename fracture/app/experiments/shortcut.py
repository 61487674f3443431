"""The hardware ablation: a head trained with images of hardware, and one without."""

import streamlit as st

from fracture import charts
from fracture.app.experiments.computed_with import head_settings, show_settings
from fracture.app.experiments.search import with_progress
from fracture.app.shared import state
from fracture.app.shared.features.material import Material, note_choice, with_bench
from fracture.app.shared.metrics import show_table, verdict
from fracture.app.shared.widgets import escape_markdown, expander, learn_more, show_chart, show_errors
from fracture.estimate import Estimate, format_number
from fracture.experiments.shipped.results import shipped_results
from fracture.experiments.shortcut import (
    MIN_IMAGES_PER_LABEL,
    RANDOM_SUBSETS,
    AblationHead,
    compare_trainings,
    due_to_hardware,
    hardware,
    hardware_gap,
    known,
)
from fracture.experiments.workbench import Bench, Rows

Found = tuple[list[AblationHead], Estimate | None, Estimate | None]
"""The heads, the difference that is due to hardware, and how much better hardware is found."""


def show_ablation(material: Material | None) -> None:
    """Heads with hardware, without it, and on random subsets of the same size, validated on the same images."""
    st.header("Hardware ablation")
    st.caption("What does a head learn from plates and nails? It trains with and without the images that show them.")
    with_bench(material, _show_experiment)
    learn_more(
        "learn ablation",
        "- All heads are validated on the same images.\n"
        f"- {RANDOM_SUBSETS} more heads train on random subsets of the same size, from as few patients: they show "
        "how much of the difference comes from having fewer images.\n"
        "- The data set must say which images show hardware; images without that information are left out.",
    )


@st.fragment
def _show_experiment(material: Material, bench: Bench) -> None:
    everything = bench.training & known(bench)
    with_hardware = everything & hardware(bench)
    if not with_hardware.any():
        st.info("This data set does not say which images show hardware.", icon=":material/help:")
        return
    entry = state.experiment("hardware", material.results_key(bench))
    left, right = st.columns((3, 2), gap="medium")
    with right, show_errors():
        if st.button("Show me", type="primary", icon=":material/play_arrow:", key="run hardware"):
            heads = list(with_progress(compare_trainings(bench), 2 + RANDOM_SUBSETS, "Training heads"))
            entry.set((heads, due_to_hardware(bench, heads[1], heads[2:]), hardware_gap(bench, heads[0])))
    found: Found | None = entry.get() or _shipped(material)
    if found is not None:
        heads, difference, metal = found
        with left:
            _show_heads(bench, heads)
        with right:
            _show_gap(metal, escape_markdown(bench.label_names[1]))
            st.markdown(_explain_difference(heads[1], heads[2:], difference))
            # There is no dial for them: they are those of the run with these features.
            show_settings(head_settings(bench.config), [], "Show me")
            note_choice(material)
    with right:
        st.caption(_describe_training(bench, everything, with_hardware))


def _describe_training(bench: Bench, everything: Rows, with_hardware: Rows) -> str:
    label = bench.table["label"]
    positive = escape_markdown(bench.label_names[1])
    share_with = label[with_hardware].mean()
    share_without = label[everything & ~with_hardware].mean()
    return (
        f"{with_hardware.sum():,} of {everything.sum():,} training images show hardware; {share_with:.0%} of them are "
        f"{positive}, and {share_without:.0%} of the others."
    )


def _shipped(material: Material) -> Found | None:
    """What *Show me* gave on the shipped features, which a visitor sees first."""
    results = shipped_results() if material.run is None else None
    return None if results is None else (results.heads(), results.hardware, results.hardware_gap)


def _show_gap(gap: Estimate | None, positive: str) -> None:
    """How much better the head on all images finds hardware than broken bones."""
    if gap is None or gap["value"] is None:
        return
    st.metric("AUC with hardware, against without", f"{gap['value']:+.3f}")
    st.markdown(
        f"How much better the head on all images ranks {positive} images with hardware than those without: "
        f"**{format_number(gap)}**. {verdict(gap)}"
    )


def _show_heads(bench: Bench, heads: list[AblationHead]) -> None:
    everything, without, *subsets = heads
    named = {"All images": everything, "Without hardware": without}
    for number, subset in enumerate(subsets, start=1):
        named[f"Random subset {number}"] = subset
    positive = bench.label_names[1]
    aucs = {
        f"All images, {positive} with hardware": everything.metal,
        **{f"{name}, {positive} without": head.plain for name, head in named.items()},
    }
    shown = {name: auc for name, auc in aucs.items() if auc is not None}
    if shown:
        show_chart(charts.auc_intervals(shown, "AUC by training images"), "ablation aucs", "AUC of each head")
    with expander("All AUCs", "ablation table", ":material/table:"):
        show_table([_row(name, head, positive) for name, head in named.items()])
        st.caption("On the validation images; 95% intervals in brackets, over patients or groups.")


def _row(name: str, head: AblationHead, positive: str) -> dict[str, str]:
    aucs = {
        "AUC, all": head.overall,
        "AUC, images without hardware": head.plain,
        f"AUC, {escape_markdown(positive)} with hardware against all negatives": head.metal,
    }
    too_few = f"fewer than {MIN_IMAGES_PER_LABEL} of a label"
    row = {"Trained on": f"{name} ({head.images:,})"}
    for title, auc in aucs.items():
        row[title] = too_few if auc is None else format_number(auc)
    return row


def _near_chance(head: AblationHead) -> bool:
    low = head.plain["low"] if head.plain else None
    return low is None or low <= 0.5


def _explain_difference(without: AblationHead, subsets: list[AblationHead], found: Estimate | None) -> str:
    """The effect of leaving hardware out, beyond that of having fewer images."""
    if found is None or found["value"] is None:
        return "There are too few validation images without hardware for a comparison."
    if _near_chance(without) and all(map(_near_chance, subsets)):
        return (
            "On images without hardware, neither this head nor the heads on random subsets of the same size are better "
            "than chance, so that the ablation shows nothing about hardware. More images would help, or more positive "
            "images without hardware."
        )
    return (
        "On images without hardware, the AUC of the head without hardware differs from the mean of the random subsets "
        f"of the same size by **{format_number(found)}**. {verdict(found)}"
    )
