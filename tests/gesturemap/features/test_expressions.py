"""Expressions: NumPy's arithmetic, any blocks the same bits, and nothing but arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gesturemap import Channel, Layout
from gesturemap.errors import FeatureError
from gesturemap.features import FeatureExtractor, FeatureSettings, extract_features
from gesturemap.features.expressions import Expressions, parse_expression
from gesturemap.frame import Array

NAMES = ("a", "b", "c")


def evaluate(text: str, values: Array) -> Array:
    expressions = Expressions({"it": text}, NAMES)
    columns = [NAMES.index(channel) for channel in expressions.channels]
    return expressions.process(values[:, columns])[:, 0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b * 2 - c / 4", lambda a, b, c: a + b * 2 - c / 4),
        ("-(a ** 2) + +b", lambda a, b, c: -(a**2) + b),
        ("hypot(a - b, c)", lambda a, b, c: np.hypot(a - b, c)),
        ("hypot(a, b, c)", lambda a, b, c: np.sqrt(a * a + b * b + c * c)),
        ("min(a, b, c) + max(a, 0)", lambda a, b, c: np.minimum(np.minimum(a, b), c) + np.maximum(a, 0)),
        ("sqrt(abs(a)) * sin(b) + cos(c)", lambda a, b, c: np.sqrt(np.abs(a)) * np.sin(b) + np.cos(c)),
        ("a - 2 * a[-1] + a[-2]", lambda a, b, c: np.concatenate(([0, a[1] - a[0]], np.diff(a, 2)))),
        ("0.5", lambda a, b, c: np.full(len(a), 0.5)),
    ],
)
def test_it_is_numpys_arithmetic(text: str, expected: object) -> None:
    values = np.random.default_rng(0).normal(size=(40, 3))
    np.testing.assert_allclose(evaluate(text, values), expected(*values.T), atol=1e-14)  # type: ignore[operator]


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(0, 70), max_size=12), seed=st.integers(0, 2**32 - 1))
def test_any_blocks_give_the_same_bits(cuts: list[int], seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(70, 3)) * 50.0
    text = {"x": "sin(a) ** 2 + hypot(b[-3], c) ** 1.7", "y": "cos(a * b) / max(c, c[-1], 0.1) - sqrt(abs(b))"}
    whole = Expressions(text, NAMES).process(values)
    expressions = Expressions(text, NAMES)
    blocks = [expressions.process(values[block]) for block in np.split(np.arange(70), sorted(cuts))]
    np.testing.assert_array_equal(np.concatenate(blocks), whole)


def test_what_has_no_value_is_absent() -> None:
    values = np.array([[1.0, 0.0, 4.0], [1.0, 2.0, -4.0], [np.nan, 2.0, 4.0], [1e308, 2.0, 4.0]])
    given = evaluate("a / b + sqrt(c) + a * 10", values)
    assert np.isnan(given).all()
    assert evaluate("9 ** 9 ** 9 + a", values).shape == (4,)  # no big integer is ever made


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a + dd", r"position 5: no channel 'dd'"),
        ("hypt(a, b)", r"position 1: no function 'hypt'; there are: abs, sqrt"),
        ("a + __import__('os')", "position 16: \"'os'\" is not allowed"),
        ("a.real", r"position 1: 'a.real' is not allowed"),
        ("a if b else c", "is not allowed"),
        ("[x for x in a]", "is not allowed"),
        ("(lambda: a)()", "is not allowed"),
        ("a < b", "is not allowed"),
        ("a // b", "is not allowed"),
        ("True + a", "position 1: 'True' is not allowed"),
        ("a[3]", "position 3: '3': expected -1 to -200"),
        ("a[-201]", "expected -1 to -200"),
        ("sqrt(a, b)", "sqrt takes 1 value, 2 found"),
        ("max(a)", "max takes 2 or more values, 1 found"),
        ("max(a, *b)", "is not allowed"),
        ("a +", "at position"),
        ("", "at position"),
        ("-" * 400 + "a", "operations inside each other"),
        ("(" * 400 + "a" + ")" * 400, "parenthes"),
        ("a" * 2000, "1000 at most"),
        ("1" + "0" * 400, "too large"),
        ("a\0b", "null bytes"),
    ],
)
def test_anything_else_is_refused_with_its_position(text: str, message: str) -> None:
    with pytest.raises(FeatureError, match=message):
        parse_expression(text, NAMES)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="abc012.+-*/()[],:'\"_ \n=\\{}lmdxy", max_size=60))
def test_no_text_does_anything_but_parse_or_be_refused(text: str) -> None:
    try:
        expression = parse_expression(text, NAMES)
    except FeatureError:
        return
    assert set(expression.channels) <= set(NAMES)


def test_expressions_are_channels_with_motion_of_their_own() -> None:
    layout = Layout(tuple(Channel(f"{hand}_x", "mm", 0.0, 1.0) for hand in ("left", "right")))
    chosen = FeatureSettings(
        name="apart", channels=(), expressions={"apart": "right_x - left_x"}, motion=("position", "velocity")
    )
    extractor = FeatureExtractor(chosen, layout)
    assert extractor.names == ("apart", "apart_velocity")
    assert extractor.units == ("1", "1/s")
    time_s = np.arange(50) / 100.0
    features = extract_features(chosen, layout, time_s, np.stack([time_s, 4.0 * time_s], axis=1))
    np.testing.assert_allclose(features[5:, 1], 3.0)
    with pytest.raises(FeatureError, match=r"expression 'apart': 'x - y', position 1: no channel 'x'"):
        FeatureExtractor(chosen.model_copy(update={"expressions": {"apart": "x - y"}}), layout)
    with pytest.raises(FeatureError, match="two features called 'left_x'"):
        FeatureExtractor(FeatureSettings(name="twice", expressions={"left_x": "right_x"}), layout)
