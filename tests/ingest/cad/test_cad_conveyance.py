"""A subscription to an EIDO service: a real WebSocket server of ours speaks the standard to it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import WebSocketException

import farolito.ingest.cad.conveyance as room
from farolito.ingest.cad.conveyance import Conveyance, ServiceRefused
from farolito.ingest.cad.sources import CadConveyance
from farolito.ingest.run import keep_running
from tests.ingest.cad.cad_builders import CAD, Notes, StoreAway, Taker
from tests.ports import free_port
from tests.running import until

AT = "2026-11-23T10:00:00Z"


def document(name: str, **more: Any) -> dict[str, Any]:
    told = {"$id": f"urn:emergency:uid:incidentid:{name}", "lastUpdateTimeStamp": AT}
    return {**told, "incidentComponent": {"incidentTypeCommonRegistryText": "SHOTS"}, **more}


class Service:
    """The notifier's side: remembers what it was told, sends what a test wants sent."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.sockets: list[ServerConnection] = []
        self.status = 200
        self.expires = 3600
        self.is_mute = False

    async def __call__(self, socket: ServerConnection) -> None:
        self.sockets.append(socket)
        async for message in socket:
            told = msgspec.json.decode(message)
            self.told.append(told)
            if "subscribe" in told and not self.is_mute:
                asked = told["subscribe"]
                answer = {"requestId": asked["requestId"], "expires": self.expires}
                answer |= {"statusCode": self.status, "statusText": "as asked"}
                await self.send(subscribeResponse=answer | {"subscriptionId": "s-1"})

    async def send(self, **message: Any) -> None:
        await self.sockets[-1].send(msgspec.json.encode(message).decode())

    async def event(self, *notification: dict[str, Any], transaction: str = "t-1") -> None:
        told = {"subscriptionId": "s-1", "transactionId": transaction}
        await self.send(event=told | {"notification": list(notification)})

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [told[kind] for told in self.told if kind in told]

    @property
    def answers(self) -> list[tuple[str, int]]:
        answered = self.of("eventResponse")
        return [(one["transactionId"], one["statusCode"]) for one in answered]


class Subscriber:
    def __init__(self, url: str, **more: Any) -> None:
        self.taker, self.notes = Taker(), Notes()
        config = CadConveyance(device=CAD.device_id, url=url, **more)
        self.conveyance = Conveyance(
            config,
            CAD,
            self.taker.take,
            self.notes,
            away=(StoreAway,),
            alive=self.notes.is_alive,
        )

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        task = asyncio.create_task(keep_running("service", self.conveyance.run, (0.05,)))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def running(
    service: Callable[[ServerConnection], Any], port: int, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Server]:
    server = await serve(service, "127.0.0.1", port, ssl=tls, subprotocols=[room.SUBPROTOCOL])
    try:
        yield server
    finally:
        server.close()
        await server.wait_closed()


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
async def port(service: Service) -> AsyncIterator[int]:
    port = free_port()
    async with running(service, port):
        yield port


def url(port: int) -> str:
    return f"ws://127.0.0.1:{port}/IncidentData/ent"


async def test_an_event_is_answered_once_its_calls_are_durable(service: Service, port: int) -> None:
    subscriber = Subscriber(url(port), filter="beat = 2")
    async with subscriber.listening():
        await until(lambda: bool(service.of("subscribe")))
        await service.event(document("a:x"), document("b:x"))
        await until(lambda: service.answers == [("t-1", 200)])
    assert subscriber.taker.numbers == ["a:x", "b:x"]
    [asked] = service.of("subscribe")
    assert (asked["requestType"], asked["requestSubType"]) == ("EIDO", "new")
    assert (asked["qualFilter"], asked["minRate"]) == ("beat = 2", 5)
    assert service.sockets[0].subprotocol == "emergency-ent1.0"


async def test_while_the_store_is_away_the_event_waits_unanswered(
    service: Service, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "AWAY_WAIT_S", 0.02)
    subscriber = Subscriber(url(port))
    subscriber.taker.away = True
    async with subscriber.listening():
        await until(lambda: bool(service.of("subscribe")))
        await service.event(document("a:x"))
        await until(lambda: subscriber.taker.tried >= 3)
        assert service.answers == []
        subscriber.taker.away = False
        await until(lambda: service.answers == [("t-1", 200)])
    assert subscriber.taker.numbers == ["a:x"]


async def test_an_empty_event_is_a_sign_of_life_and_is_answered(
    service: Service, port: int
) -> None:
    subscriber = Subscriber(url(port))
    async with subscriber.listening():
        await until(lambda: bool(service.of("subscribe")))
        await service.send(event={"subscriptionId": "s-1", "transactionId": "t-9"})
        await until(lambda: service.answers == [("t-9", 200)])
    assert subscriber.notes.alive
    assert subscriber.taker.tried == 0


async def test_a_service_without_news_shows_its_life_by_pongs(service: Service, port: int) -> None:
    subscriber = Subscriber(url(port), min_rate_s=1)
    async with subscriber.listening():
        await until(lambda: len(subscriber.notes.alive) >= 2)
    assert service.answers == []


async def test_a_bad_document_is_answered_by_name_and_the_next_goes_in(
    service: Service, port: int
) -> None:
    subscriber = Subscriber(url(port))
    async with subscriber.listening():
        await until(lambda: bool(service.of("subscribe")))
        bad = document("a:x") | {"lastUpdateTimeStamp": "soon"}
        await service.event(bad, document("b:x"))
        await until(lambda: service.answers == [("t-1", 400)])
    assert (subscriber.notes.reasons, subscriber.taker.numbers) == (["bad_time"], ["b:x"])


async def test_noise_on_the_line_is_kept_by_name_and_ends_nothing(
    service: Service, port: int
) -> None:
    subscriber = Subscriber(url(port))
    async with subscriber.listening():
        await until(lambda: bool(service.of("subscribe")))
        for noise in ("{", "[]", '{"hello": 1}', b"\xff\x00"):
            await service.sockets[-1].send(noise)
        await service.event(document("a:x"))
        await until(lambda: service.answers == [("t-1", 200)])
    assert sorted(subscriber.notes.reasons) == [
        "malformed_json", "malformed_json", "unknown_message", "unknown_message",
    ]  # fmt: skip


async def test_a_lost_connection_is_taken_up_again_and_repeats_no_call(
    service: Service, port: int
) -> None:
    subscriber = Subscriber(url(port))
    async with subscriber.listening():
        await until(lambda: bool(service.of("subscribe")))
        await service.event(document("a:x"))
        await until(lambda: len(service.answers) == 1)
        await service.sockets[-1].close()
        await until(lambda: len(service.of("subscribe")) == 2)
        await service.event(document("a:x"), document("b:x"), transaction="t-2")
        await until(lambda: len(service.answers) == 2)
    assert subscriber.taker.numbers == ["a:x", "b:x"]


async def test_a_subscription_is_renewed_before_it_ends(service: Service, port: int) -> None:
    service.expires = 1
    subscriber = Subscriber(url(port), expires_s=1)
    async with subscriber.listening():
        await until(lambda: len(service.of("subscribe")) == 2)
    renewal = service.of("subscribe")[1]
    assert renewal["subscriptionId"] == "s-1"
    assert "requestType" not in renewal
    assert len(service.sockets) == 1, "on the same connection"


async def test_an_ended_subscription_is_answered_and_asked_for_anew(
    service: Service, port: int
) -> None:
    subscriber = Subscriber(url(port))
    async with subscriber.listening():
        await until(lambda: bool(service.of("subscribe")))
        await service.send(terminate={"requestId": "r-1", "subscriptionId": "s-1"})
        await until(lambda: len(service.of("subscribe")) == 2)
    [answer] = service.of("terminateResponse")
    assert (answer["requestId"], answer["statusCode"]) == ("r-1", 200)


async def test_a_refused_subscription_says_what_to_look_at(service: Service, port: int) -> None:
    service.status = 403
    with pytest.raises(ServiceRefused, match="403 as asked; check url"):
        await Subscriber(url(port)).conveyance.run()


async def test_a_server_that_answers_nothing_is_given_up(
    service: Service, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "ANSWER_WAIT_S", 0.2)
    service.is_mute = True
    with pytest.raises(ServiceRefused, match="no answer to our subscription"):
        await Subscriber(url(port)).conveyance.run()


@asynccontextmanager
async def retrieving(answers: dict[str, bytes]) -> AsyncIterator[str]:
    """A retrieval service: the documents by path, 404 for others."""

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        body = answers.get(path)
        line = b"200 OK" if body is not None else b"404 Not Found"
        length = str(len(body or b"")).encode()
        head = b"HTTP/1.1 " + line + b"\r\nconnection: close\r\ncontent-length: " + length
        writer.write(head + b"\r\n\r\n" + (body or b""))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve_one, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/IncidentData/v1"
    finally:
        server.close()
        await server.wait_closed()


async def test_what_is_only_referred_to_is_fetched(service: Service, port: int) -> None:
    name = "urn:emergency:uid:incidentid:a:x"
    path = "/IncidentData/v1/incidents/" + name.replace(":", "%3A")
    async with retrieving({path: msgspec.json.encode(document("a:x"))}) as address:
        subscriber = Subscriber(url(port), retrieval_url=address)
        async with subscriber.listening():
            await until(lambda: bool(service.of("subscribe")))
            await service.event({"$ref": name}, transaction="t-1")
            await until(lambda: service.answers == [("t-1", 200)])
            await service.event({"$ref": "unknown"}, transaction="t-2")
            await until(lambda: service.answers[1:] == [("t-2", 503)])
    assert subscriber.taker.numbers == ["a:x"]
    assert subscriber.notes.reasons == ["not_retrieved"]


async def test_a_reference_that_cannot_be_fetched_says_what_is_missing(
    service: Service, port: int
) -> None:
    subscriber = Subscriber(url(port))
    async with subscriber.listening():
        await until(lambda: bool(service.of("subscribe")))
        await service.event({"$ref": "somewhere"})
        await until(lambda: service.answers == [("t-1", 400)])
    assert "retrieval_url" in subscriber.notes.says[0]


class Authority:
    """A practice authority and what it signed, as PEM files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "practice CA")])
        self.file = self._write("ca", self._signed(self._name, self._key.public_key(), True))

    def issue(self, name: str) -> tuple[str, str]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        certificate = self._write(name, self._signed(subject, key.public_key(), False))
        key_file = self.folder / f"{name}.key"
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return certificate, str(key_file)

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, is_authority: bool
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
        identifier = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        by = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=is_authority, crl_sign=is_authority,
            content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(by, critical=False)
            .add_extension(names, critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def _write(self, name: str, certificate: x509.Certificate) -> str:
        file = self.folder / f"{name}.pem"
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return str(file)


async def test_both_sides_show_their_certificates(service: Service, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*authority.issue("service"))
    tls.load_verify_locations(authority.file)
    tls.verify_mode = ssl.CERT_REQUIRED
    certificate, key = authority.issue("practice-pd")
    port = free_port()
    address = f"wss://localhost:{port}/IncidentData/ent"
    async with running(service, port, tls):
        known = Subscriber(address, authority=authority.file, certificate=certificate, key=key)
        async with known.listening():
            await until(lambda: bool(service.of("subscribe")))
            await service.event(document("a:x"))
            await until(lambda: known.taker.numbers == ["a:x"])
        with pytest.raises(ssl.SSLCertVerificationError):
            await Subscriber(address).conveyance.run()
        stranger = Subscriber(address, authority=authority.file)
        with pytest.raises((WebSocketException, OSError)):
            await stranger.conveyance.run()
    assert len(service.of("subscribe")) == 1
