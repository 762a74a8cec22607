"""MPEG-TS (ISO/IEC 13818-1) into H.264 units, by `tstrans`: the first video of the programs in it.

Sound, subtitles and what else is in a stream are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from tstrans.exceptions import DemuxError
from tstrans.mpegts import Demuxer, DemuxerConfig, DemuxEvent, StreamKindTag, VideoCodec

from farolito.codec import Broken
from farolito.ingest.video.units import UNIT_BYTES_MAX
from farolito.model import PictureState

BUFFER_BYTES_MAX = 1 * 2**20  # kept while no packet's beginning is found; then it is MALFORMED
_PIECE_BYTES = 188 * 1024  # fed at once; the demuxer's buffer is for all that is not yet drained

Piece = tuple[bytes, int]  # Annex B, its time (decoding where told, else showing) in 1/90000 s


class TransportStream:
    """Bytes in, pieces out; None where something before is missing."""

    def __init__(self) -> None:
        self._demuxer = Demuxer(config())
        self._video = Video()

    def feed(self, data: bytes) -> Iterator[Piece | None]:
        """Raises Broken: MALFORMED, UNSUPPORTED."""
        for at in range(0, len(data), _PIECE_BYTES):
            try:
                self._demuxer.feed(data[at : at + _PIECE_BYTES])
            except DemuxError as error:
                raise malformed() from error
            yield from self._events()

    def end(self) -> Iterator[Piece | None]:
        """What was held back until its end was known. Raises Broken UNSUPPORTED."""
        try:
            self._demuxer.flush()
        except DemuxError as error:
            raise malformed() from error
        yield from self._events()
        self._video.check_seen()

    def _events(self) -> Iterator[Piece | None]:
        while (event := self._demuxer.next_event()) is not None:
            yield from self._video.pieces(event)


class Video:
    """Picks one H.264 stream out of the events of a demuxer."""

    def __init__(self) -> None:
        self._pid: int | None = None
        self._others: set[str] = set()

    def pieces(self, event: DemuxEvent) -> Iterator[Piece | None]:
        """Raises Broken UNSUPPORTED once it is known that there is nothing for us."""
        if isinstance(event, DemuxEvent.ProgramMap):
            self._choose(event)
        elif isinstance(event, DemuxEvent.Video) and event.stream.pid == self._pid:
            yield event.raw, (event.dts or event.pts).raw
        elif isinstance(event, DemuxEvent.Discontinuity) and event.stream.pid == self._pid:
            yield None

    def check_seen(self) -> None:
        if self._pid is None:
            raise unsupported(self._others)

    def _choose(self, event: DemuxEvent.ProgramMap) -> None:
        streams = [stream for program in event.programs for stream in program.streams]
        videos = [stream for stream in streams if stream.kind is StreamKindTag.VIDEO]
        h264 = [stream.pid for stream in videos if stream.codec is VideoCodec.H264]
        self._others = {str(stream.codec.value) for stream in videos if stream.codec}
        if h264:
            self._pid = self._pid if self._pid in h264 else h264[0]
        elif streams:
            raise unsupported(self._others)


def config() -> DemuxerConfig:
    return DemuxerConfig(
        pes_cap_per_pid=UNIT_BYTES_MAX + 1,
        pes_cap_total=2 * UNIT_BYTES_MAX,
        sync_buf_cap=BUFFER_BYTES_MAX,
    )


def unsupported(codecs: set[str]) -> Broken:
    what = " and ".join(sorted(codecs)).upper().replace("H26", "H.26")
    says = f"the camera sends {what}, not H.264" if what else "the camera sends no video"
    return Broken(PictureState.UNSUPPORTED, says, "give the address of its H.264 stream")


def malformed() -> Broken:
    says = "what the camera sends is no MPEG transport stream"
    return Broken(PictureState.MALFORMED, says, "check the address and the encoder's settings")
