"""Plate reads: mass insert with the stream position, history, counts, day partitions.

Sums: a read is about 180 bytes with its indexes; 50,000 reads/s come in transactions of up to
10,000 rows, one COPY each. The rows are packed here into PostgreSQL's binary COPY format
(documentation of COPY, "Binary Format"), which is several times cheaper than one call a value.
"""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from farolito.geo.distance import Plane
from farolito.model import (
    AgencyId,
    Candidate,
    DeviceId,
    Picture,
    PlateRead,
    Point,
    ReadId,
    Seen,
    SeenVehicle,
)
from farolito.model.plates import PLATE_CHARACTERS_MAX
from farolito.model.search import PlaceQuestion, ReadsWanted

HISTORY_ROWS_MAX = 500  # the newest; older ones are asked for by time
PARTITIONS_AHEAD_DAYS = 2
SAMPLE_READS = 100_000  # enough for shares of a thousandth

_COLUMNS = (
    "read_id", "captured_at", "received_at", "lat", "lon", "reader", "confidence", "heading",
    "plate", "state", "agency", "make", "colour", "kind", "detail",
)  # fmt: skip
_COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8
_COPY_TRAILER = b"\xff\xff"
_EPOCH_MS = 946_684_800_000  # 2000-01-01, where PostgreSQL's time begins
_NULL = b"\xff\xff\xff\xff"
_NO_PLACE = _NULL + _NULL
_HEAD = struct.Struct("!hi16siqiq").pack  # 15 columns; id, captured, received
_PLACE = struct.Struct("!idid").pack
_NUMBERS = struct.Struct("!iiihih").pack  # reader, confidence, heading
_INT4 = struct.Struct("!ii").pack
_INT2 = struct.Struct("!ih").pack
_LENGTH = struct.Struct("!i").pack
_SINGLES = [struct.Struct(f"!{n}f") for n in range(PLATE_CHARACTERS_MAX + 1)]  # by length


class _Detail(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What has no column of its own. Its fields are told by place: new ones go to the end."""

    text: str | None = None  # where it differs from the plate
    source: str = ""
    event: str = ""
    characters: bytes | None = None  # four bytes each: single precision
    candidates: tuple[Candidate, ...] = ()
    state_confidence: float | None = None
    movement: str | None = None
    lane: int | None = None
    speed_mps: float | None = None
    vehicle: SeenVehicle | None = None
    pictures: tuple[Picture, ...] = ()
    picture_url: str | None = None
    folded: str | None = None


_encode_detail = msgspec.msgpack.Encoder().encode
_decode_detail = msgspec.msgpack.Decoder(_Detail).decode


class Readers:
    """The short number that stands for a reader in each row."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[AgencyId, DeviceId], int] = {}

    async def learn(
        self, connection: Any, wanted: Collection[tuple[AgencyId, DeviceId]]
    ) -> Mapping[tuple[AgencyId, DeviceId], int]:
        """Give every wanted reader its number, once. `remember` them when this is committed."""
        learnt = {}
        for agency, device in wanted:
            if (agency, device) in self._numbers:
                continue
            learnt[agency, device] = await connection.fetchval(
                "insert into readers (agency, device_id) values ($1, $2)"
                " on conflict (agency, device_id) do update set agency = excluded.agency"
                " returning number",
                agency,
                device,
            )
        return learnt

    def remember(self, learnt: Mapping[tuple[AgencyId, DeviceId], int]) -> None:
        self._numbers.update(learnt)

    def know(self, agency: AgencyId, device: DeviceId, number: int) -> None:
        self._numbers[agency, device] = number

    def number(self, read: PlateRead) -> int:
        return self._numbers[read.agency, read.reader]


def pack(reads: Iterable[PlateRead], readers: Readers) -> bytes:
    """The rows in binary COPY format."""
    out = [_COPY_HEADER]
    append = out.append
    texts: dict[str | None, bytes] = {None: _NULL}
    received, received_us = None, 0
    for read in reads:
        if read.received_at is not received:  # the reads of one message share it
            received, received_us = read.received_at, _microseconds(read.received_at)
        captured_us = _microseconds(read.captured_at)
        append(_HEAD(15, 16, read.read_id.bytes, 8, captured_us, 8, received_us))
        place = read.place
        append(_PLACE(8, place.lat, 8, place.lon) if place else _NO_PLACE)
        append(_numbers(readers.number(read), read.confidence, read.heading_deg))
        plate = read.plate.encode()
        append(_LENGTH(len(plate)) + plate)
        vehicle = read.vehicle
        append(_text(read.state, texts) + _text(read.agency, texts))
        if vehicle is None:
            append(_NULL + _NULL + _NULL)
        else:
            for seen in (vehicle.make, vehicle.colour, vehicle.kind):
                append(_text(seen.value if seen else None, texts))
        append(_detail(read))
    append(_COPY_TRAILER)
    return b"".join(out)


async def copy(connection: Any, packed: bytes, table: str = "reads") -> None:
    async def source() -> AsyncIterator[bytes]:
        yield packed

    await connection.copy_to_table(table, source=source(), columns=_COLUMNS, format="binary")


async def position(connection: Any, consumer: str) -> int:
    """The last stream sequence whose reads are stored; 0 at the start."""
    return int(
        await connection.fetchval(
            "select coalesce(max(sequence), 0) from stream_positions where consumer = $1", consumer
        )
    )


async def advance(connection: Any, consumer: str, sequence: int) -> None:
    """Move the position, in the transaction of the rows it stands for."""
    await connection.execute(
        "insert into stream_positions (consumer, sequence) values ($1, $2)"
        " on conflict (consumer) do update set sequence = excluded.sequence, at = now()",
        consumer,
        sequence,
    )


async def recent_ids(connection: Any, limit: int) -> list[bytes]:
    """The ids received last: what a restarted pipeline must recognise when they come again."""
    rows = await connection.fetch(
        "select read_id from reads where received_at > now() - interval '1 day'"
        " order by received_at desc limit $1",
        limit,
    )
    return [row["read_id"].bytes for row in reversed(rows)]


async def seen_counts(
    connection: Any, agency: AgencyId, plates: Collection[str]
) -> Mapping[str, Mapping[str | None, int]]:
    """How often each of these plates was read within what is kept, by the state that was read."""
    rows = await connection.fetch(
        "select plate, state, count(*) as n from reads"
        " where plate = any($2::text[]) and agency = $1 group by plate, state",
        agency,
        list(plates),
    )
    found: dict[str, dict[str | None, int]] = {}
    for row in rows:
        found.setdefault(row["plate"], {})[row["state"]] = row["n"]
    return found


async def sampled_plates(connection: Any, total: int) -> list[tuple[str, str]]:
    """(state, plate) of about SAMPLE_READS reads whose state was read, over all that is kept."""
    percent = min(100.0, 100.0 * SAMPLE_READS / max(total, 1))
    rows = await connection.fetch(
        "select state, plate from reads tablesample system ($1) where state is not null", percent
    )
    return [(row["state"], row["plate"]) for row in rows]


async def estimated_total(connection: Any) -> int:
    """About how many reads are kept, from the planner's own figures."""
    return int(
        await connection.fetchval(
            "select coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint from pg_inherits i"
            " join pg_class c on c.oid = i.inhrelid where i.inhparent = 'reads'::regclass"
        )
    )


async def history(connection: Any, plate: str, since: datetime) -> list[PlateRead]:
    """The newest reads of exactly this plate; the transaction's agency only."""
    rows = await connection.fetch(
        "select r.*, n.device_id from reads r join readers n on n.number = r.reader"
        " where plate = $1 and captured_at >= $2 order by captured_at desc limit $3",
        plate,
        since,
        HISTORY_ROWS_MAX,
    )
    return [_read(row) for row in rows]


class Reads:
    """Bound to one transaction of one agency."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def search(self, wanted: ReadsWanted) -> list[PlateRead]:
        """The newest that are wanted."""
        rings = [",".join(f"({p.lon!r},{p.lat!r})" for p in zone.ring) for zone in wanted.zones]
        rows = await self._connection.fetch(
            "select r.*, n.device_id from reads r join readers n on n.number = r.reader"
            " where plate = any($1::text[]) and captured_at >= $2 and captured_at < $3"
            " and ($4::text is null or state is null or state = $4)"
            " and (cardinality($5::text[]) = 0 or exists (select 1"
            " from unnest($5::text[]) z(ring) where z.ring::polygon @> point(r.lon, r.lat)))"
            " order by captured_at desc limit $6",
            list(wanted.plates),
            wanted.since,
            wanted.until,
            wanted.state,
            rings,
            min(wanted.limit, HISTORY_ROWS_MAX),
        )
        return [_read(row) for row in rows]

    async def near(self, asked: PlaceQuestion, limit: int) -> list[PlateRead]:
        """The newest within the circle. A read whose place is unknown is in none."""
        place = asked.place
        east_m, north_m = Plane((place.lat, place.lon)).to_m((place.lat + 1, place.lon + 1))
        rows = await self._connection.fetch(
            "select r.*, n.device_id from reads r join readers n on n.number = r.reader"
            " where captured_at >= $1 and captured_at < $2"
            " and ((r.lat - $3) * $5) ^ 2 + ((r.lon - $4) * $6) ^ 2 <= $7"
            " order by captured_at desc limit $8",
            asked.since,
            asked.until,
            place.lat,
            place.lon,
            north_m,
            east_m,
            asked.radius_m**2,
            min(limit, HISTORY_ROWS_MAX),
        )
        return [_read(row) for row in rows]


async def make_partitions(connection: Any, first: date, last: date) -> None:
    """Day partitions from `first` to `last`, where they are missing.

    A day whose reads already fell into the default partition stays there: correct, and gone with
    that day's deletion.
    """
    day = first
    while day <= last:
        name = f"reads_{day:%Y%m%d}"
        exists = await connection.fetchval("select to_regclass($1) is not null", name)
        if not exists:
            start, end = day.isoformat(), (day + timedelta(days=1)).isoformat()
            strays = await connection.fetchval(
                "select exists (select 1 from reads_default"
                " where captured_at >= $1::date and captured_at < $1::date + 1)",
                day,
            )
            if not strays:
                await connection.execute(
                    f"create table {name} partition of reads"
                    f" for values from ('{start} 00:00+00') to ('{end} 00:00+00')"
                )
        day += timedelta(days=1)


async def drop_before(connection: Any, day: date) -> int:
    """End the keeping of every day before `day`; answers how many reads went."""
    gone = 0
    names = await connection.fetch(
        "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid"
        " where i.inhparent = 'reads'::regclass and c.relname ~ '^reads_[0-9]{8}$'"
        " and c.relname < $1",
        f"reads_{day:%Y%m%d}",
    )
    for row in names:
        name = row["relname"]  # matched by the pattern above: digits only
        gone += await connection.fetchval(f"select count(*) from {name}")  # noqa: S608
        await connection.execute(f"drop table {name}")
    tag = await connection.execute("delete from reads_default where captured_at < $1::date", day)
    return gone + int(tag.split()[-1])


def _read(row: Any) -> PlateRead:
    detail = _decode_detail(row["detail"]) if row["detail"] else _Detail()
    vehicle = detail.vehicle
    if vehicle is None and (row["make"] or row["colour"] or row["kind"]):
        vehicle = SeenVehicle(
            make=Seen(row["make"]) if row["make"] else None,
            colour=Seen(row["colour"]) if row["colour"] else None,
            kind=Seen(row["kind"]) if row["kind"] else None,
        )
    known: dict[str, Any] = {
        name: getattr(detail, name)
        for name in (
            "source", "event", "candidates", "state_confidence", "movement",
            "lane", "speed_mps", "pictures", "picture_url", "folded",
        )
    }  # fmt: skip
    return PlateRead(
        read_id=ReadId(row["read_id"]),
        agency=AgencyId(row["agency"]),
        reader=DeviceId(row["device_id"]),
        captured_at=row["captured_at"],
        received_at=row["received_at"],
        text=detail.text or row["plate"],
        plate=row["plate"],
        confidence=None if row["confidence"] is None else row["confidence"] / 1000,
        state=row["state"],
        place=None if row["lat"] is None else Point(row["lat"], row["lon"]),
        heading_deg=row["heading"],
        vehicle=vehicle,
        characters=_unpack_characters(detail.characters),
        **known,
    )


def _detail(read: PlateRead) -> bytes:
    vehicle = read.vehicle
    if vehicle is not None and not (vehicle.model or vehicle.year or _has_confidence(vehicle)):
        vehicle = None
    raw = _encode_detail(
        _Detail(
            None if read.text == read.plate else read.text,
            read.source,
            read.event,
            _pack_characters(read.characters),
            read.candidates,
            read.state_confidence,
            read.movement,
            read.lane,
            read.speed_mps,
            vehicle,
            read.pictures,
            read.picture_url,
            read.folded,
        )
    )
    return _LENGTH(len(raw)) + raw


def _has_confidence(vehicle: SeenVehicle) -> bool:
    return any(
        seen is not None and seen.confidence is not None
        for seen in (vehicle.make, vehicle.colour, vehicle.kind)
    )


def _text(value: str | None, known: dict[str | None, bytes]) -> bytes:
    packed = known.get(value)
    if packed is None:
        raw = (value or "").encode()
        packed = known[value] = _LENGTH(len(raw)) + raw
    return packed


def _microseconds(at: datetime) -> int:
    """Since PostgreSQL's epoch, to the millisecond that the column keeps."""
    return (round(at.timestamp() * 1000) - _EPOCH_MS) * 1000


def _numbers(reader: int, confidence: float | None, heading: float | None) -> bytes:
    if confidence is not None and heading is not None:
        return _NUMBERS(4, reader, 2, round(confidence * 1000), 2, round(heading) % 360)
    told = _NULL if confidence is None else _INT2(2, round(confidence * 1000))
    way = _NULL if heading is None else _INT2(2, round(heading) % 360)
    return _INT4(4, reader) + told + way


def _pack_characters(characters: tuple[float, ...] | None) -> bytes | None:
    return None if characters is None else _SINGLES[len(characters)].pack(*characters)


def _unpack_characters(packed: bytes | None) -> tuple[float, ...] | None:
    if packed is None:
        return None
    return tuple(round(c, 6) for c in _SINGLES[len(packed) // 4].unpack(packed))
