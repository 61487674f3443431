"""The metrics of the shipped humerus model: official, and without four studies that MURA labels wrongly.

    python -m benchmarks.humerus_labels

Computed from the model's recorded predictions for MURA's validation part; no image is needed. The card names the
studies (``label_notes``): they show nails, plates or a prosthesis, which MURA's own definition calls abnormal, and are
labeled normal.
"""

from fracture.estimate import format_number
from fracture.evaluation.metrics import by_study, evaluate
from fracture.registry.model_folder import model_folder, read_card, read_predictions


def main() -> None:
    """Print both tables."""
    folder = model_folder("mura-humerus")
    predictions = read_predictions(folder)
    card = read_card(folder)
    thresholds = card.thresholds
    shows = {note.study: note.shows for note in card.label_notes}
    mislabeled = predictions["study"].isin(list(shows))
    for _, study in by_study(predictions[mislabeled]).iterrows():
        print(f"{study['study']}: {study['probability']:.3f}, labeled {card.labels[study['label']]}")
        print(f"  shows {shows[study['study']]}")
    for title, rows in (
        ("official labels", predictions),
        (f"without the {len(shows)} studies", predictions[~mislabeled]),
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
