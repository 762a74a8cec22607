"""Two agencies' servers linked by mutual TLS and accounts: what crosses, and how it comes back."""

from __future__ import annotations

from tests.bus.sites import CITY, SHERIFF, Site, link


async def test_a_request_crosses_both_ways_and_comes_under_the_name_of_its_line(
    city: Site, sheriff: Site
) -> None:
    await link(city, sheriff)
    assert await sheriff.bus.request(CITY, b"one", 2) == b"city-pd answers one"
    assert await city.bus.request(SHERIFF, b"two", 2) == b"county-so answers two"
    assert city.asked == [(SHERIFF, b"one")]
    assert sheriff.asked == [(CITY, b"two")]
