"""The text of a mapping file: YAML into words and values, each with the line it stands on."""

from __future__ import annotations

from collections import abc

import yaml

from farolito.model import Invalid

MAPPING_BYTES_MAX = 256 * 1024  # a larger one is refused: it is a list, not a mapping
DEPTH_MAX = 6  # of nested tables; the deepest word we know stands at 3
NUMBER_MAX = 1_000_000

Value = str | list[str] | dict[str, "Value"]
Path = tuple[str, ...]


def faulty(line: int | None, says: str, do: str) -> Invalid:
    where = f"line {line}: " if line else ""
    return Invalid(f"the mapping has a fault: {where}{says}", do)


class Tree:
    """Words and values by path, and the faults found in them so far."""

    def __init__(self, root: dict[str, Value], lines: dict[Path, int]) -> None:
        self.root = root
        self.lines = lines
        self.faults: list[tuple[int, str, str]] = []

    def words(self) -> list[str]:
        return list(self.root)

    def line(self, path: Path | str) -> int | None:
        """The line of a word, or of the nearest word above it that has one."""
        path = (path,) if isinstance(path, str) else path
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    def fault(self, path: Path | str, says: str, do: str) -> None:
        line = self.line(path)
        fault = (line or 0, f"line {line}: {says}" if line else says, do)
        if fault not in self.faults:
            self.faults.append(fault)

    def raise_faults(self, shown_max: int) -> None:
        """Raises Invalid with all faults at once, so that one reading mends the file."""
        if not self.faults:
            return
        if len(self.faults) == 1:
            raise Invalid(f"the mapping has a fault: {self.faults[0][1]}", self.faults[0][2])
        told = " · ".join(f"{says} ({do})" for _, says, do in sorted(self.faults)[:shown_max])
        raise Invalid(f"the mapping has {len(self.faults)} faults: {told}", "mend these lines")

    def value(self, path: Path | str) -> Value | None:
        node: Value | None = self.root
        for word in (path,) if isinstance(path, str) else path:
            node = node.get(word) if isinstance(node, dict) else None
        return node

    def text(self, path: Path | str, strip: bool = True) -> str | None:
        """One text, or None where the word is absent or its place is empty."""
        value = self.value(path)
        if isinstance(value, (dict, list)):
            self.fault(path, f"{_name(path)} wants one value", "write it on one line")
            return None
        return ((value.strip() if strip else value) or None) if value is not None else None

    def texts(self, path: Path | str, otherwise: tuple[str, ...]) -> tuple[str, ...]:
        value = self.value(path)
        if value is None:
            return otherwise
        if isinstance(value, dict):
            self.fault(path, f"{_name(path)} wants a list", "write [one, two]")
            return otherwise
        return (value,) if isinstance(value, str) else tuple(value)

    def number(self, path: str, otherwise: int | None) -> int | None:
        text = self.text(path)
        if text is None:
            return otherwise
        if not (text.isascii() and text.isdigit()) or len(text) > 7 or int(text) > NUMBER_MAX:
            self.fault(path, f"{text!r} is no whole number up to {NUMBER_MAX}", "write digits")
            return otherwise
        return int(text)

    def one_of(self, path: Path | str, known: tuple[str, ...], otherwise: str) -> str:
        text = self.text(path)
        if text is not None and text not in known:
            self.fault(path, f"{text!r} is no {_name(path)}", f"use {', '.join(known)}")
        return text if text in known else otherwise

    def branch(self, *path: str) -> dict[str, Value]:
        value = self.value(path)
        if value is None or value == "":
            return {}
        if not isinstance(value, dict):
            self.fault(
                path, f"{_name(path)} wants lines of the form word: value", "indent them under it"
            )
            return {}
        return value

    def table(self, path: Path | str) -> dict[str, str]:
        """The branch's words with one text each."""
        whole = (path,) if isinstance(path, str) else path
        return {word: self.text((*whole, word)) or "" for word in self.branch(*whole)}


def merged(base: Tree, over: Tree) -> Tree:
    """`base` with the words of `over` in place of its own; lines are those of `over`."""

    def lay(low: Value | None, high: Value) -> Value:
        if isinstance(low, dict) and isinstance(high, dict):
            return {**low, **{word: lay(low.get(word), value) for word, value in high.items()}}
        return high

    root = lay(base.root, {k: v for k, v in over.root.items() if k != "start_from"})
    assert isinstance(root, dict)
    return Tree(root, over.lines)


def read_yaml(source: str | bytes) -> Tree:
    """Raises Invalid for what is no table of texts, for aliases (they multiply), and for size."""
    if len(source) > MAPPING_BYTES_MAX:
        raise Invalid("the mapping is too large", f"keep it under {MAPPING_BYTES_MAX // 1024} KiB")
    try:
        text = source.decode("utf-8-sig") if isinstance(source, bytes) else source
        node = _composed(text)
    except UnicodeDecodeError:
        raise Invalid("the mapping is not UTF-8 text", "save it as UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise faulty(
            mark.line + 1 if mark else None,
            f"this is no YAML: {problem}",
            "check indentation and colons; put text with : or # in quotes",
        ) from None
    if not isinstance(node, yaml.MappingNode):
        raise Invalid(
            "the mapping is no table of word: value lines",
            "see docs/hot-lists.md or docs/formats/cad.md",
        )
    lines: dict[Path, int] = {}
    root = _plain(node, (), lines)
    assert isinstance(root, dict)
    return Tree(root, lines)


def _composed(text: str) -> yaml.Node | None:
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else None
        if isinstance(event, yaml.AliasEvent):
            raise faulty(line, "aliases (*name) are not read", "write it out")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH_MAX:
            raise faulty(line, "tables too deep inside each other", "flatten")
    return yaml.compose(text, yaml.SafeLoader)


def _plain(node: yaml.Node, path: Path, lines: dict[Path, int]) -> Value:
    line = node.start_mark.line + 1
    lines.setdefault(path, line)
    if isinstance(node, yaml.ScalarNode):
        is_null = node.tag == "tag:yaml.org,2002:null" and node.style is None
        return "" if is_null else str(node.value)
    if isinstance(node, yaml.SequenceNode):
        if not all(isinstance(item, yaml.ScalarNode) for item in node.value):
            raise faulty(line, "a list of anything but single values", "write [one, two]")
        return [str(item.value) for item in node.value]
    table: dict[str, Value] = {}
    for key, value in node.value:
        at = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise faulty(at, "a word that is no plain text", "write word: value")
        word = str(key.value)
        if word in table:
            raise faulty(at, f"{word!r} stands here twice", "keep one of them")
        lines[(*path, word)] = at
        table[word] = _plain(value, (*path, word), lines)
    return table


def read_dict(values: abc.Mapping[str, object]) -> Tree:
    root = _texts(values, 0)
    assert isinstance(root, dict)
    return Tree(root, {})


def _texts(value: object, depth: int) -> Value:
    if depth > DEPTH_MAX:
        raise faulty(None, "tables too deep inside each other", "flatten")
    if isinstance(value, abc.Mapping):
        return {str(word): _texts(inner, depth + 1) for word, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [str(item) for item in value]
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _name(path: Path | str) -> str:
    return path if isinstance(path, str) else ".".join(path)
