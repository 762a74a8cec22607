"""Expressions of Cedar in its JSON form, so that no name is ever pasted into text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from farolito.policy.rule_book import ref

Expression = Mapping[str, Any]
CONTEXT: Expression = {"Var": "context"}
PRINCIPAL: Expression = {"Var": "principal"}
RESOURCE: Expression = {"Var": "resource"}


def of(what: Expression, *names: str) -> Expression:
    for name in names:
        what = {".": {"left": what, "attr": name}}
    return what


def has(what: Expression, name: str) -> Expression:
    return {"has": {"left": what, "attr": name}}


def negated(what: Expression) -> Expression:
    return {"!": {"arg": what}}


def is_empty(what: Expression) -> Expression:
    return {"isEmpty": {"arg": what}}


def contains_all(left: Expression, right: Expression) -> Expression:
    return {"containsAll": {"left": left, "right": right}}


def entity(kind: str, name: str) -> Expression:
    return {"Value": ref(kind, str(name))}


def long(number: int) -> Expression:
    return {"Value": number}


def set_of(members: Iterable[Expression]) -> Expression:
    return {"Set": list(members)}


def is_action(name: str) -> Expression:
    return equal({"Var": "action"}, entity("Action", name))


def equal(left: Expression, right: Expression) -> Expression:
    return {"==": {"left": left, "right": right}}


def less(left: Expression, right: Expression) -> Expression:
    return {"<": {"left": left, "right": right}}


def at_least(least: int, what: Expression) -> Expression:
    return {"<=": {"left": long(least), "right": what}}


def at_most(what: Expression, most: int) -> Expression:
    return {"<=": {"left": what, "right": long(most)}}


def contains(left: Expression, right: Expression) -> Expression:
    return {"contains": {"left": left, "right": right}}


def both(left: Expression, right: Expression) -> Expression:
    return {"&&": {"left": left, "right": right}}


def either(left: Expression, right: Expression) -> Expression:
    return {"||": {"left": left, "right": right}}


def any_of(expressions: list[Expression]) -> Expression:
    first, *rest = expressions
    return either(first, any_of(rest)) if rest else first
