"""What a run writes into its model's card about the data."""

import numpy as np

from fracture.data.combine import load_combined
from fracture.data.labels.choice import CHOSEN, parse_choice
from fracture.data.labels.columns import parse_columns
from fracture.data.labels.store import choose_columns, choose_labels, choose_patients
from fracture.registry.card import Data
from fracture.training.model_card import describe_data
from tests.support.drawing import draw_classes, draw_mura


def described(root):
    dataset = load_combined(str(root))
    return describe_data(dataset, readable=np.ones(len(dataset.table), bool))


def test_describe_data_records_how_names_of_classes_were_read(tmp_path):
    """The card says which classes were negative, positive and left out, on whose word, and the pattern for patients."""
    root = draw_classes(tmp_path / "set", "A", "B", "C")
    choose_labels(root, parse_choice(["negative=A", "positive=B", "ignore=C"]))
    choose_patients(root, "image{patient}")
    document = described(root)
    names = {"data": "set", "negative": ["A"], "positive": ["B"], "ignore": ["C"], "origin": CHOSEN}
    assert document["label_mappings"] == [names]
    assert document["patient_pattern"] == "image{patient}"
    read = Data.model_validate(document)
    assert read.label_mappings[0].ignore == ["C"]


def test_describe_data_records_the_columns_of_a_table(tmp_path):
    """The card says which table was read, and which of its columns."""
    root = draw_classes(tmp_path / "set", "xrays")
    (root / "list.csv").write_text("file,kind\nimage0,a\nimage1,b\n")
    columns = parse_columns(["image=file", "label=kind"])
    choose_columns(root, columns, parse_choice(["negative=a", "positive=b"]))
    document = described(root)
    assert document["columns"] == {"file": "list.csv", "image": "file", "label": "kind"}
    assert Data.model_validate(document).columns == document["columns"]


def test_describe_data_of_mura_stays_as_it_was(tmp_path):
    """Where the layout says what its labels are, the card has no such keys."""
    document = described(draw_mura(tmp_path, 4, 2))
    assert not {"label_mappings", "patient_pattern", "columns"} & set(document)
