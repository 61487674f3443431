"""CSV files as tables of texts, within bounds."""

import pytest

from fracture.data.tables import csv_file
from fracture.data.tables.csv_file import MAX_COLUMNS, path_below, read_csv
from fracture.errors import DatasetError


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_read_csv_of_each_spelling_gives_texts(tmp_path, separator, encoding):
    """Separators and encodings of Excel are understood; no text becomes a number or a missing value."""
    file = tmp_path / "a.csv"
    file.write_text(f"größe{separator}id\n007{separator}NA\n{separator}\n", encoding=encoding)
    assert read_csv(file).to_dict("list") == {"größe": ["007", ""], "id": ["NA", ""]}


def test_read_csv_beyond_its_bounds_is_refused(tmp_path, monkeypatch):
    """Very wide and very large tables are a sentence."""
    file = tmp_path / "a.csv"
    file.write_text(";" * MAX_COLUMNS)
    with pytest.raises(DatasetError, match=f"may have {MAX_COLUMNS} columns. Received: {MAX_COLUMNS + 1}"):
        read_csv(file)
    monkeypatch.setattr(csv_file, "MAX_CSV_BYTES", 100)
    with pytest.raises(DatasetError, match="which has more; cut it"):
        read_csv(file)


@pytest.mark.parametrize("content", [b"", b'a,b\n"c', b"\xff\xfe\x00", b"\x80\x81", b"a,b\n1,2,3\n1,2,3,4\n"])
def test_read_csv_of_no_table_is_refused(tmp_path, content):
    """Empty, torn and binary files are named."""
    file = tmp_path / "a.csv"
    file.write_bytes(content)
    with pytest.raises(DatasetError, match=r"a\.csv cannot be read as a table"):
        read_csv(file)


@pytest.mark.parametrize(
    ("name", "below"),
    [
        ("a.png", "a.png"),
        (" images/a.png ", "images/a.png"),
        ("C:\\export\\a.png", "export/a.png"),
        ("../x/./a.png", "x/a.png"),
        ("/kaggle/input/a.png", "kaggle/input/a.png"),
    ],
)
def test_path_below_drops_the_folders_of_another_machine(name, below):
    """What is left is a path below the data set's folder."""
    assert path_below(name) == below
