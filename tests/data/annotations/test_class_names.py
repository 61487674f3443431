"""The names of YOLO's classes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fracture.data.annotations.class_names import MAX_NAMES_BYTES, class_names, names_in_yaml
from fracture.errors import DatasetError

ULTRALYTICS = """path: ../datasets/bones  # dataset root dir
train: images/train

names:
  0: fracture
  1: soft tissue  # swelling
# download: none
"""
NAMES = {0: "fracture", 1: "soft tissue"}


@pytest.mark.parametrize(
    "text",
    [
        ULTRALYTICS,
        "nc: 2\nnames: ['fracture', \"soft tissue\"]\n\nroboflow:\n  license: CC BY 4.0\n",
        "names: [fracture, soft tissue]  # both\nnc: 2",
        "names:\n- fracture\n- 'soft tissue'\nnc: 2\n",
        "names: {0: fracture, 1: 'soft tissue'}\n",
        "names: [\n  'fracture',\n  'soft tissue'\n]\nnc: 2\n",
    ],
)
def test_names_in_yaml_of_each_spelling(text):
    """Lists and tables, in one line or several, with comments and quotes, as the usual tools write them."""
    assert names_in_yaml(text) == NAMES


def test_names_in_yaml_keep_commas_and_numbers_in_quotes():
    """A name in quotes is one name; numbers need not follow on each other."""
    assert names_in_yaml("names: ['a, b', '0']") == {0: "a, b", 1: "0"}
    assert names_in_yaml("names:\n  3: fracture\n") == {3: "fracture"}
    assert names_in_yaml("train: images\nclass_names: [a]\n") == {}


def test_outermost_list_of_names_counts(tmp_path):
    """data.yaml at the top goes before classes.txt among the labels; other texts are no lists."""
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "classes.txt").write_text("one\n\ntwo\n")
    (tmp_path / "notes.txt").write_text("hello\n")
    others = ["labels/classes.txt", "notes.txt"]
    assert class_names(tmp_path, others) == ({0: "one", 1: "two"}, "labels/classes.txt")
    (tmp_path / "data.yaml").write_text("names: [fracture]\n")
    assert class_names(tmp_path, [*others, "data.yaml"]) == ({0: "fracture"}, "data.yaml")


@pytest.mark.parametrize(
    ("content", "message"), [(b"\xff\xfe\xff", "cannot be read"), (b"a\n" * MAX_NAMES_BYTES, "may")]
)
def test_list_of_names_that_cannot_be_used_is_refused(tmp_path, content, message):
    """A file that is no text, or far too large, is a sentence."""
    (tmp_path / "classes.txt").write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        class_names(tmp_path, ["classes.txt"])


@given(st.text(alphabet="names:[]{}'\"-0123456789, \n#ab\\") | st.text())
def test_names_in_any_text_are_names(text):
    """No text is an error or takes long; what comes out are numbers and names."""
    names = names_in_yaml("names:" + text)
    assert all(number >= 0 and name for number, name in names.items())
