"""Joining with real servers between both: whoever listens, the line stands after the two rounds,
nothing is taken by it before people confirm, and it is gone after the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from farolito.bus.line_end import PartnerDown
from farolito.federation import PartnerAway
from farolito.model import AgencyId, Refused
from tests.bus.sites import CITY, SHERIFF, Site, until
from tests.federation.neighbours import Neighbours
from tests.federation.strangers import Stranger, strangers
from tests.ports import free_port


class OverTheBus:
    def __init__(self, site: Site) -> None:
        self._site = site

    async def request(self, partner: AgencyId, raw: bytes, timeout_s: float) -> bytes:
        try:
            return await self._site.bus.request(partner, raw, timeout_s)
        except PartnerDown as error:
            raise PartnerAway(error.says, error.do) from error


def _connect(stranger: Stranger, site: Site) -> None:
    stranger.lines = site.bus
    stranger.side.post._line = OverTheBus(site)
    stranger.use(stranger.side.card)
    site.bus.serve(stranger.side.post.take)


@pytest.fixture
async def both(neighbours: Neighbours, tmp_path: Path) -> AsyncIterator[tuple[Stranger, Stranger]]:
    """The city listens; the sheriff can only connect."""
    city, sheriff, _ = await strangers(neighbours)
    folder = tmp_path / "bus"
    folder.mkdir()
    sites = Site(folder, CITY, free_port()), Site(folder, SHERIFF)
    for stranger, site in zip((city, sheriff), sites, strict=True):
        await site.start()
        _connect(stranger, site)
    yield city, sheriff
    for site in sites:
        await site.stop()


@pytest.mark.parametrize("guest_listens", [False, True])
async def test_the_line_stands_whoever_of_both_listens(
    both: tuple[Stranger, Stranger], guest_listens: bool
) -> None:
    inviter, guest = reversed(both) if guest_listens else both
    await guest.joining.join(guest.ask(), await inviter.code())
    await until(lambda: inviter.lines.connected(guest.agency_id))
    await until(lambda: guest.lines.connected(inviter.agency_id))

    await inviter.confirm(guest)
    with pytest.raises(Refused) as refused:  # the guest's people have not compared yet
        await inviter.side.post.ask(guest.agency_id, "hello", {})
    assert refused.value.reason == "not_a_partner"
    await guest.confirm(inviter)
    await guest.greeting.round()
    assert guest.book.known()[inviter.agency_id].told

    left = (await guest.parting.leave(guest.ask(), inviter.agency_id)).value
    assert left.proof is not None
    assert left.proof["receipt"].startswith(f"{inviter.agency_id}#")
    assert not guest.lines.connected(inviter.agency_id)
