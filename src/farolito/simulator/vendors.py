"""A reader's report in each vendor's own words: the bytes its camera would send.

Written from the vendors' documents, not from our decoders, so that the two check each other. What
a format has no field for is left out, as it is in the field. Pictures go along where the vendor
sends them in the message.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID
from xml.sax.saxutils import escape

import msgspec

from farolito.simulator import crop
from farolito.simulator.misread import Report
from farolito.simulator.readers import Reader

LOCAL = timezone(timedelta(hours=-7))  # what a well set camera in the metro writes
_HIKVISION_KINDS = {
    "sedan": "vehicle", "suv": "SUVMPV", "pickup": "pickupTruck", "van": "van", "truck": "truck",
    "motorcycle": "twoWheelVehicle",
}  # fmt: skip
_OPENALPR_KINDS = {
    "sedan": "sedan-standard", "suv": "suv-standard", "pickup": "truck-standard",
    "van": "van-mini", "truck": "tractor-trailer", "motorcycle": "motorcycle",
}  # fmt: skip
_OPENALPR_COLOURS = {"gray": "silver-gray", "silver": "silver-gray", "gold": "gold-beige"}
_PLATE_RECOGNIZER_KINDS = {
    "sedan": "Sedan", "suv": "SUV", "pickup": "Pickup Truck", "van": "Van", "truck": "Big Truck",
    "motorcycle": "Motorcycle",
}  # fmt: skip
_BOUNDARY = "---------------------------7e13971310878"


class Message(msgspec.Struct, frozen=True):
    """One HTTP request of a camera. `after_s`: how long after the passage it is sent."""

    format: str
    content_type: str
    body: bytes
    after_s: float = 0.4

    @property
    def path(self) -> str:
        return f"/ingest/lpr/{self.format}"


def encode(report: Report, reader: Reader) -> tuple[Message, ...]:
    """What the reader sends for one car, in order; a repeated delivery is there twice."""
    sent = _ENCODERS[reader.device.format](report, reader)
    return sent + sent[-1:] if report.again else sent


def _json(form: str, value: object, after_s: float = 0.4) -> Message:
    return Message(form, "application/json", msgspec.json.encode(value), after_s)


def _uuid(event: str) -> str:
    return str(UUID(hex=event))


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plate_picture(report: Report, reader: Reader) -> bytes:
    return crop.plate_crop(report.passage.vehicle, report.event, reader.quality.blur_px)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _lat_lon(reader: Reader) -> tuple[float, float]:
    place = reader.device.place
    assert place is not None
    return place.lat, place.lon


def farolito(report: Report, reader: Reader) -> tuple[Message, ...]:
    read = flat_read(report, reader)
    read["crop"] = _base64(_plate_picture(report, reader))
    return (_json("farolito", [read]),)


def flat_read(report: Report, reader: Reader) -> dict[str, object]:
    """One item of our own format, without pictures; what was not read is absent."""
    lat, lon = _lat_lon(reader)
    read = {
        "event": report.event,
        "plate": report.text,
        "captured_at": _utc(report.at),
        "confidence": report.confidence,
        "characters": report.characters,
        "candidates": [{"plate": p, "confidence": c} for p, c in report.candidates],
        "state": report.state,
        "state_confidence": report.state_confidence,
        "lat": lat,
        "lon": lon,
        "heading_deg": report.passage.heading_deg,
        "movement": "receding",
        "lane": report.passage.lane,
        "speed_mps": report.passage.speed_mps,
        "make": report.make,
        "model": report.model,
        "colour": report.colour,
        "kind": report.kind,
        "year": report.year,
    }
    return {k: v for k, v in read.items() if v is not None}


def openalpr(report: Report, reader: Reader) -> tuple[Message, ...]:
    """The frame first, then the group that names it."""
    uuid = f"{reader.device.device_id[:7]}-cam{_camera_number(reader)}-{report.event[:12]}"
    plate = _openalpr_plate(report)
    common = {
        "camera_id": _camera_number(reader),
        "site_id": "luminaria",
        "company_id": "44c9274f-8d57-432a-8cd7-8c991f22ead3",
        "img_width": 1280,
        "img_height": 720,
    }
    frame = {
        "version": 2, "data_type": "alpr_results", "epoch_time": _ms(report.at), **common,
        "processing_time_ms": 61.2, "uuid": uuid,
        "regions_of_interest": [{"x": 0, "y": 0, "width": 1280, "height": 720}],
        "results": [plate],
    }  # fmt: skip
    group = {
        "version": 2, "data_type": "alpr_group", "epoch_start": _ms(report.at),
        "epoch_end": _ms(report.at) + 900, **common, "uuids": [uuid], "best_uuid": uuid,
        "best_plate": plate | {"plate_crop_jpeg": _base64(_plate_picture(report, reader))},
        "best_plate_number": report.text, "best_confidence": plate["confidence"],
        "best_region": plate["region"], "candidates": plate["candidates"],
        "vehicle": plate["vehicle"],
    }  # fmt: skip
    return _json("openalpr", frame), _json("openalpr", group, 1.4)


def _camera_number(reader: Reader) -> int:
    return 1_414_799_000 + int(reader.device.device_id.split("-")[1])


def _openalpr_plate(report: Report) -> dict[str, object]:
    box = [{"x": x, "y": y} for x, y in ((604, 334), (709, 342), (708, 398), (601, 389))]
    return {
        "plate": report.text,
        "confidence": round(report.confidence * 100, 2),
        "matches_template": 0,
        "plate_index": 0,
        "region": f"us-{report.state.lower()}" if report.state else "",
        "region_confidence": round((report.state_confidence or 0) * 100),
        "processing_time_ms": 31.4,
        "requested_topn": 10,
        "coordinates": box,
        "candidates": [
            {"plate": p, "confidence": round(c * 100, 2), "matches_template": 0}
            for p, c in report.candidates
        ],
        "vehicle_region": {"x": 512, "y": 180, "width": 267, "height": 267},
        "vehicle": _openalpr_vehicle(report),
    }


def _openalpr_vehicle(report: Report) -> dict[str, list[dict[str, object]]]:
    def named(name: str | None, share: float) -> list[dict[str, object]]:
        return [{"name": name, "confidence": round(share * 100, 1)}] if name else []

    make = report.make
    model = f"{make}_{report.model}".replace(" ", "-") if make and report.model else None
    return {
        "orientation": named("180", 0.97),
        "color": named(
            _OPENALPR_COLOURS.get(report.colour or "", report.colour), report.colour_confidence
        ),
        "make": named(make, report.make_confidence),
        "make_model": named(model, report.make_confidence * 0.9),
        "body_type": named(_OPENALPR_KINDS.get(report.kind or ""), 0.86),
        "year": named(report.year, 0.5),
    }


def platerecognizer(report: Report, reader: Reader) -> tuple[Message, ...]:
    stamp = report.at.astimezone(UTC)
    name = f"{reader.device.device_id}_screenshots/{stamp:%y-%m-%d/%H-%M-%S.%f}.jpg"
    result = {
        "box": {"xmin": 460, "ymin": 357, "xmax": 557, "ymax": 396},
        "plate": report.text.lower(),
        "region": {
            "code": f"us-{report.state.lower()}" if report.state else "us",
            "score": report.state_confidence or 0.2,
        },
        "score": report.confidence,
        "candidates": [{"plate": p.lower(), "score": c} for p, c in report.candidates],
        "dscore": 0.81,
        "vehicle": {
            "score": 0.77,
            "type": _PLATE_RECOGNIZER_KINDS.get(report.kind or "", "Sedan"),
            "box": {"xmin": 387, "ymin": 123, "xmax": 793, "ymax": 577},
        },
        "model_make": _make_model(report),
        "color": [{"color": report.colour, "score": report.colour_confidence}],
        "orientation": [{"orientation": "Rear", "score": 0.91}],
        "direction": round(report.passage.heading_deg),
        "source_url": "rtsp://camera.invalid/stream",
        "position_sec": 4.0,
    }
    told = {
        "hook": {
            "target": "https://node.invalid/ingest/lpr/platerecognizer",
            "id": reader.device.device_id,
            "event": "recognition",
            "filename": name,
        },
        "data": {
            "camera_id": reader.device.device_id,
            "filename": name,
            "timestamp": stamp.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "timestamp_local": report.at.astimezone(LOCAL).isoformat(" ", "microseconds"),
            "results": [result],
        },
    }
    return (_json("platerecognizer", told),)


def _make_model(report: Report) -> list[dict[str, object]]:
    if report.make is None or report.model is None:
        return []
    return [
        {
            "make": report.make.title(),
            "model": report.model.title(),
            "score": report.make_confidence,
        }
    ]


def flock(report: Report, reader: Reader) -> tuple[Message, ...]:
    """The alert of its own list: the vendor says nothing of cars that are not on one."""
    lat, lon = _lat_lon(reader)
    expires = report.at + timedelta(days=1)
    told = {
        "deviceLat": lat, "deviceLong": lon, "deviceName": reader.device.name,
        "deviceExternalId": _uuid(f"{_camera_number(reader):032x}"),
        "networkName": "Luminaria NM PD",
        "networkExternalId": "4171ae2b-843f-405b-922d-b1e89921f24f",
        "objectId": _uuid(report.event), "eventTime": _utc(report.at),
        "imageUrl": f"https://signed.invalid/{report.event}.jpg",
        "imageExpiration": _utc(expires), "detailsUrl": "https://details.invalid/",
        "ocr": {
            "label": report.text.replace("O", "0"),
            "labelConfidence": round(report.confidence, 2),
            "state": report.state, "stateConfidence": report.state_confidence,
        },
        "sources": [{"name": "NCIC", "reason": "Stolen Vehicle", "caseNumber": None}],
    }  # fmt: skip
    return (_json("flock", told),)


def hikvision(report: Report, reader: Reader) -> tuple[Message, ...]:
    """Multipart: anpr.xml, then the pictures it lists, as octet-stream like the cameras do."""
    files = (
        ("licensePlatePicture.jpg", _plate_picture(report, reader)),
        ("detectionPicture.jpg", crop.scene(report.passage.vehicle, report.event)),
    )
    parts = [("anpr.xml", "text/xml", _hikvision_xml(report, reader).encode())]
    parts += [(name, "application/octet-stream", content) for name, content in files]
    body = b""
    for name, kind, content in parts:
        head = (
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
            f"Content-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        body += head.encode() + content + b"\r\n"
    body += f"--{_BOUNDARY}--\r\n".encode()
    return (Message("hikvision", f"multipart/form-data; boundary={_BOUNDARY}", body),)


def _hikvision_xml(report: Report, reader: Reader) -> str:
    local = report.at.astimezone(LOCAL)
    zone = "-07:00" if reader.quality.zone_h is None else f"{reader.quality.zone_h:+03d}:00"
    stamp = f"{local:%Y%m%d%H%M%S}{local.microsecond // 1000:03d}"
    believed = ",".join(str(round(c * 100)) for c in report.characters)
    kind = _HIKVISION_KINDS.get(report.kind or "", "unknown")
    number = _camera_number(reader)
    two_wheels = "yes" if report.kind == "motorcycle" else "no"
    pictures = "".join(
        f"<pictureInfo><fileName>{name}.jpg</fileName><type>{name}</type><dataType>0</dataType>"
        f"<absTime>{stamp}</absTime><pId>{report.event[:16]}{i}</pId></pictureInfo>"
        for i, name in enumerate(("licensePlatePicture", "detectionPicture"))
    )
    no_place = "<degree>0</degree><minute>0</minute><sec>0.0</sec>"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<EventNotificationAlert version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema">'
        f"<ipAddress>192.168.1.{number % 250}</ipAddress><portNo>80</portNo>"
        f"<protocol>HTTP</protocol><macAddress>00:00:5e:00:53:{number % 256:02x}</macAddress>"
        f"<channelID>1</channelID><dateTime>{local:%Y-%m-%dT%H:%M:%S}{zone}</dateTime>"
        "<activePostCount>1</activePostCount><eventType>ANPR</eventType>"
        "<eventState>active</eventState><eventDescription>ANPR</eventDescription>"
        f"<channelName>{escape(reader.device.name)}</channelName><ANPR><country>46</country>"
        f"<licensePlate>{report.text}</licensePlate><line>{report.passage.lane}</line>"
        f"<direction>reverse</direction><confidenceLevel>{round(report.confidence * 100)}"
        "</confidenceLevel><plateType>unknown</plateType><plateColor>unknown</plateColor>"
        "<licenseBright>128</licenseBright><dangmark>no</dangmark>"
        f"<twoWheelVehicle>{two_wheels}</twoWheelVehicle>"
        "<threeWheelVehicle>no</threeWheelVehicle>"
        f"<plateCharBelieve>{believed}</plateCharBelieve><vehicleType>{kind}</vehicleType>"
        "<detectDir>8</detectDir><detectType>0</detectType><alarmDataType>0</alarmDataType>"
        "<vehicleInfo><index>7395</index><colorDepth>2</colorDepth>"
        f"<color>{report.colour or 'unknown'}</color><length>0</length>"
        "<vehicleLogoRecog>1707</vehicleLogoRecog><vehileSubLogoRecog>0</vehileSubLogoRecog>"
        "<vehileModel>0</vehileModel></vehicleInfo>"
        f"<pictureInfoList>{pictures}</pictureInfoList>"
        f"<originalLicensePlate>{report.text}</originalLicensePlate><CRIndex>46</CRIndex>"
        "<vehicleListName>otherList</vehicleListName><plateSize>0</plateSize></ANPR>"
        f"<UUID>{_uuid(report.event)}</UUID><picNum>2</picNum><monitoringSiteID/>"
        "<isDataRetransmission>false</isDataRetransmission><DeviceGPSInfo>"
        "<longitudeType>E</longitudeType><latitudeType>N</latitudeType>"
        f"<Longitude>{no_place}</Longitude><Latitude>{no_place}</Latitude></DeviceGPSInfo>"
        "</EventNotificationAlert>"
    )


def axis(report: Report, reader: Reader) -> tuple[Message, ...]:
    """The car comes (new) and goes (lost); the confidence grows in between."""
    lat, lon = _lat_lon(reader)
    local = report.at.astimezone(LOCAL)
    sent = []
    for counter, (state, after_s, share) in enumerate((("new", 0.3, 0.96), ("lost", 1.6, 1.0)), 1):
        told = {
            "packetCounter": str(counter),
            "datetime": f"{local:%Y%m%d %H%M%S}{local.microsecond // 1000:03d}",
            "plateUTF8": report.text,
            "plateUnicode": report.text,
            "plateText": "".join(f"\\u{ord(c):04x}" for c in report.text),
            "plateCountry": "USA",
            "plateConfidence": round(report.confidence * share, 3),
            "carState": state,
            "geotag": {"lat": lat, "lon": lon},
            "imageType": "plate",
            "plateImageType": "jpeg",
            "plateImageSize": "0",
            "carMoveDirection": "out",
            "timeProcessing": "104",
            "plateCoordinates": [625, 564, 192, 32],
            "carID": str(int(report.event[:10], 16)),
            "sensorProviderID": "cam",
            "roiID": "1",
            "capture_timestamp": str(_ms(report.at)),
        }
        sent.append(_json("axis", told, after_s))
    return tuple(sent)


def genetec_sharpv(report: Report, reader: Reader) -> tuple[Message, ...]:
    lat, lon = _lat_lon(reader)
    at = report.at.astimezone(UTC)
    picture = _base64(_plate_picture(report, reader))
    context = _base64(crop.scene(report.passage.vehicle, report.event))
    body = (
        f'<?xml version="1.0" encoding="utf-8"?><AutoVu><Plate>{report.text}</Plate>'
        f"<State>{report.state or ''}</State><UTCDate>{at:%Y:%m:%d}</UTCDate>"
        f"<UTCTime>{at:%H:%M:%S}.{at.microsecond // 1000:03d}</UTCTime>"
        f"<CameraName>{escape(reader.device.name)}</CameraName>"
        f"<SourceName>SHARPV{_camera_number(reader) % 100_000}</SourceName>"
        f"<ContextImage>{context}</ContextImage><PlateImage>{picture}</PlateImage>"
        f"<LongitudeX>{lon}</LongitudeX><LatitudeY>{lat}</LatitudeY>"
        f"<Guid>{_uuid(report.event)}</Guid>"
        f"<ConfidenceScore>{round(report.confidence * 100)}</ConfidenceScore>"
        f"<Lane>{report.passage.lane}</Lane></AutoVu>"
    )
    return (Message("genetec_sharpv", "text/xml", body.encode()),)


def verkada(report: Report, reader: Reader) -> tuple[Message, ...]:
    seconds = _ms(report.at) // 1000
    told = {
        "org_id": "01ec0956-b7cf-415d-bd78-43c8d373cd65",
        "webhook_type": "lpr",
        "created_at": seconds + 1,
        "webhook_id": _uuid(report.event),
        "data": {
            "camera_id": _uuid(f"{_camera_number(reader):032x}"),
            "created": seconds,
            "detected": _ms(report.at),
            "license_plate_number": report.text,
            "confidence": round(report.confidence, 3),
            "crop": [0.307, 0.332, 0.529, 0.558],
            "image_url": f"https://signed.invalid/{report.event}.jpg",
        },
    }
    if report.state:
        told["data"]["license_plate_state"] = f"us-{report.state.lower()}"  # type: ignore[index]
    return (_json("verkada", told),)


def frigate(report: Report, reader: Reader) -> tuple[Message, ...]:
    seconds = _ms(report.at) / 1000
    told = {
        "type": "lpr",
        "id": f"{seconds:.6f}-{report.event[:6]}",
        "name": None,
        "plate": report.text,
        "score": round(report.confidence, 2),
        "camera": reader.device.device_id.replace("-", "_"),
        "timestamp": seconds,
        "plate_box": [917, 487, 1029, 529],
    }
    return (_json("frigate", told),)


_ENCODERS: Mapping[str, Callable[[Report, Reader], tuple[Message, ...]]] = {
    e.__name__: e
    for e in (
        farolito, openalpr, platerecognizer, flock, hikvision, axis, genetec_sharpv, verkada,
        frigate,
    )
}  # fmt: skip
FORMATS = tuple(_ENCODERS)
