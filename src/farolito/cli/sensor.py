"""`farolito sensor`: the program on a gunshot sensor's own board, and its key."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from farolito.model import FarolitoError

if TYPE_CHECKING:
    from farolito.ingest.gunshot.sensor.link import Link
    from farolito.ingest.gunshot.sensor.program import Sensor
    from farolito.ingest.gunshot.sensor.settings import Settings
    from farolito.ingest.gunshot.sensor.sources import Piece

app = typer.Typer(no_args_is_help=True, help="A gunshot sensor: microphone in, pulses out.")


@app.callback()
def _sensor() -> None:
    """A gunshot sensor: microphone in, pulses out."""


@app.command("key")
def key(file: Path) -> None:
    """Make this sensor's key, and print the public key by which a node knows it."""
    from farolito.ingest.gunshot.sensor.key import make_key

    public = make_key(file)
    typer.echo(public)
    typer.echo(f"{file} is the sensor's own key: leave it here. Register the line above.", err=True)


@app.command("run")
def run(
    config: Annotated[Path, typer.Option("--config", "-c", help="The sensor's file")] = Path(
        "sensor.toml"
    ),
    wav: Annotated[
        list[Path] | None, typer.Option(help="Play these as if live, instead of the microphone")
    ] = None,
    speed: Annotated[
        float, typer.Option(min=0.0, help="Of --wav: 1 as it was, 0 as fast as it goes")
    ] = 1.0,
    linger: Annotated[
        float, typer.Option(min=0.0, help="After --wav: seconds to tell the rest and give clips")
    ] = 5.0,
) -> None:
    """Listen, and tell the node of every onset, until Ctrl-C."""
    from farolito.ingest.gunshot.sensor.settings import load

    settings = load(config)
    asyncio.run(_run(settings, config.parent, wav or [], speed, linger))


async def _run(
    settings: Settings, beside: Path, wavs: list[Path], speed: float, linger_s: float
) -> None:
    import time

    from farolito.ingest.gunshot.sensor import sources
    from farolito.ingest.gunshot.sensor.key import load_key, next_boot
    from farolito.ingest.gunshot.sensor.program import Sensor, for_ever

    key_file = beside / settings.key_file  # an absolute path stays what it is
    link = _link(settings)
    sensor = Sensor(settings, load_key(key_file), link, lambda: next_boot(key_file, time.time()))
    source: AsyncIterator[Piece] = (
        sources.files(wavs, speed)
        if wavs
        else for_ever(
            lambda: sources.microphone(settings.device, settings.rate_hz, settings.latency_s)
        )
    )
    logging.getLogger(__name__).info("%s listens", settings.sensor)
    work = asyncio.create_task(sensor.run(source, linger_s if wavs else 0.0))
    loop = asyncio.get_running_loop()
    for signal_ in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        pass
    finally:
        await link.close()
    _say(sensor)


def _link(settings: Settings) -> Link:
    if settings.mqtt is not None:
        from farolito.ingest.gunshot.sensor.broker import BrokerLink

        return BrokerLink(settings.mqtt, settings.sensor)
    from farolito.ingest.gunshot.sensor.link import HttpLink

    return HttpLink(settings.node, settings.authority)


def _say(sensor: Sensor) -> None:
    typer.echo(
        f"{sensor.pulses_sent} pulses told, {sensor.waiting} left untold, {sensor.dropped} dropped;"
        f" {sensor.clips_sent} clips given, {sensor.clips_refused} refused"
    )
    if sensor.waiting:
        raise FarolitoError(
            f"{sensor.waiting} pulses did not reach the node", "see the lines above"
        )
