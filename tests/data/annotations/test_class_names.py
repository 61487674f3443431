"""The names of YOLO's classes."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fracture.data.annotations.class_names import MAX_NAMES, MAX_NAMES_BYTES, class_names, names_in_yaml
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
        "names: ['fracture', # not old\n\n  'soft\n  tissue', ]\n",
        "all: &all [fracture, soft tissue]\nnames: *all\n",
        "names: !!python/tuple [fracture, soft tissue]\n",
    ],
)
def test_names_in_yaml_of_each_spelling(text):
    """Lists and tables, in one line or several, with comments and quotes, as the usual tools write them."""
    assert names_in_yaml(text) == NAMES


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("names: ['Colles'' fracture', metal]", {0: "Colles' fracture", 1: "metal"}),
        ("names: ['', 'fracture']", {1: "fracture"}),
        ("names: [text, '  ', 'fracture']", {0: "text", 2: "fracture"}),
        ("names:\n-\n- fracture\n", {1: "fracture"}),
        ("names: [text, # fracture, old\n  metal,\n  fracture]", {0: "text", 1: "metal", 2: "fracture"}),
        ("names:\n# first\n- 'a\n  b'\n- fracture\n", {0: "a b", 1: "fracture"}),
        ("names: ['a, b', '0']", {0: "a, b", 1: "0"}),
        ("names: [no, 1.0, 2020-13-45]", {0: "no", 1: "1.0", 2: "2020-13-45"}),
        ("names:\n  3: fracture\n", {3: "fracture"}),
        ("names:\n", {}),
        ("train: images\nclass_names: [a]\n", {}),
    ],
)
def test_names_in_yaml_keep_their_numbers(text, names):
    """No quote, comment, line break or empty place gives a class the number, and so the boxes, of another one."""
    assert names_in_yaml(text) == names


def test_empty_lines_of_a_list_keep_their_numbers(tmp_path):
    """A blank line in classes.txt is a class without a name, not the end of the count."""
    (tmp_path / "classes.txt").write_text("text\n\nfracture\n\n")
    assert class_names(tmp_path, ["classes.txt"]) == ({0: "text", 2: "fracture"}, "classes.txt")


def test_outermost_list_of_names_counts(tmp_path):
    """data.yaml at the top goes before classes.txt among the labels; other texts are no lists."""
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "classes.txt").write_text("one\ntwo\n")
    (tmp_path / "notes.txt").write_text("hello\n")
    others = ["labels/classes.txt", "notes.txt"]
    assert class_names(tmp_path, others) == ({0: "one", 1: "two"}, "labels/classes.txt")
    (tmp_path / "data.yaml").write_text("names: [fracture]\n")
    assert class_names(tmp_path, [*others, "data.yaml"]) == ({0: "fracture"}, "data.yaml")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe\xff", "UTF-8"),
        (b"a\n" * MAX_NAMES_BYTES, "may have 64.0 kB"),
        (b"a\n" * (MAX_NAMES + 1), "may have 5,000 names. Received: 5,001"),
    ],
)
def test_list_of_names_that_cannot_be_used_is_refused(tmp_path, content, message):
    """A file that is no text, or far too large, is a sentence."""
    (tmp_path / "classes.txt").write_bytes(content)
    with pytest.raises(DatasetError, match=f"classes.txt, which may name the classes of boxes, .*{message}"):
        class_names(tmp_path, ["classes.txt"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("names: [fracture\n", "must be YAML. Received, in line 2"),
        ("names:\n\t- fracture\n", "must be YAML. Received, in line 2"),
        ("names: [*gone]", "undefined alias"),
        ("names: \0", "must be YAML. Received: unacceptable character"),
        ("[" * 50_000, "must be YAML. Received: too many nested lists"),
        ("{" * 50_000, "must be YAML. Received: too many nested lists"),
        ("- fracture\n", "must be a table"),
        ("", "must be a table"),
        ("names: fracture", "must have a list, or a table"),
        ("names: {fracture: 0}", "must have a list, or a table"),
        ("names: {-1: fracture}", "must have a list, or a table"),
        ("names: {[1]: fracture}", "must be YAML"),
        ("names: [[fracture]]", "must have texts"),
        ("names: {0: {name: fracture}}", "must have texts"),
        (f"names: [{'a' * 201}]", "must have texts of at most 200"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nnames: [*b, *b]\n", "must have texts"),
        ("names: [&a x" + ", *a" * MAX_NAMES + "]", "may have 5,000 names. Received: 5,001"),
    ],
)
def test_yaml_that_cannot_be_used_is_refused(tmp_path, text, message):
    """Damage, another content and thousands of aliases are one sentence, with the file and what to do."""
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(DatasetError) as caught:
        class_names(tmp_path, ["data.yaml"])
    assert message in str(caught.value) and str(caught.value).endswith("; correct it, or move it out of the data set.")


@pytest.mark.parametrize("around", ["names:{}b", "names: [{}]", "names: [a{}]", "names:\n- a{}b\n", "{}"])
@pytest.mark.parametrize("filling", [" ", "\n", "\t", "#", "'"])
def test_sixty_kilobytes_are_read_or_refused_in_a_second(around, filling):
    """No filling makes the server wait, as regular expressions that backtrack did."""
    text = around.format(filling * 60_000)
    start = time.process_time()
    try:
        names_in_yaml(text)
    except ValueError as error:
        assert "must " in str(error)
    assert time.process_time() - start < 1


@settings(deadline=None)
@given(st.text(alphabet="names:[]{}'\"-0123456789, \n#ab\\&*!|>?%@") | st.text())
def test_names_in_any_text_are_names(text):
    """Whatever a text holds, what comes out are numbers and names, or a sentence."""
    try:
        names = names_in_yaml("names:" + text)
    except ValueError as error:
        assert "must " in str(error)
        return
    assert all(number >= 0 and name for number, name in names.items())
