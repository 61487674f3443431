"""The properties of images that a network could learn in place of the bone, and their values in a data set."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from fracture.imaging.film import WHITE_LEVEL


class Property(NamedTuple):
    """A property of images, and its words."""

    name: str
    """In JSON and as a column."""
    title: str
    more: str = ""
    """Images with a higher value, in words; "" of a category."""
    less: str = ""


NUMBERS = (
    Property("brightness", "Brightness", "brighter images", "darker images"),
    Property("contrast", "Contrast", "images of higher contrast", "images of lower contrast"),
    Property("sharpness", "Sharpness", "sharper images", "blurrier images"),
    Property("width", "Image width", "wider images", "narrower images"),
    Property("height", "Image height", "taller images", "shorter images"),
    Property("aspect", "Aspect", "images that are wide for their height", "images that are tall for their width"),
    Property("file_size", "File size", "images in larger files", "images in smaller files"),
    Property("black_border", "Black border", "images with a wider black border", "images with less black border"),
    Property("white_border", "White border", "images with a wider white border", "images with less white border"),
    Property("light_strip", "Light strip", "images with a wider light strip", "images without a light strip"),
    Property("marks", "Markers", "images with more bright markers", "images with fewer bright markers"),
)
"""Of each the AUC of its value is computed."""

CATEGORIES = (
    Property("file_format", "File format"),
    Property("storage", "Color and bit depth"),
    Property("body_part", "Body part"),
)
"""Of each the AUC of the label's share by category is computed."""


def property_values(table: pd.DataFrame, measurements: pd.DataFrame) -> pd.DataFrame:
    """A row for each image that could be measured: its label and group, and a column a property.

    Args:
        table: of a data set.
        measurements: of its images, as :func:`fracture.data.measurements.measured` gives them; images without any are
            left out.
    """
    images = table.merge(measurements.drop(columns="path"), on="image_id")
    images = images[images["readable"]]
    white = images["margin_level"] > WHITE_LEVEL
    numbers = {
        "brightness": images["mean"],
        "contrast": images["spread"],
        "sharpness": images["sharpness"],
        "width": images["width"],
        "height": images["height"],
        "aspect": images["width"] / images["height"],
        "file_size": images["file_bytes"],
        "black_border": images["margin"].where(~white, 0.0),
        "white_border": images["margin"].where(white, 0.0),
        "light_strip": images["strip"],
        "marks": images["marks"],
    }
    columns = {name: values.astype(np.float64) for name, values in numbers.items()}
    categories = images[[each.name for each in CATEGORIES]]
    return images[["label", "group"]].assign(**columns).join(categories).reset_index(drop=True)
