"""The options of ``POST /api/classify``: those of ``fracture classify``, under the same names."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fracture.api.refusals import RefusalError
from fracture.inference.batch.asking import AUTOMATIC
from fracture.paths import sanitize_name

FILES = "files"
"""The field of the uploaded files."""

ALLOWED = {
    "model": "the name of a model",
    "frame": "a whole number from 1",
    "threshold": "0 to 1",
}
"""What an option may be, in words; the others are true or false."""


class Options(BaseModel):
    """How the files of a request are classified."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(AUTOMATIC, description="a model's name; automatic: the model that knows each image best")
    study: bool = Field(False, description="the files are the views of one study")
    frame: int = Field(1, ge=1, description="of DICOM files with several, from 1")
    invert: bool = Field(False, description="black becomes white: for dark bones on a light ground")
    threshold: float | None = Field(
        None, ge=0, le=1, description="a probability at or above it is positive; else the card's thresholds"
    )
    all_models: bool = Field(False, description="where models are equally close, the answers of both")
    answer_unlike: bool = Field(False, description="also answer radiographs unlike the model's training images")


def read_options(fields: Mapping[str, str]) -> Options:
    """The options in the fields of a form. Raises RefusalError for an unknown field or a value out of its range."""
    try:
        return Options.model_validate(fields)
    except ValidationError as error:
        raise RefusalError(_sentence(str(error.errors()[0]["loc"][0]), fields)) from error


def _sentence(name: str, fields: Mapping[str, str]) -> str:
    if name not in Options.model_fields:
        known = ", ".join([FILES, *Options.model_fields])
        return f"The fields of a request are {known}. Received: {sanitize_name(name)!r}; leave it out."
    return f"{name} must be {ALLOWED.get(name, 'true or false')}. Received: {sanitize_name(fields[name])!r}."
