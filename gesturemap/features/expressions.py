"""Arithmetic over channels, as ``hypot(left_x - right_x, left_y - right_y)`` or ``left_x - left_x[-3]``.

An expression is parsed, checked node by node against what is listed here, and turned into closures: text from a
file is never executed.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gesturemap.errors import FeatureError
from gesturemap.features.windows import History
from gesturemap.frame import Array

Lookup = Callable[[str, int], Array]  # channel and how many frames ago, to (n_frames,)
Term = Callable[[Lookup], Array]

MAX_LENGTH = 1000
MAX_DELAY = 200
MAX_DEPTH = 100  # of brackets and operators: each is a call inside a call on every tick

_OPERATORS: dict[type[ast.operator], Callable[[Array, Array], Array]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.float_power,
}
_SIGNS: dict[type[ast.unaryop], Callable[[Array], Array]] = {ast.USub: np.negative, ast.UAdd: np.positive}
_OF_ONE: dict[str, Callable[[Array], Array]] = {"abs": np.abs, "sqrt": np.sqrt, "sin": np.sin, "cos": np.cos}
_OF_MORE: dict[str, Callable[[Array, Array], Array]] = {"min": np.minimum, "max": np.maximum, "hypot": np.hypot}
FUNCTIONS = (*_OF_ONE, *_OF_MORE)


@dataclass(frozen=True)
class Expression:
    """A checked expression.

    Parameters
    ----------
    channels : names it uses, in the order of their first use.
    delay : how many frames it looks back at most.
    evaluate : from a lookup of channels to (n_frames,) values.
    """

    channels: tuple[str, ...]
    delay: int
    evaluate: Term


def parse_expression(text: str, channels: Sequence[str]) -> Expression:
    """`text` as an expression over `channels`.

    It holds numbers, channel names, ``+ - * / **``, brackets, ``abs sqrt sin cos`` of one, ``min max hypot`` of two
    or more values, and ``name[-k]``, the channel k frames ago.

    Raises
    ------
    FeatureError
        If there is anything else in it; names what, and the position, counted from 1.
    """
    if len(text) > MAX_LENGTH:
        raise FeatureError(f"an expression of {len(text)} characters found, {MAX_LENGTH} at most: split it up")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        raise FeatureError(f"{text!r}: {error.msg} at position {error.offset or 1}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise FeatureError(f"{text!r} is no expression ({error})") from None
    parser = _Parser(text.strip(), channels)
    evaluate = parser.term(tree.body, 0)
    return Expression(tuple(parser.used), parser.delay, evaluate)


class _Parser:
    """One expression on its way from nodes to closures."""

    def __init__(self, text: str, channels: Sequence[str]) -> None:
        self._text, self._channels = text, channels
        self.used: dict[str, None] = {}
        self.delay = 0

    def term(self, node: ast.expr, depth: int) -> Term:
        """The closure of a node; `FeatureError` if it is none that is allowed."""
        if depth > MAX_DEPTH:
            raise self._refuse(node, f"more than {MAX_DEPTH} operations inside each other: split it up")
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return self._number(node, value)
            case ast.Name(id=name):
                return self._channel(node, name, 0)
            case ast.Subscript(value=ast.Name(id=name), slice=index):
                return self._channel(node, name, self._delay(index))
            case ast.UnaryOp(op=sign, operand=operand) if type(sign) in _SIGNS:
                return _apply_one(_SIGNS[type(sign)], self.term(operand, depth + 1))
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
                terms = self.term(left, depth + 1), self.term(right, depth + 1)
                return _apply_two(_OPERATORS[type(operator)], *terms)
            case ast.Call(func=ast.Name(id=name), args=given, keywords=[]):
                return self._call(node, name, [self.term(part, depth + 1) for part in given])
        raise self._refuse(node, f"{ast.unparse(node)!r} is not allowed: use numbers, channels, + - * / **, brackets")

    def _number(self, node: ast.expr, value: float) -> Term:
        try:
            number = np.float64(value)
        except OverflowError:
            raise self._refuse(node, "a number too large") from None
        return lambda lookup: np.asarray(number)

    def _channel(self, node: ast.expr, name: str, delay: int) -> Term:
        if name not in self._channels:
            near = difflib.get_close_matches(name, self._channels, n=1)
            guess = f" (did you mean {near[0]!r}?)" if near else ""
            raise self._refuse(node, f"no channel {name!r}{guess}")
        self.used[name] = None
        self.delay = max(self.delay, delay)
        return lambda lookup: lookup(name, delay)

    def _delay(self, index: ast.expr) -> int:
        match index:
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as frames)) if 0 <= frames <= MAX_DELAY:
                return int(frames)
        raise self._refuse(index, f"{ast.unparse(index)!r}: expected -1 to -{MAX_DELAY}, so many frames ago")

    def _call(self, node: ast.expr, name: str, terms: list[Term]) -> Term:
        if name in _OF_ONE and len(terms) == 1:
            return _apply_one(_OF_ONE[name], terms[0])
        if name in _OF_MORE and len(terms) >= 2:
            result = terms[0]
            for term in terms[1:]:
                result = _apply_two(_OF_MORE[name], result, term)
            return result
        if name in FUNCTIONS:
            expected = "1 value" if name in _OF_ONE else "2 or more values"
            raise self._refuse(node, f"{name} takes {expected}, {len(terms)} found")
        raise self._refuse(node, f"no function {name!r}; there are: {', '.join(FUNCTIONS)}")

    def _refuse(self, node: ast.expr, problem: str) -> FeatureError:
        return FeatureError(f"{self._text!r}, position {node.col_offset + 1}: {problem}")


def _apply_one(function: Callable[[Array], Array], term: Term) -> Term:
    return lambda lookup: function(term(lookup))


def _apply_two(function: Callable[[Array, Array], Array], first: Term, second: Term) -> Term:
    return lambda lookup: function(first(lookup), second(lookup))


class Expressions:
    """Several named expressions over a stream of frames; blocks of any size give the same bits.

    Parameters
    ----------
    texts : name to expression.
    channels : names that may be used, in the order of the values' columns.

    Attributes
    ----------
    names : of the expressions.
    channels : the names that are used.
    """

    def __init__(self, texts: Mapping[str, str], channels: Sequence[str]) -> None:
        self.names = tuple(texts)
        self._expressions = []
        for name, text in texts.items():
            try:
                self._expressions.append(parse_expression(text, channels))
            except FeatureError as error:
                raise FeatureError(f"expression {name!r}: {error}") from None
        self.channels = tuple(dict.fromkeys(channel for e in self._expressions for channel in e.channels))
        depth = max((expression.delay for expression in self._expressions), default=0)
        self._column = {channel: column for column, channel in enumerate(self.channels)}
        self._history = History(depth, len(self.channels))

    def reset(self) -> None:
        """Forget the past, as before the first frame."""
        self._history.reset()

    def process(self, values: Array) -> Array:
        """(n_frames, n_expressions) of the next frames.

        Parameters
        ----------
        values : (n_frames, len(channels)) of the channels that are used; NaN means absent.

        Returns
        -------
        NaN where a channel is absent now, and where the expression has no finite value, as after a division by 0.
        """
        lagged, _ = self._history.process(values)
        with np.errstate(all="ignore"):
            columns = [
                np.broadcast_to(expression.evaluate(lambda name, delay: self._look(lagged, name, delay)), len(values))
                for expression in self._expressions
            ]
        result = np.stack(columns, axis=1) if columns else np.empty((len(values), 0))
        return np.where(np.isfinite(result), result, np.nan)

    def _look(self, lagged: Array, name: str, delay: int) -> Array:
        # In one piece, so that NumPy takes the same way through its functions for any number of frames.
        return np.ascontiguousarray(lagged[delay, :, self._column[name]])
