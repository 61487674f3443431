"""The metrics of the shipped humerus model: official, and without four studies that MURA labels wrongly.

    python -m benchmarks.humerus_labels

Computed from the model's recorded predictions for MURA's validation part; no image is needed. The four studies show
nails, plates or a prosthesis, which MURA's own definition calls abnormal, and are labeled normal.
"""

from fracture.estimate import format_number
from fracture.evaluation.metrics import evaluate
from fracture.registry.model_folder import model_folder, read_card, read_predictions

MISLABELED = ("patient11676", "patient11671", "patient11339", "patient11675")
"""Their studies have the four highest probabilities of all that are labeled normal."""


def main() -> None:
    """Print both tables."""
    folder = model_folder("mura-humerus")
    predictions = read_predictions(folder)
    thresholds = read_card(folder).thresholds
    for title, rows in (
        ("official labels", predictions),
        ("without the four studies", predictions[~predictions["group"].isin(MISLABELED)]),
    ):
        print(title)
        for level, metrics in evaluate(rows, thresholds).items():
            print(f"  by {level}: {metrics['count']}, AUC {format_number(metrics['auc'])}")
            for point, rates in metrics["points"].items():
                figures = ", ".join(
                    f"{name} {format_number(rates[name])}"
                    for name in ("sensitivity", "specificity", "accuracy", "kappa")
                )
                print(f"    {point}, at {rates['threshold']:.3f}: {figures}")


if __name__ == "__main__":
    main()
