"""A partner's node that keeps to no rule, and strangers at the port."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import nkeys
from nats.aio.msg import Msg

from farolito.bus.claims import Key
from farolito.identity.authority import Authority
from farolito.model import AgencyId, BusCard
from tests.bus.raw_link import RawLink, tls_of
from tests.bus.sites import CITY, PUEBLO, SHERIFF, Site, link, until

OTHERS_SUBJECTS = (
    ">", "*.*", "from.>", f"from.{SHERIFF}.*", f"to.{SHERIFF}.>", f"to.{CITY}.>", "$SYS.>", "$JS.>",
    "_INBOX.>", "$SYS.REQ.>", "reads.>", "$SYS.ACCOUNT.>",
)  # fmt: skip
FORGED = (
    f"from.{SHERIFF}.ask", f"from.{PUEBLO}.ask", f"to.{SHERIFF}.ask", f"to.{CITY}.other",
    f"to.{CITY}.ask.more", f"to.{CITY}.share.alert.more", f"reads.{CITY}", "_INBOX.x.y",
    "$SYS.REQ.CLAIMS.UPDATE", "$SYS.REQ.CLAIMS.DELETE", "$SYS.REQ.SERVER.PING", "$JS.API.INFO",
    "$JS.CITY_PD.API.STREAM.NAMES", "$SYS.REQ.SERVER.PING.CONNZ", f"to.{PUEBLO}.ask",
)  # fmt: skip


async def raw_of(listener: Site, dialler: Site, ours: BusCard, theirs: BusCard) -> RawLink:
    """In place of a partner's node, with all its keys. `ours`: the card of the listener."""
    tls = tls_with(listener, dialler.server.authority)
    seed = dialler.server.accounts.line_key(theirs.user).seed
    link_ = await RawLink.open(listener.port, tls, ours.user_jwt, seed)
    await link_.settled()
    assert link_.is_up
    return link_


async def test_a_partner_hears_only_what_is_for_it(city: Site, sheriff: Site, pueblo: Site) -> None:
    await link(city, sheriff)
    ours, theirs = await link(city, pueblo)
    await pueblo.stop()
    raw = await raw_of(city, pueblo, ours, theirs)
    await raw.subscribe([*OTHERS_SUBJECTS, f"to.{PUEBLO}.ask"])
    await raw.settled()
    await city.bus.exports(SHERIFF, {"alert": city.now() + timedelta(days=1)})
    await city.bus.share(SHERIFF, "alert", b"secret", 2)
    await city.bus.request(SHERIFF, b"secret", 2)
    await sheriff.bus.request(CITY, b"secret", 2)
    reader = await city.client()
    await reader.publish(f"reads.{CITY}", b"secret")
    await reader.publish("_INBOX.somebody", b"secret")
    await reader.publish(f"to.{PUEBLO}.ask", b"for you")
    await reader.flush()
    await until(lambda: any(b"for you" in line for line in raw.got))
    assert not [line for line in raw.got if b"secret" in line]
    await reader.close()
    await raw.close()


async def test_a_partner_that_speaks_on_another_subject_is_heard_by_nobody_and_cut_off(
    city: Site, sheriff: Site, pueblo: Site
) -> None:
    await link(city, sheriff)
    ours, theirs = await link(city, pueblo)
    await pueblo.stop()
    heard: list[str] = []

    async def hear(message: Msg) -> None:
        if message.data.startswith(b"forged"):
            heard.append(message.subject)

    whole_account = await city.client()
    system = await city.client(city.server.accounts.system_credentials)
    for client in (whole_account, system):
        await client.subscribe(">", cb=hear)
        await client.flush()
    for subject in FORGED:
        raw = await raw_of(city, pueblo, ours, theirs)
        with suppress(OSError):
            await raw.publish(subject, b"forged", "_R_.mine")
            await raw.settled()
        assert not raw.is_up, subject
        await raw.close()
    raw = await raw_of(city, pueblo, ours, theirs)
    await raw.publish(f"to.{CITY}.ask", b"forged, but in its own name", "_R_.mine")
    await until(lambda: len(city.asked) == 1)
    assert city.asked == [(PUEBLO, b"forged, but in its own name")]
    assert sheriff.asked == []
    assert set(heard) == {f"from.{PUEBLO}.ask"}
    for closing in (whole_account, system, raw):
        await closing.close()


async def test_what_is_exported_to_another_cannot_be_taken_by_its_name(
    city: Site, sheriff: Site, pueblo: Site
) -> None:
    """Also not by a node that gives itself the other's name and builds the accounts for it."""
    await link(city, sheriff)
    await link(city, pueblo)
    liar = Site(pueblo.state.parent, AgencyId("liar"))
    await liar.start()
    try:
        line = pueblo.server.accounts.book.lines[CITY]
        for key in (line.own.account, line.own.user):
            seed = pueblo.server.accounts.line_key(key).seed
            (liar.state / "nats" / "keys" / "lines").mkdir(exist_ok=True)
            (liar.state / "nats" / "keys" / "lines" / f"{key}.nk").write_text(seed)
        await pueblo.stop()
        for name in ("line.key", "line.pem", "authority.pem", "authority.key"):
            kept = pueblo.state / "nats" / "authority" / name
            (liar.state / "nats" / "authority" / name).write_bytes(kept.read_bytes())
        await liar.stop()
        liar.agency = SHERIFF  # from here on its accounts carry the sheriff's name
        await liar.start()
        await liar.bus.add(CITY, line.own, line.theirs)
        await until(lambda: liar.bus.connected(CITY))
        await city.bus.exports(SHERIFF, {"alert": city.now() + timedelta(days=1)})
        await city.bus.share(SHERIFF, "alert", b"secret", 2)
        await liar.bus.request(CITY, b"I am the sheriff", 2)
        assert city.asked == [(PUEBLO, b"I am the sheriff")]
        assert liar.shared == []
        assert [raw for _, _, raw in sheriff.shared] == [b"secret"]
    finally:
        await liar.stop()


async def test_only_a_partners_own_certificate_and_key_open_the_port(
    city: Site, sheriff: Site, pueblo: Site, tmp_path: Path
) -> None:
    ours, theirs = await link(city, sheriff)
    await link(city, pueblo)
    await sheriff.stop()
    seed = sheriff.server.accounts.line_key(theirs.user).seed
    stranger = Authority(tmp_path / "stranger", SHERIFF, city.now())
    stranger.renew(["127.0.0.1"], city.now())
    # The pueblo's authority is trusted for its own line. Here it certifies a key as the sheriff's.
    forger = copied(pueblo.server.authority, tmp_path / "forger", SHERIFF, city)
    sheriffs = tls_with(city, sheriff.server.authority)
    pueblos = tls_with(city, pueblo.server.authority)
    other_key = Key.made(nkeys.PREFIX_BYTE_USER).seed
    for who, tls, of_seed in (
        ("nobody", tls_of(city.server.ca_pem), seed),
        ("a stranger", tls_with(city, stranger), seed),
        ("a partner's authority in another's name", tls_with(city, forger), seed),
        ("another partner with the leave alone", pueblos, other_key),
        (
            "the partner itself with another key",
            tls_with(city, sheriff.server.authority),
            other_key,
        ),
    ):
        assert not await gets_in(city, tls, ours.user_jwt, of_seed), who
    assert await gets_in(city, sheriffs, ours.user_jwt, seed)


async def test_a_partner_that_was_removed_is_cut_off_and_stays_out(
    city: Site, sheriff: Site, pueblo: Site
) -> None:
    await link(city, sheriff)
    ours, theirs = await link(city, pueblo)
    await pueblo.stop()
    raw = await raw_of(city, pueblo, ours, theirs)
    await city.bus.remove(PUEBLO)
    await until(lambda: not raw.is_up, 2)
    await raw.close()
    tls = tls_with(city, pueblo.server.authority)
    seed = pueblo.server.accounts.line_key(theirs.user).seed
    assert not await gets_in(city, tls, ours.user_jwt, seed)
    await until(lambda: city.bus.connected(SHERIFF))
    await city.stop()
    await city.start()
    assert not await gets_in(city, tls, ours.user_jwt, seed)
    await until(lambda: city.bus.connected(SHERIFF))


async def test_a_flood_of_one_partner_leaves_the_others_lines_quick(
    city: Site, sheriff: Site, pueblo: Site
) -> None:
    await link(city, sheriff)
    ours, theirs = await link(city, pueblo)
    await pueblo.stop()
    raw = await raw_of(city, pueblo, ours, theirs)
    stopped = asyncio.Event()

    async def flood() -> None:
        message = b"LMSG to.%s.ask 100\r\n%s\r\n" % (CITY.encode(), b"x" * 100)
        while not stopped.is_set():
            await raw.say(*[message[:-2]] * 500)

    flooding = asyncio.create_task(flood())
    await until(lambda: city.bus.dropped(PUEBLO) > 0)
    loop = asyncio.get_running_loop()
    took = []
    for _ in range(100):
        began = loop.time()
        await sheriff.bus.request(CITY, b"a real one", 2)
        took.append(loop.time() - began)
    stopped.set()
    await flooding
    print(f"during the flood, ms: {1e3 * sorted(took)[50]:.1f} p50, {1e3 * max(took):.1f} max;",
          f"{sum(p == PUEBLO for p, _ in city.asked)} of the flood taken")  # fmt: skip
    assert max(took) < 1.0
    await raw.close()


async def gets_in(site: Site, tls: ssl.SSLContext, jwt: str, seed: str) -> bool:
    """Whether a link with these stands. Closed again at once."""
    try:
        raw = await RawLink.open(site.port, tls, jwt, seed)
    except (OSError, EOFError):
        return False
    try:
        await raw.settled()
        return raw.is_up and any(line.startswith(b"LS+") for line in raw.got)
    except OSError:
        return False
    finally:
        await raw.close()


def copied(authority: Authority, folder: Path, agency: AgencyId, site: Site) -> Authority:
    """The same authority in other hands, with a line's key of its own."""
    folder.mkdir()
    for name in ("authority.key", "authority.pem"):
        (folder / name).write_bytes((authority.line_key.parent / name).read_bytes())
    forger = Authority(folder, agency, site.now())
    forger.renew(["127.0.0.1"], site.now())
    assert forger.ca_pem == authority.ca_pem
    return forger


def tls_with(listener: Site, own: Authority) -> ssl.SSLContext:
    return tls_of(listener.server.ca_pem, own.line_certificate, own.line_key)
