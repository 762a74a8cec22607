"""TAK both ways: our own small server for ATAK and its kin, and a client of somebody's server.

In: connections, certificates, CoT events. Out: each event with who sent it, to `on_event`.
`send` queues an event for everybody, or for those a list of names means.
Never: relays what one client says to another (what others may see is decided behind the gate),
a name taken for proven that no certificate proves.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from farolito.ingest.avl import tak_control as control
from farolito.ingest.avl.cot import CotEvent, element
from farolito.ingest.avl.heard import Clock, Tell
from farolito.ingest.avl.lane import Lane
from farolito.ingest.avl.sources import TakClientConfig, TakServerConfig
from farolito.ingest.avl.tak_link import Ends, Link, Outgoing
from farolito.ingest.avl.tak_units import (
    OnEvent,
    Roster,
    TakUser,
    is_position,
    removed_uids,
    sender_uid,
    with_contact,
)
from farolito.model import FarolitoError, Rejected

__all__ = ["OnEvent", "Roster", "TakClient", "TakServer", "TakUser"]

_HERE = frozenset({"127.0.0.1", "::1", "localhost"})

log = logging.getLogger(__name__)

CLIENTS_MAX = 1_000  # one more is refused, by name
USERS_MAX = 10_000  # of another server that we tell apart; a further one stays a stranger
HANDSHAKE_S_MAX = 10.0
CONNECT_S_MAX = 15.0
PING_S = 20.0
SILENT_PINGS_MAX = 3  # a server that answered pings and leaves so many unanswered is lost
PRESENCE_S = 60.0
PRESENT_FOR = timedelta(minutes=3)


def _now() -> datetime:
    return datetime.now(UTC)


class TakServer:
    """Listens between `start` and `close`. One client's misbehaviour ends that client only."""

    def __init__(
        self,
        config: TakServerConfig,
        on_event: OnEvent,
        tell: Tell,
        roster: Roster | None = None,
        clock: Clock = _now,
    ) -> None:
        self._config = config
        self._on_event = on_event
        self._tell = tell
        self._roster = roster or Roster(config.units, config.callsigns)
        self._clock = clock
        self._server: asyncio.Server | None = None
        self._clients: dict[Link, TakUser] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def is_open(self) -> bool:
        return self._server is not None and self._server.is_serving()

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def users(self) -> tuple[TakUser, ...]:
        """Who is connected now."""
        return tuple(self._clients.values())

    async def start(self) -> None:
        """Raises FarolitoError for certificates that cannot be used, OSError for a taken port."""
        tls = _server_tls(self._config)
        self._server = await asyncio.start_server(
            self._welcome,
            self._config.host,
            self._config.port,
            ssl=tls,
            ssl_handshake_timeout=HANDSHAKE_S_MAX if tls else None,
        )

    async def run(self) -> None:
        """`start`, then `close` when cancelled: for a supervisor. Raises as `start` does."""
        await self.start()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await self.close()

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    def send(self, event: CotEvent, to: Sequence[str] | None = None) -> int:
        """Queue for everybody, or for whom a certificate's name or a unit in `to` means.

        Gives the number of clients it was queued for: none is no error, they may come again.
        A friendly position that is not yet gone is replaced by the next one.
        """
        outgoing = Outgoing(event)
        reached = 0
        for link, user in tuple(self._clients.items()):
            if to is None or not _names(user).isdisjoint(to):
                _queue(link, outgoing)
                reached += 1
        return reached

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._serve((reader, writer))
        except Rejected as why:
            self._tell(why, b"")
        except OSError:
            pass  # a phone that lost its network: it comes again
        except asyncio.CancelledError:
            pass  # by close; asyncio's streams take a cancelled task for an error, and print it
        except Exception:
            log.exception("a TAK client's connection ended over an error of ours")
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, ends: Ends) -> None:
        user = self._who(ends[1])
        if len(self._clients) >= CLIENTS_MAX:
            says = f"more than {CLIENTS_MAX} TAK clients"
            raise Rejected("too_many_clients", says, "run a TAK server of its own for them")
        link = Link(ends, self._config.events_a_second, self._tell, self._clock)
        self._clients[link] = user
        if self._config.protobuf:
            link.write_now(control.offer(str(uuid4()), self._clock()))
        try:
            await link.run(lambda event: self._hear(link, event))
        finally:
            del self._clients[link]

    def _who(self, writer: asyncio.StreamWriter) -> TakUser:
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if not self._config.ca:
            return TakUser(name=str((writer.get_extra_info("peername") or ["?"])[0]))
        name = _common_name(writer.get_extra_info("peercert"))
        if not name or (self._config.users and name not in self._config.users):
            do = "add the certificate's name to users"
            raise Rejected("unknown_user", "a TAK client whose certificate has no user", do)
        user = TakUser(name=name, is_proven=True)
        return msgspec.structs.replace(user, unit=self._roster.unit(user))

    async def _hear(self, link: Link, event: CotEvent) -> None:
        if event.type in control.CONTROL:
            self._answer(link, event)
            return
        user = self._clients[link]
        if is_position(event):
            told = with_contact(user, event, self._roster)
            if user.uid in {None, told.uid}:  # a gateway's client is not each unit it tells of
                self._clients[link] = told
            user = told
        await self._on_event(event, user)

    def _answer(self, link: Link, event: CotEvent) -> None:
        now = self._clock()
        if event.type == control.PING:
            link.write_now(control.pong(event, now))
        elif event.type == control.REQUEST:
            accepted = self._config.protobuf and control.asks_version_1(event)
            link.write_now(control.response(event.uid, now, accepted))
            link.speak(proto=accepted or link.is_proto)


class TakClient:
    """A client of one TAK server. `run` is one connection: `keep_running` makes the next.

    What is queued while the server is away goes out when it is back, unless it has ended by then.
    """

    def __init__(
        self,
        config: TakClientConfig,
        on_event: OnEvent,
        tell: Tell,
        roster: Roster | None = None,
        clock: Clock = _now,
    ) -> None:
        self._config = config
        self._on_event = on_event
        self._tell = tell
        self._roster = roster or Roster(config.units, config.callsigns)
        self._clock = clock
        self._uid = config.uid or f"farolito-{config.callsign}"
        self._out: Lane[Outgoing] = Lane()
        self._link: Link | None = None
        self._stranger = TakUser(name=config.name)
        self._users: dict[str, TakUser] = {}  # by device uid
        self._pong_at: float | None = None  # the server answers pings

    @property
    def is_connected(self) -> bool:
        return self._link is not None

    def send(self, event: CotEvent, to: Sequence[str] | None = None) -> int:
        """Queue for the server's users, or for the call signs in `to`: 1, or 0 where no room is."""
        outgoing = Outgoing(_addressed(event, to))
        if is_position(event):
            self._out.put_place(event.uid, outgoing)
            return 1
        for uid in removed_uids(event):
            self._out.forget_place(uid)
        return int(self._out.put(outgoing))

    async def run(self) -> None:
        """Until the connection is lost. Raises OSError, or Rejected for what the server does."""
        async with asyncio.timeout(CONNECT_S_MAX):
            ends = await asyncio.open_connection(
                self._config.host, self._config.port, **_client_tls(self._config)
            )
        self._link = link = Link(
            ends, self._config.events_a_second, self._tell, self._clock, self._out
        )
        self._pong_at = None
        present = asyncio.create_task(self._stay_present(link))
        present.add_done_callback(lambda task: _pass_on(task, link))
        try:
            await link.run(lambda event: self._hear(link, event))
        finally:
            self._link = None
            present.cancel()
        raise ConnectionResetError("the TAK server closed the connection")

    async def _hear(self, link: Link, event: CotEvent) -> None:
        now = self._clock()
        if event.type == control.OFFER:
            if self._config.protobuf and not link.is_proto and control.offers_version_1(event):
                link.write_now(control.request(event.uid, now))
                link.hold()
                asyncio.get_running_loop().call_later(
                    control.ANSWER_WITHIN.total_seconds(), link.unanswered
                )
        elif event.type == control.RESPONSE:
            link.speak(proto=control.is_accepted(event))
        elif event.type == control.PING:
            self._out.put(Outgoing(control.pong(event, now)))
        elif event.type == control.PONG:
            self._pong_at = asyncio.get_running_loop().time()
        elif event.uid != self._uid:  # our own presence comes back from some servers
            await self._on_event(event, self._sender(event))

    def _sender(self, event: CotEvent) -> TakUser:
        """A position tells of its sender; anything else names whose position it came after."""
        if not is_position(event):
            return self._users.get(sender_uid(event), self._stranger)
        user = with_contact(self._users.get(event.uid, self._stranger), event, self._roster)
        if event.uid in self._users or len(self._users) < USERS_MAX:
            self._users[event.uid] = user
        return user

    async def _stay_present(self, link: Link) -> None:
        """Say who we are, and ask whether the server is there, until cancelled."""
        loop = asyncio.get_running_loop()
        rounds = 0
        while True:
            if rounds % int(PRESENCE_S / PING_S) == 0:
                self._out.put(Outgoing(self._presence()))
            self._out.put(Outgoing(control.ping(self._uid, self._clock())))
            await asyncio.sleep(PING_S)
            rounds += 1
            silent_s = loop.time() - link.heard_at
            if self._pong_at is not None and silent_s > SILENT_PINGS_MAX * PING_S:
                raise Rejected("silent", f"a TAK server that is silent for {silent_s:.0f} s")

    def _presence(self) -> CotEvent:
        config, now = self._config, self._clock()
        detail = element("contact", {"callsign": config.callsign, "endpoint": "*:-1:stcp"})
        detail += element("__group", {"name": "Cyan", "role": "HQ"})
        detail += element("takv", {"device": "", "platform": "Farolito", "os": "", "version": "1"})
        return CotEvent(
            uid=self._uid,
            type="a-f-G-U-C",
            how="h-e",
            time=now,
            start=now,
            stale=now + PRESENT_FOR,
            lat=config.lat or 0.0,
            lon=config.lon or 0.0,
            detail=detail,
        )


def _queue(link: Link, outgoing: Outgoing) -> None:
    if is_position(outgoing.event):
        link.send_place(outgoing.event.uid, outgoing)
        return
    for uid in removed_uids(outgoing.event):
        link.out.forget_place(uid)
    link.send(outgoing)


def _names(user: TakUser) -> set[str]:
    """What a client is addressed by. Its own word on its call sign counts as the roster lets it."""
    names = {user.name} if user.is_proven else set()
    return names | ({user.unit} if user.unit else set())


def _addressed(event: CotEvent, to: Sequence[str] | None) -> CotEvent:
    if to is None:
        return event
    dests = "".join(element("dest", {"callsign": name}) for name in to)
    return msgspec.structs.replace(event, detail=event.detail + element("marti", {}, dests))


def _pass_on(task: asyncio.Task[None], link: Link) -> None:
    why = None if task.cancelled() else task.exception()
    if isinstance(why, Exception):
        link.fail(why)


def _common_name(certificate: Any) -> str:
    for part in (certificate or {}).get("subject", ()):
        for name, value in part:
            if name == "commonName":
                return str(value)
    return ""


def _server_tls(config: TakServerConfig) -> ssl.SSLContext | None:
    given = (config.certificate, config.key, config.ca)
    if not any(given):
        if config.host not in _HERE and not config.without_certificates:
            raise FarolitoError(
                f"a TAK server in plain TCP on {config.host} lets anybody be any unit",
                "name certificate, key and ca, or set without_certificates on a closed network",
            )
        return None
    if not all(given):
        raise FarolitoError(
            "the TAK server has only a part of certificate, key and ca",
            "name all three, or none for plain TCP",
        )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    tls.verify_mode = ssl.CERT_REQUIRED
    _load(tls, config.certificate, config.key, config.ca)
    return tls


def _client_tls(config: TakClientConfig) -> dict[str, Any]:
    if not config.tls:
        return {}
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    if not config.ca:
        tls.load_default_certs()
    _load(tls, config.certificate, config.key, config.ca)
    return {
        "ssl": tls,
        "server_hostname": config.server_name or config.host,
        "ssl_handshake_timeout": HANDSHAKE_S_MAX,
    }


def _load(tls: ssl.SSLContext, certificate: str, key: str, ca: str) -> None:
    try:
        if certificate:
            tls.load_cert_chain(Path(certificate), Path(key) if key else None)
        if ca:
            tls.load_verify_locations(Path(ca))
    except (OSError, ssl.SSLError) as error:
        raise FarolitoError(
            f"cannot use the TAK certificates: {error.strerror or error}",
            "name .pem files that this account may read",
        ) from error
