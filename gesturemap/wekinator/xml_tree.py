"""XML from strangers: a tree without document types, entities or size without end."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

from gesturemap.errors import RecordingError

MAX_BYTES = 4 * 2**20  # a project of hundreds of inputs has 100 kB


def read_tree(path: Path) -> ElementTree.Element:
    """Root element of an XML file.

    A document type is where entities come from, that swell to gigabytes or name other files; Wekinator writes none.
    The text is decoded here, so that no other encoding can hide one.

    Raises
    ------
    RecordingError
        If there is no such file, it is too large, not UTF-8, has a document type, or is no XML.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RecordingError(f"{path}: {path.stat().st_size} bytes found, {MAX_BYTES} at most expected")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read ({error.strerror}): choose a Wekinator project folder") from None
    except UnicodeDecodeError:
        raise RecordingError(f"{path}: not UTF-8, which Wekinator writes") from None
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise RecordingError(f"{path}: not read: it has a document type, which no file of Wekinator has")
    try:
        return ElementTree.fromstring(text, ElementTree.XMLParser(encoding="utf-8"))  # noqa: S314
    except (ElementTree.ParseError, ValueError) as error:
        raise RecordingError(f"{path}: damaged XML ({error})") from None


def text_of(element: ElementTree.Element, name: str, path: Path) -> str:
    """Text of the child called `name`, which may be empty; `RecordingError` if there is no such child."""
    child = element.find(name)
    if child is None:
        raise RecordingError(f"{path}: no <{name}> in <{element.tag}>")
    return child.text or ""


def whole_number(element: ElementTree.Element, name: str, low: int, high: int, path: Path) -> int:
    """The child called `name` as a whole number of low..high; `RecordingError` if it is none."""
    text = text_of(element, name, path).strip()
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not low <= int(text) <= high:
        raise RecordingError(f"{path}: <{name}> {text[:40]!r} found, a whole number of {low}..{high} expected")
    return int(text)


def real_number(element: ElementTree.Element, name: str, path: Path) -> float:
    """The child called `name` as a finite number; `RecordingError` if it is none."""
    text = text_of(element, name, path)
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not abs(number) < 1e38:  # Wekinator keeps it in 32 bits
        raise RecordingError(f"{path}: <{name}> {text[:40]!r} found, a number expected")
    return number
