"""What the product has not: looked for in every field, route, setting and column there is."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator

import msgspec
import pytest
from litestar.routes import HTTPRoute

import farolito
from farolito.app.config import Config
from farolito.app.for_screens import services_of
from farolito.console import make_app
from farolito.store import Database
from tests.running import RunningNode

# Words that would name what may not exist. A face, a score of a person, a password, and a way
# to go without the ledger or to let a machine confirm.
FORBIDDEN = re.compile(
    r"(?<![a-z])face|facial|biometric|gait|ethnic|race\b|skin|risk_?score|threat|person_?score|propensity"
    r"|password|passphrase|passwd"
    r"|(ledger|audit|gate|policy|permit)\w*_?(off|disabled?|skip|bypass)"
    r"|(disable|skip|bypass|no|without)_?(ledger|audit|gate|policy|permit)"
    r"|auto_?confirm|unattended",
    re.IGNORECASE,
)
# What we say to another's broker; no person has one.
ALLOWED = frozenset({"MqttSource.password"})


def forbidden(words: Iterator[str]) -> list[str]:
    return sorted({w for w in words if FORBIDDEN.search(w) and w not in ALLOWED})


def struct_fields() -> Iterator[str]:
    """`room.Struct.field` of every value that the product knows."""
    for found in pkgutil.walk_packages(farolito.__path__, "farolito."):
        if found.name.startswith("farolito.store.migrations") or found.name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            if isinstance(value, type) and issubclass(value, msgspec.Struct):
                for field in msgspec.structs.fields(value):
                    yield f"{name}.{field.name}"


def settings(kind: type[msgspec.Struct] = Config, path: str = "") -> Iterator[str]:
    for field in msgspec.structs.fields(kind):
        yield f"{path}{field.name}"
        inner = field.type
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            yield from settings(inner, f"{path}{field.name}.")


def test_no_value_has_a_field_for_it() -> None:
    fields = list(struct_fields())
    assert len(fields) > 300
    assert forbidden(iter(fields)) == []


def test_no_setting_switches_it_on() -> None:
    named = list(settings())
    assert "limits.dead_letters" in named
    assert forbidden(iter(named)) == []


async def test_no_table_or_column_holds_it(database: Database) -> None:
    async with database.system() as connection:
        rows = await connection.fetch(
            "select table_name || '.' || column_name as name from information_schema.columns"
            " where table_schema = 'public'"
        )
    names = [row["name"] for row in rows]
    assert len(names) > 100
    assert forbidden(iter(names)) == []


@pytest.mark.node
async def test_no_route_leads_to_it(node: RunningNode) -> None:
    app = make_app(services_of(node.node))
    paths = [route.path for route in app.routes if isinstance(route, HTTPRoute)]
    assert len(paths) > 30
    assert forbidden(iter(paths)) == []


@pytest.mark.parametrize(
    "word", ["face_id", "risk_score", "password_hash", "ledger_disabled", "skip_audit",
             "auto_confirm", "/api/people/facial"],
)  # fmt: skip
def test_the_search_would_find_it(word: str) -> None:
    assert forbidden(iter([word])) == [word]
