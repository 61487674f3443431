"""What JSON documents on disk must look like: strict pydantic types, and what is wrong with a document in a sentence.

Damage is refused where a document is read, so that nothing behind it has to expect a text in the place of a number.
Importing pydantic takes a tenth of a second: ``fracture --help`` reads no document and must not import this module.
"""

import reprlib
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from fracture.files import JsonObject

LARGEST = 2**53
"""Up to here floats tell whole numbers apart. Python's integers are unbounded, and converting such a one raises."""

Whole = Annotated[int, Field(gt=-LARGEST, lt=LARGEST, strict=True)]
"""A whole number."""

Finite = Annotated[float, Field(gt=-LARGEST, lt=LARGEST, strict=True)]
"""A number to compute with."""

Number = Annotated[float, Field(strict=True)]
"""A number; what a division by zero gives counts as one."""

Moment = Annotated[float, Field(ge=0, lt=32_503_680_000, strict=True)]
"""Seconds since the epoch, of the years 1970 to 2999."""

LAST_YEAR = 2999
"""Of a :data:`Time`."""


def _check_time(text: str) -> str:
    if text:
        time = datetime.fromisoformat(text)
        if time.tzinfo is None or time.year > LAST_YEAR:
            raise ValueError(f"must have a time zone, and a year up to {LAST_YEAR}")
    return text


Time = Annotated[str, AfterValidator(_check_time)]
"""When something was stored, in ISO 8601; empty before."""

Pair = Annotated[tuple[Finite, Finite], Field(strict=False)]
"""Two numbers. JSON has lists alone, so that a list is let through."""

OPEN = ConfigDict(strict=True, extra="allow")
"""For typed dictionaries: no value is converted, and keys that are not declared are kept as they are."""


class Document(BaseModel):
    """A JSON object. Types are not converted, and keys that are not declared are passed over."""

    model_config = ConfigDict(strict=True, frozen=True)

    def to_json(self) -> JsonObject:
        """The keys that were given a value: former versions take a missing key, but no null in its place."""
        return self.model_dump(exclude_unset=True)


def sentence(error: ValidationError) -> str:
    """The first thing that is wrong with a document: ``labels.1 must be a valid string. Received: 7``."""
    first = error.errors(include_url=False)[0]
    place = ".".join(map(str, first["loc"])) or "it"
    if first["type"] == "missing":
        return f"it lacks {place}"
    words = first["msg"].replace("Input should be", "must be")
    return f"{place} {words}. Received: {reprlib.repr(first['input'])}"
