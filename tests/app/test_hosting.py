"""Hosted agencies: whole nodes of their own, kept running by a neighbour's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest

from farolito.app import config as configuration
from farolito.app.hosting import Hosting, NewHosted
from farolito.app.supervise import Supervisor
from farolito.model import AgencyId, FarolitoError, Invalid
from tests.ports import free_port

PUEBLO = NewHosted(
    agency_id="pueblo-pd", name='Pueblo "North" Police', ori="NM9990300", government="tribal"
)


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    made = Supervisor()
    yield made
    await made.stop()


def test_a_hosted_agency_has_a_folder_and_a_file_of_its_own(
    state: Path, supervisor: Supervisor
) -> None:
    hosting = Hosting(state, supervisor)
    pueblo = hosting.make(PUEBLO)
    village = hosting.make(NewHosted(agency_id="village-pd", name="Village", ori="NM9990400"))
    config = configuration.load(pueblo.file)
    assert config.agency.name == 'Pueblo "North" Police'
    assert config.agency.government == "tribal"
    assert config.state == state / "hosted" / "pueblo-pd" / "state"
    assert village.port != pueblo.port
    assert hosting.hosted() == [pueblo, village]


@pytest.mark.parametrize("agency_id", ["../up", "Pueblo", "", "a/b"])
def test_an_id_that_leads_elsewhere_is_refused(
    state: Path, supervisor: Supervisor, agency_id: str
) -> None:
    hosting = Hosting(state, supervisor)
    with pytest.raises(Invalid):
        hosting.make(NewHosted(agency_id=agency_id, name="X", ori="NM9990300"))
    assert hosting.hosted() == []


def test_an_agency_is_hosted_once(state: Path, supervisor: Supervisor) -> None:
    hosting = Hosting(state, supervisor)
    hosting.make(PUEBLO)
    with pytest.raises(FarolitoError, match="there already"):
        hosting.make(PUEBLO)


async def test_a_hosted_agency_runs_with_engines_keys_and_a_token_of_its_own(
    state: Path, supervisor: Supervisor
) -> None:
    hosting = Hosting(state, supervisor)
    one = hosting.make(PUEBLO)
    await hosting.start_all()
    assert hosting.problems == {}
    own = one.folder / "state"
    token = (own / "admin.token").read_text().strip()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{one.port}", trust_env=False) as http:
        right = await http.get("/api/admin/health", headers={"Authorization": f"Bearer {token}"})
        wrong = await http.get("/api/admin/health", headers={"Authorization": "Bearer host"})
    assert right.status_code == 200
    assert wrong.status_code == 401
    assert (own / "keys" / "ledger.key").exists()
    assert (own / "postgres" / "data" / "PG_VERSION").exists()
    assert not (state / "postgres").exists()
    await hosting.end(AgencyId("pueblo-pd"))
    with pytest.raises(OSError, match=r"refused|Connect"):
        await asyncio.open_connection("127.0.0.1", one.port)
    assert not (own / "postgres" / "data" / "postmaster.pid").exists()


async def test_one_that_does_not_come_up_is_named_and_the_others_run(
    state: Path, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosting = Hosting(state, supervisor)
    lame = hosting.make(msgspec.structs.replace(PUEBLO, agency_id="lame-pd", port=free_port()))
    (lame.folder / "state").write_text("a file where the folder should be")
    monkeypatch.setattr("farolito.app.supervise.START_WAIT_S_MAX", 3.0)
    await hosting.start_all()
    assert set(hosting.problems) == {AgencyId("lame-pd")}
    assert supervisor.status() == []
