"""What a JSON document must look like."""

import pytest

from fracture.shapes import Either, finite, flag, maybe, misfit, moment, number, text, whole

ESTIMATE = Either({"value": maybe(finite), "low": None}, {"value": finite, "low": finite})


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ("a", text), (True, flag), (3, whole), (3, finite), (0.5, finite), (float("nan"), number), (1.7e9, moment),
        (None, maybe(text)), ("up", {"up", "down"}), ([1, 2], [whole]), ([], [whole]), (["a", 1], (text, whole)),
        ({"a": 1, "other": []}, {"a": whole, "b?": text}), ({"x": 1, "y": 2}, {text: whole}),
        ({"value": None, "low": None}, ESTIMATE), ({"value": 1, "low": 0}, ESTIMATE),
    ],
)  # fmt: skip
def test_what_fits(value, shape):
    """Values of a shape are let through, and what an object has besides is its own affair."""
    assert misfit(value, shape) is None


@pytest.mark.parametrize(
    ("value", "shape", "words"),
    [
        (1, text, "it must be a text. Received: 1"),
        (True, whole, "it must be a whole number. Received: True"),
        (float("nan"), finite, "it must be a finite number. Received: nan"),
        (10**400, number, "it must be a number. Received: 1"),
        (-1, moment, "it must be a time in seconds since 1970. Received: -1"),
        (["up"], {"up", "down"}, "it must be down or up. Received: ['up']"),
        ({}, {"a": whole, "b?": text}, "it lacks a"),
        ({"a": {"b": [1, "2"]}}, {"a": {"b": [whole]}}, "a.b.1 must be a whole number. Received: '2'"),
        ({"a": {}}, {"a": {"b": whole}}, "a: it lacks b"),
        ([1], (whole, whole), "it must be a list of 2. Received: [1]"),
        ({"x": 1, "y": None}, {text: whole}, "y must be a whole number. Received: None"),
        ({"value": 1, "low": "x"}, ESTIMATE, "low must be a finite number. Received: 'x'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_with_its_place(value, shape, words):
    """What was allowed, where, and what came."""
    assert misfit(value, shape).startswith(words)
