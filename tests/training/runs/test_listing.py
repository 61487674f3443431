"""The list of models and runs."""

from fracture.training.runs.listing import list_models


def test_damaged_model_is_listed_with_what_is_wrong(make_model):
    """It is not usable; the other one is."""
    good, bad = make_model("good"), make_model("bad")
    bad.card.write_text("{")
    found = {model["name"]: model for model in list_models()}
    assert found[good.name]["usable"] and found[good.name]["error"] is None
    assert not found[bad.name]["usable"] and "bad" in found[bad.name]["error"]
