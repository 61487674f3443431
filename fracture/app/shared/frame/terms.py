"""The terms that a page uses, explained one click away."""

from collections.abc import Mapping, Sequence

import streamlit as st

from fracture import glossary

PAGE_TERMS: Mapping[str, Sequence[str]] = {
    "home": ("AUC (AUROC)", "Heat map", "Probability", "Radiograph", "Run", "Threshold"),
    "data": ("Decision", "DICOM", "Group", "Label", "Near-duplicate", "Phantom", "Split", "Study", "View"),
    "train": (
        "AUC (AUROC)",
        "Augmentation",
        "Backbone",
        "Batch",
        "Class weight",
        "Confusion matrix",
        "Dropout",
        "Early stopping",
        "Epoch",
        "Fine-tuning",
        "Head",
        "Learning rate",
        "Loss",
        "Preset",
        "Seed",
        "Selection images",
        "Validation images",
    ),
    "classify": (
        "Calibration",
        "Heat map",
        "Out of distribution",
        "Probability",
        "Sensitivity",
        "Specificity",
        "Study",
        "Threshold",
        "View",
    ),
    "models": (
        "AUC (AUROC)",
        "Calibration",
        "Card",
        "Cohen's kappa",
        "Confusion matrix",
        "Operating point",
        "Out of distribution",
        "Predictive values (PPV, NPV)",
        "Reliability diagram",
        "ROC curve",
        "Sensitivity",
        "Significant",
        "Specificity",
        "Temperature",
        "Threshold",
    ),
    "lesson": ("AUC (AUROC)", "Data leakage", "Head", "Learning rate", "Sensitivity", "Specificity", "Threshold"),
    "quiz": ("Cohen's kappa", "Heat map", "Label", "Probability", "Sensitivity", "Specificity", "Threshold"),
    "playground": ("Backbone", "Dropout", "Epoch", "Features", "Head", "Hyperparameter", "Learning curve", "Seed"),
    "leakage": ("AUC (AUROC)", "Data leakage", "Features", "Group", "Seed", "Split"),
    "inside": ("Channel", "Class-activation map (CAM)", "Feature map", "Head", "Heat map", "Logit", "Occlusion"),
    "map": ("Body part", "Features", "Principal components (PCA)", "Seed", "Split", "t-SNE", "View"),
    "shortcuts": ("Ablation", "Features", "Heat map", "Occlusion", "Seed", "Shortcut"),
    "vote": ("Heat map", "Phantom", "Probability", "ROC curve", "Sensitivity", "Specificity", "Threshold"),
}
"""By the page's address. Each term stands in the words of that page."""


def show_terms(page: str) -> None:
    """A button that explains a page's terms, and all others below them. ``page``: its address."""
    used = PAGE_TERMS.get(page, ())
    with st.popover("Terms", icon=":material/menu_book:", type="tertiary", key="terms"):
        st.markdown(_describe(used))
        with st.expander("All terms", type="compact", key="all terms"):
            st.markdown(_describe(tuple(glossary.terms())))


def _describe(names: Sequence[str]) -> str:
    """A paragraph for each term, in Markdown."""
    return "\n\n".join(f"**{name}** · {glossary.meaning(name)}" for name in names)
