"""The list of models and runs."""

from fracture.registry.model_folder import read_card
from fracture.training.runs.listing import list_models


def test_damaged_model_is_listed_with_what_is_wrong(make_model):
    """It is not usable; the other one is."""
    good, bad = make_model("good"), make_model("bad")
    bad.card.write_text("{")
    found = {model["name"]: model for model in list_models()}
    assert found[good.name]["usable"] and found[good.name]["error"] is None
    assert not found[bad.name]["usable"] and "bad" in found[bad.name]["error"]


def test_listed_model_has_its_auc_by_image(make_model):
    """As in earlier versions; the pages show the one by study."""
    metrics = read_card(make_model("m")).metrics
    assert list_models()[0]["auc"] == metrics["image"]["auc"]["value"]
