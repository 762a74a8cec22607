"""Where in a record something stands: `Incident/Location/Address`, `units[].id`, `@id`, `.`

One way to walk XML elements, JSON values and the lines of a CSV file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from farolito.ingest.xml import Element

STEPS_MAX = 16  # of a path; the rest is not walked
FOUND_MAX = 5_000  # places of one path in one record; more are not read

Node = Any  # an Element, a JSON value, a text, or a CSV line as a dict


class Path(msgspec.Struct, frozen=True):
    """Steps from the record, or from the top of the file (`is_whole`); no steps: the place itself.

    `text` is the path as it was written.
    """

    steps: tuple[str, ...]
    text: str
    is_whole: bool = False


def path_of(text: str, kind: str) -> Path:
    """`Units/Unit`, `units[].id` or `/Export/@created`. In CSV: a column's name or number."""
    written = text.strip()
    if kind == "csv":
        return Path((written,) if written not in {"", "."} else (), written)
    is_whole = written.startswith("/")
    mark = "/" if "/" in written else "."
    steps = (step.strip().removesuffix("[]") for step in written.split(mark))
    return Path(tuple(step for step in steps if step)[:STEPS_MAX], written, is_whole)


def found(node: Node, path: Path, whole: Node = None) -> list[Node]:
    """Every place that the path leads to, in the file's order."""
    here: list[Node] = [whole if path.is_whole else node]
    if path.is_whole and isinstance(whole, Element) and path.steps:
        if path.steps[0] != whole.name:
            return []
        return _walked(here, path.steps[1:])
    return _walked(here, path.steps)


def _walked(here: list[Node], steps: Sequence[str]) -> list[Node]:
    for step in steps:
        here = [inner for node in here for inner in _into(node, step)][:FOUND_MAX]
    return [inner for node in here for inner in _flat(node)][:FOUND_MAX]


def _into(node: Node, step: str) -> Iterator[Node]:
    if isinstance(node, Element):
        if step.startswith("@"):
            told = node.attributes.get(step[1:])
            if told is not None:
                yield told
        else:
            yield from node.every(step)
    elif isinstance(node, Mapping):
        if step in node:
            yield node[step]
    elif isinstance(node, list):
        for inner in _flat(node):
            yield from _into(inner, step)


def _flat(node: Node) -> Iterator[Node]:
    """A list stands for what is in it; lists may stand in lists, as deep as JSON goes."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if isinstance(here, list):
            waiting.extend(reversed(here))
        else:
            yield here


def text_at(node: Node, paths: Sequence[Path], whole: Node = None) -> str | None:
    """The texts at these paths, the first place of each, joined by a blank; None for none."""
    told = (_first_text(found(node, path, whole)) for path in paths)
    return " ".join(text for text in told if text) or None


def _first_text(nodes: list[Node]) -> str | None:
    return next((text for node in nodes if (text := text_of(node))), None)


def text_of(node: Node) -> str | None:
    if isinstance(node, str):
        return node.strip() or None
    if isinstance(node, Element):
        return node.text or None
    if isinstance(node, bool):
        return "yes" if node else "no"
    return str(node) if isinstance(node, int | float) else None
