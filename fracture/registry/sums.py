"""Whether a model's files are those that its card was written with: a folder may have come from elsewhere.

Nothing in a model folder is run when a model answers: the card is JSON, the graph is LiteRT's, which knows no code
but its own operators, and arrays are read without pickle. A file that was damaged or replaced on its way could
still answer, and wrongly.
"""

from typing import Any

from fracture.errors import ModelError
from fracture.files import file_sha256
from fracture.registry.model_folder import ModelFolder


def sums(folder: ModelFolder) -> dict[str, str]:
    """The sha256 of each file that decides what the model answers, by its name, for the card."""
    return {path.name: file_sha256(path) for path in (folder.served_model, folder.familiarity) if path.exists()}


def check_files(folder: ModelFolder, card: dict[str, Any]) -> None:
    """Compare the files that are there with the card; one that was written without sums vouches for none.

    Raises:
        ModelError: a file is another than the card's.
    """
    told = card.get("files", {})
    if other := [name for name, sum_ in sums(folder).items() if name in told and told[name] != sum_]:
        raise ModelError(
            f"{folder.name}/{other[0]} is not the file that the model's card was written with: it was damaged or "
            "replaced. Copy the whole folder again, or train the model again."
        )
