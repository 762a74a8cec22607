"""A camera's address leads to a camera, and never into our own house."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_network

import pytest

from farolito.codec import Broken
from farolito.ingest.video.guard import Allowed, Guard
from farolito.model import PictureState

RTSP = ("rtsp", "rtsps")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("rtsp://10.1.2.3/a", Allowed("rtsp", "10.1.2.3", 554, "10.1.2.3")),
        ("rtsps://172.16.0.9/a", Allowed("rtsps", "172.16.0.9", 322, "172.16.0.9")),
        ("rtsp://93.184.216.34:8554", Allowed("rtsp", "93.184.216.34", 8554, "93.184.216.34")),
        ("rtsp://[fd12::7]/a", Allowed("rtsp", "fd12::7", 554, "fd12::7")),
    ],
)
async def test_cameras_of_private_and_public_networks_are_reached(
    url: str, allowed: Allowed
) -> None:
    assert await Guard().allow(url, RTSP) == allowed


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "localhost", "0.0.0.0"),
        *("169.254.169.254", "169.254.1.1", "224.0.0.1", "255.255.255.255", "240.0.0.1"),
        *("100.100.100.200", "168.63.129.16", "[::]", "[::1]", "[fe80::1]", "[ff02::1]"),
        *("[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]", "[::127.0.0.1]", "[fec0::1]"),
        *("[2002:7f00:1::]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[fd00:ec2::254]"),
        "[fe80::1%25eth0]",
    ],
)
async def test_no_camera_stands_inside_this_machine_or_where_a_cloud_keeps_its_secrets(
    host: str,
) -> None:
    assert await refusal(f"rtsp://{host}/a") is PictureState.BLOCKED


@pytest.mark.parametrize(
    "url",
    [
        *("http://10.1.2.3/a", "file:///etc/passwd", "rtsp:///a", "10.1.2.3", ""),
        *("rtsp://ana:secret@10.1.2.3/a", "rtsp://10.1.2.3\\@127.0.0.1/a", "rtsp://[10.1/a"),
        *("rtsp://10.1.2.3:22/a", "rtsp://10.1.2.3:0/a", "rtsp://10.1.2.3:99999/a"),
        *("rtsp://10.1.2.3/a\r\nX: y", "rtsp://10.1.2.3/a b", "rtsp://10.1.2.3/" + "a" * 3000),
    ],
)
async def test_what_is_no_plain_address_of_a_camera_is_refused(url: str) -> None:
    assert await refusal(url) is PictureState.BLOCKED


async def test_an_unknown_name_is_said_to_be_unknown() -> None:
    assert await refusal("rtsp://no-such-camera.invalid/a") is PictureState.UNREACHABLE


async def test_a_network_that_is_named_is_open_but_for_the_ports_of_this_node() -> None:
    guard = Guard([ip_network("127.0.0.0/8")], own_ports=[9000])
    assert (await guard.allow("rtsp://127.0.0.1:9001/a", RTSP)).address == "127.0.0.1"
    assert await refusal("rtsp://127.0.0.1:9000/a", guard) is PictureState.BLOCKED
    assert await refusal("rtsp://0.0.0.0:9000/a", guard) is PictureState.BLOCKED
    assert await refusal("rtsp://[::1]:9001/a", guard) is PictureState.BLOCKED
    assert (await guard.allow("rtsp://10.1.2.3:9000/a", RTSP)).port == 9000  # a camera's own


async def test_one_bad_address_of_a_name_is_enough_to_refuse_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The name server is the one part that a test cannot run: it says what an attacker's would."""

    async def two(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(0, 0, 0, "", (address, 554)) for address in ("93.184.216.34", "127.0.0.1")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", two)
    assert await refusal("rtsp://rebinding.example/a") is PictureState.BLOCKED


async def test_this_machines_own_address_in_a_private_network_is_refused() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect(("10.255.255.254", 9))  # sends nothing: it asks which address would
        except OSError:
            pytest.skip("this machine has no network")
        own = asked.getsockname()[0]
    assert await refusal(f"rtsp://{own}/a") is PictureState.BLOCKED


async def refusal(url: str, guard: Guard | None = None) -> PictureState:
    with pytest.raises(Broken) as broken:
        await (guard or Guard()).allow(url, RTSP)
    return broken.value.state
