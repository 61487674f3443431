"""The CSV files of a data set, and which of their columns may hold the images, labels and more.

A guess is only where a form begins, unless one table and one column for each role are possible.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pandas as pd

from fracture.data.labels.columns import FORM, ROLES, ColumnsChoice
from fracture.data.labels.words import class_of, weak_class_of, words_of
from fracture.data.layouts import TABLES
from fracture.data.splits import split_of
from fracture.data.tables.csv_file import path_below, read_csv
from fracture.errors import ColumnsError, DatasetError
from fracture.paths import sanitize_name

MAX_TABLES = 20
"""CSV files of a data set that are looked into, those in the outer folders first."""

MAX_TOTAL_BYTES = 100 * 2**20
"""Of the tables that are looked into, all together: they are held in memory."""

MAX_DEPTH = 2
"""Folders between that of the data set and a table."""

MAX_CLASSES = 40
"""A column with more values is no label."""

MAX_LOOKED_AT = 5_000
"""Rows by which columns are guessed."""

MIN_SHARE = 0.5
"""Of the values in a column that must be names of images, for it to be offered first."""

CERTAIN_SHARE = 0.95
"""The same, for it to be used without asking."""

_LABEL_WORDS = {
    *("label", "labels", "class", "classes", "classification", "target", "diagnosis", "category", "truth"),
    *("fracture", "fractured", "abnormal", "finding", "findings", "result", "outcome", "pathology"),
    *(
        "diagnose",
        "befund",
        "klasse",
        "fraktur",
        "diagnostic",
        "classe",
        "diagnostico",
        "clase",
        "etiqueta",
        "fractura",
    ),
    *("rotulo", "fratura", "diagnosi", "etichetta", "frattura"),
}
_PATIENT_WORDS = {
    *("patient", "patients", "patientid", "patientnr", "pid", "subject", "subjectid", "person", "paciente", "paziente"),
}
_STUDY_WORDS = {
    "study",
    "studyid",
    "exam",
    "examination",
    "accession",
    "studie",
    "etude",
    "estudio",
    "estudo",
    "studio",
}
_OF_THE_PERSON = {
    *("age", "sex", "gender", "weight", "height", "position", "date", "time", "name", "birth", "description", "type"),
    *("alter", "geschlecht", "sexe", "sexo", "sesso", "count", "number", "size", "orientation"),
}
"""Words of columns such as ``patient_age``, which do not say who or which."""

_BODY_PART_NAMES = {
    "body_part",
    "bodypart",
    "body part",
    "region",
    "body_region",
    "anatomy",
    "part",
    "bodypartexamined",
}


class Table(NamedTuple):
    """A CSV file of a data set."""

    file: str
    """Its path from the data set's folder."""
    rows: pd.DataFrame
    candidates: Mapping[str, Sequence[str]]
    """The columns that may hold each of :data:`fracture.data.labels.columns.ROLES`, the likeliest first."""
    shares: Mapping[str, float]
    """The share of the values in each column that are names of images of the data set."""

    @property
    def share(self) -> float:
        """That of the likeliest column of images; 0 where there is none."""
        images = self.candidates["image"]
        return self.shares[images[0]] if images else 0.0

    def guess(self) -> dict[str, str]:
        """The likeliest column for each role that has any."""
        return {role: columns[0] for role, columns in self.candidates.items() if columns}


def find_tables(root: Path, images: Sequence[str], others: Iterable[str]) -> list[Table]:
    """The CSV files of a data set, those that name most of its images first. What is no table is left out.

    Args:
        root: the folder of the data set.
        images: the paths of its images from there.
        others: the paths of its other files.
    """
    files = [path for path in others if path.lower().endswith(TABLES) and path.count("/") <= MAX_DEPTH]
    files.sort(key=lambda path: (path.count("/"), path))
    if not files:
        return []
    names = names_of(images)
    within = _within(root, files[:MAX_TABLES], MAX_TOTAL_BYTES)
    read = [table for file in within if (table := _table(root, file, names)) is not None]
    return sorted(read, key=lambda table: -table.share)


def _within(root: Path, files: Sequence[str], room: int) -> list[str]:
    """The first files that have no more bytes together."""
    kept = []
    for file in files:
        with suppress(OSError):
            room -= (root / file).stat().st_size
            if room >= 0:
                kept.append(file)
    return kept


def names_of(images: Iterable[str]) -> set[str]:
    """The names of images, without their folders, with and without their endings."""
    names = {path.rpartition("/")[2] for path in images}
    return names | {PurePosixPath(name).stem for name in names}


def sure_columns(tables: Sequence[Table]) -> ColumnsChoice | None:
    """The columns of the only table that names the images, where no role has two candidates; None otherwise."""
    naming = [table for table in tables if table.share >= MIN_SHARE]
    if len(naming) != 1 or naming[0].share < CERTAIN_SHARE:
        return None
    (table,) = naming
    several = any(len(columns) > 1 for columns in table.candidates.values())
    guess = table.guess()
    if several or not {"image", "label"} <= set(guess) or len(set(guess.values())) < len(guess):
        return None
    return ColumnsChoice(file=table.file, **guess)


def with_file(columns: ColumnsChoice, tables: Sequence[Table]) -> ColumnsChoice:
    """A choice of columns with its file. Raises ColumnsError where it names none and several could be meant."""
    if columns.file:
        return columns
    wanted = set(columns.column_of().values())
    having = [table.file for table in tables if wanted <= {str(name).strip() for name in table.rows.columns}]
    if len(having) == 1:
        return columns.model_copy(update={"file": having[0]})
    found = ", ".join(having or [table.file for table in tables]) or "no CSV file"
    said = "must be named by file=" if having else f"must have the columns {', '.join(sorted(wanted))}"
    raise ColumnsError(f"The table {said}. Received: {found}")


def unknown_columns(root: Path, tables: Sequence[Table]) -> ColumnsError:
    """The error for tables whose columns could be read in several ways, or in none."""
    first = tables[0]
    names = sanitize_name(", ".join(first.rows.columns))
    return ColumnsError(
        f"In {root}, it must be known which columns of a table hold the images' files and the labels. "
        f"{first.file} has the columns {names}; say which is which with --columns {FORM}, or on the page Data."
    )


def _table(root: Path, file: str, names: set[str]) -> Table | None:
    """A file with its candidates; None for one that is no table."""
    try:
        rows = read_csv(root / file)
    except DatasetError:
        return None
    if rows.empty:
        return None
    rows = rows.set_axis([str(name) for name in rows.columns], axis="columns")
    looked_at = rows.head(MAX_LOOKED_AT)
    shares = {name: _share(looked_at[name], names) for name in rows.columns}
    naming = [name for name in shares if shares[name] >= MIN_SHARE and _differs(looked_at[name])]
    images = sorted(naming, key=lambda name: -shares[name])
    others = [name for name in rows.columns if name not in images]
    candidates = {"image": images, "label": _labels(looked_at, others)}
    taken = candidates["label"]
    for role, fits in _FITS.items():
        candidates[role] = [name for name in others if name not in taken and fits(name, looked_at[name])]
    return Table(file, rows, candidates, shares)


def _share(values: "pd.Series[str]", names: set[str]) -> float:
    """The share of the values that are names of images, with or without folder and ending."""
    given = values[values != ""]
    found = [path_below(value).rpartition("/")[2] in names for value in given]
    return sum(found) / len(found) if found else 0.0


def _differs(values: "pd.Series[str]") -> bool:
    """Whether a column has many values: where images are called 0.png and 1.png, those of a label are names, too."""
    return values.nunique() > min(MAX_CLASSES, len(values) / 2)


def _labels(rows: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """The columns that may be the label: by their names, or else by their values."""
    few = [name for name in columns if 1 < rows[name].nunique() <= MAX_CLASSES]
    # Of "No finding", 1 means that nothing was found: only a person should choose it.
    named = [name for name in few if _is_named(name, _LABEL_WORDS) and class_of(name) != 0]
    known = [name for name in few if _says_both(rows[name], class_of)]
    answers = [name for name in named if _says_both(rows[name], weak_class_of)]
    # A name and known values say most, then values that are words for classes.
    likeliest = [*(name for name in named if name in known), *answers]
    return list(dict.fromkeys([*likeliest, *named])) or known


def _says_both(values: "pd.Series[str]", label_of: Callable[[str], int | None]) -> bool:
    return {0, 1} <= {label_of(value) for value in values.unique()}


def _is_named(name: str, words: set[str]) -> bool:
    stated = set(words_of(name))
    return bool(stated & words) and not stated & _OF_THE_PERSON


def _is_patient(name: str, _values: "pd.Series[str]") -> bool:
    return _is_named(name, _PATIENT_WORDS)


def _is_study(name: str, _values: "pd.Series[str]") -> bool:
    return _is_named(name, _STUDY_WORDS)


def _is_split(_name: str, values: "pd.Series[str]") -> bool:
    given = values[values != ""].unique()
    return 1 < len(given) <= len(ROLES) and all(split_of(value) for value in given)


def _is_body_part(name: str, values: "pd.Series[str]") -> bool:
    return name.strip().lower() in _BODY_PART_NAMES and values.nunique() <= MAX_CLASSES


_FITS: Mapping[str, Callable[[str, "pd.Series[str]"], bool]] = {
    "patient": _is_patient,
    "study": _is_study,
    "split": _is_split,
    "body_part": _is_body_part,
}
"""What the name and the values of a column must be like."""
