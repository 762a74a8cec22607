"""A real gate over the real database, without a whole node around it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from farolito.audit import Ledger, Spool
from farolito.audit.key_file import load_or_create
from farolito.audit.records import origin_of
from farolito.gate import Gate
from farolito.media import Pictures
from farolito.model import Agency
from farolito.policy import Policies
from farolito.store import Database
from tests.delivery.delivery_builders import AGENCY


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def ledger(database: Database, tmp_path: Path) -> AsyncIterator[Ledger]:
    opened = await Ledger.open(database, AGENCY, tmp_path / "ledger.key", now, os.urandom)
    yield opened
    await opened.close()


@pytest.fixture
def gate(database: Database, ledger: Ledger, tmp_path: Path) -> Gate:
    agency = Agency(agency_id=AGENCY, name="City Police", ori="NM9990100")
    key = load_or_create(tmp_path / "spool.key", f"{origin_of(AGENCY)}/spool", os.urandom)
    return Gate(
        Policies.load(agency.law, [agency]),
        ledger,
        Spool(tmp_path / "spool", key, os.urandom),
        database,
        Pictures(tmp_path / "pictures"),
        agency,
        now,
    )
