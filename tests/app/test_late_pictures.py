"""Only pictures from named hosts are fetched, and an alert shows one that comes late."""

from __future__ import annotations

from uuid import UUID

import pytest

from farolito.media import fetch
from farolito.model import AlertId, Picture, ReadId, Rejected
from tests.running import RunningNode, read, told


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://elsewhere.example/x.jpg", "forbidden_host"),
        ("http://pictures.example/x.jpg", "forbidden_link"),
        ("https://user:word@pictures.example/x.jpg", "forbidden_link"),
        ("https://localhost/x.jpg", "forbidden_host"),
        ("file:///etc/passwd", "forbidden_link"),
    ],
)
async def test_a_link_leads_nowhere_but_to_the_named_public_hosts(url: str, reason: str) -> None:
    with pytest.raises(Rejected) as why:
        await fetch(url, ("pictures.example", "localhost"))
    assert why.value.reason == reason


@pytest.mark.node
async def test_a_late_picture_fills_the_alerts_panel(node: RunningNode) -> None:
    await node.list_plate("ABC1234")
    operator = await node.sign_in("operator")
    async with operator.live() as queue:
        await node.send(await node.reader_key(), [read("ABC1234")])
        alert = (await told(queue, "alert"))["alert"]
        picture = Picture(sha256="0" * 64, shows="vehicle")
        read_id = alert["match"]["read"]["read_id"]
        await node.node.desk.show_picture(
            AlertId(UUID(alert["alert_id"])), ReadId(UUID(read_id)), picture
        )
        after = (await told(queue, "alert"))["alert"]
    assert [p["shows"] for p in after["match"]["read"]["pictures"]] == ["vehicle"]
    assert after["version"] == alert["version"] + 1
