"""What a practice camera answers to ONVIF's questions: about itself, its streams, its turning.

Each answer is the content of a SOAP body; the prefixes are those of `camera_onvif`'s envelope.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from xml.etree.ElementTree import Element

from farolito.simulator.camera_eye import CameraEye
from farolito.simulator.camera_turning import Aim, Turning
from farolito.simulator.cameras import Stream

_SPACES = "http://www.onvif.org/ver10/tptz"
_POSITION = f"{_SPACES}/PanTiltSpaces/PositionGenericSpace"
_SPEED = f"{_SPACES}/PanTiltSpaces/VelocityGenericSpace"
_ZOOM_POSITION = f"{_SPACES}/ZoomSpaces/PositionGenericSpace"
_ZOOM_SPEED = f"{_SPACES}/ZoomSpaces/VelocityGenericSpace"
_DURATION = re.compile(r"P(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)")


class Unable(Exception):
    """What was asked cannot be; `code` by ONVIF's own list."""

    def __init__(self, code: str, says: str) -> None:
        super().__init__(says)
        self.code = code


class Service:
    """One camera's answers."""

    def __init__(self, eye: CameraEye, host: str, ports: tuple[int, int]) -> None:
        self._eye, self._camera = eye, eye.one.camera
        self._base = f"http://{host}:{ports[0]}/onvif/{self._camera.camera_id}"
        self._rtsp = f"rtsp://{host}:{ports[1]}/{self._camera.camera_id}"
        self.answers: dict[str, Callable[[Element], str]] = {
            "GetSystemDateAndTime": self._time,
            "GetDeviceInformation": self._device,
            "GetCapabilities": self._capabilities,
            "GetServices": self._services,
            "GetServiceCapabilities": self._service_capabilities,
            "GetProfiles": self._profiles,
            "GetProfile": self._profile_asked,
            "GetStreamUri": self._stream_uri,
            "GetSnapshotUri": self._snapshot_uri,
        }
        if eye.turning is not None:
            self.answers |= {
                "GetNodes": self._nodes,
                "GetNode": self._node_asked,
                "GetConfigurations": self._ptz_configurations,
                "GetConfigurationOptions": self._ptz_options,
                "GetStatus": self._status,
                "GetPresets": lambda _: "<tptz:GetPresetsResponse/>",
                "ContinuousMove": self._move,
                "AbsoluteMove": self._go,
                "RelativeMove": self._go_on,
                "Stop": self._stop,
                "GotoHomePosition": self._home,
            }

    # Device

    def _time(self, _: Element) -> str:
        now = datetime.now(UTC) + timedelta(seconds=self._eye.one.clock_s)
        return (
            "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime>"
            "<tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>"
            "<tt:TimeZone><tt:TZ>UTC0</tt:TZ></tt:TimeZone><tt:UTCDateTime>"
            f"<tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute>"
            f"<tt:Second>{now.second}</tt:Second></tt:Time>"
            f"<tt:Date><tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month>"
            f"<tt:Day>{now.day}</tt:Day></tt:Date>"
            "</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
        )

    def _device(self, _: Element) -> str:
        model = "Practice PTZ" if self._eye.turning else "Practice fixed"
        serial = hashlib.sha256(self._camera.camera_id.encode()).hexdigest()[:12]
        return (
            "<tds:GetDeviceInformationResponse><tds:Manufacturer>Farolito</tds:Manufacturer>"
            f"<tds:Model>{model}</tds:Model><tds:FirmwareVersion>1.0</tds:FirmwareVersion>"
            f"<tds:SerialNumber>{serial}</tds:SerialNumber>"
            "<tds:HardwareId>drawn</tds:HardwareId></tds:GetDeviceInformationResponse>"
        )

    def _capabilities(self, _: Element) -> str:
        ptz = ""
        if self._eye.turning:
            ptz = f"<tt:PTZ><tt:XAddr>{self._base}/ptz</tt:XAddr></tt:PTZ>"
        return (
            "<tds:GetCapabilitiesResponse><tds:Capabilities>"
            f"<tt:Device><tt:XAddr>{self._base}/device_service</tt:XAddr></tt:Device>"
            f"<tt:Media><tt:XAddr>{self._base}/media</tt:XAddr><tt:StreamingCapabilities>"
            "<tt:RTPMulticast>false</tt:RTPMulticast><tt:RTP_TCP>true</tt:RTP_TCP>"
            "<tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities></tt:Media>"
            f"{ptz}</tds:Capabilities></tds:GetCapabilitiesResponse>"
        )

    def _services(self, _: Element) -> str:
        found = [("device/wsdl", "10", "device_service"), ("media/wsdl", "10", "media")]
        if self._eye.turning:
            found.append(("ptz/wsdl", "20", "ptz"))
        return (
            "<tds:GetServicesResponse>"
            + "".join(
                f"<tds:Service><tds:Namespace>http://www.onvif.org/ver{version}/{name}"
                f"</tds:Namespace><tds:XAddr>{self._base}/{path}</tds:XAddr>"
                "<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version>"
                "</tds:Service>"
                for name, version, path in found
            )
            + "</tds:GetServicesResponse>"
        )

    def _service_capabilities(self, asked: Element) -> str:
        if "ptz" in asked.tag:
            return (
                "<tptz:GetServiceCapabilitiesResponse>"
                '<tptz:Capabilities MoveStatus="true" StatusPosition="true"/>'
                "</tptz:GetServiceCapabilitiesResponse>"
            )
        if "media" in asked.tag:
            return (
                "<trt:GetServiceCapabilitiesResponse><trt:Capabilities SnapshotUri="
                '"true"><trt:ProfileCapabilities MaximumNumberOfProfiles="2"/>'
                '<trt:StreamingCapabilities RTP_RTSP_TCP="true"/></trt:Capabilities>'
                "</trt:GetServiceCapabilitiesResponse>"
            )
        return (
            "<tds:GetServiceCapabilitiesResponse><tds:Capabilities><tds:Network/>"
            '<tds:Security UsernameToken="true" HttpDigest="true"/><tds:System/>'
            "</tds:Capabilities></tds:GetServiceCapabilitiesResponse>"
        )

    # Media

    def _profiles(self, _: Element) -> str:
        both = self._profile("trt:Profiles", "main") + self._profile("trt:Profiles", "sub")
        return f"<trt:GetProfilesResponse>{both}</trt:GetProfilesResponse>"

    def _profile_asked(self, asked: Element) -> str:
        made = self._profile("trt:Profile", self._token(asked))
        return f"<trt:GetProfileResponse>{made}</trt:GetProfileResponse>"

    def _profile(self, tag: str, name: str) -> str:
        stream: Stream = self._eye.one.main if name == "main" else self._eye.one.sub
        size = f"<tt:Width>{stream.width}</tt:Width><tt:Height>{stream.height}</tt:Height>"
        ptz = self._ptz_configuration("tt:PTZConfiguration") if self._eye.turning else ""
        return (
            f'<{tag} token="{name}" fixed="true"><tt:Name>{name}</tt:Name>'
            '<tt:VideoSourceConfiguration token="source"><tt:Name>source</tt:Name>'
            "<tt:UseCount>2</tt:UseCount><tt:SourceToken>lens</tt:SourceToken>"
            f'<tt:Bounds x="0" y="0" width="{stream.width}" height="{stream.height}"/>'
            "</tt:VideoSourceConfiguration>"
            f'<tt:VideoEncoderConfiguration token="encoder-{name}"><tt:Name>{name}</tt:Name>'
            f"<tt:UseCount>1</tt:UseCount><tt:Encoding>H264</tt:Encoding><tt:Resolution>{size}"
            "</tt:Resolution><tt:Quality>4</tt:Quality><tt:RateControl>"
            f"<tt:FrameRateLimit>{round(stream.fps)}</tt:FrameRateLimit>"
            "<tt:EncodingInterval>1</tt:EncodingInterval>"
            f"<tt:BitrateLimit>{stream.bit_rate // 1000}</tt:BitrateLimit></tt:RateControl>"
            f"<tt:H264><tt:GovLength>{round(2 * stream.fps)}</tt:GovLength>"
            "<tt:H264Profile>Baseline</tt:H264Profile></tt:H264><tt:Multicast><tt:Address>"
            "<tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address>"
            "<tt:Port>0</tt:Port><tt:TTL>1</tt:TTL><tt:AutoStart>false</tt:AutoStart>"
            "</tt:Multicast><tt:SessionTimeout>PT60S</tt:SessionTimeout>"
            f"</tt:VideoEncoderConfiguration>{ptz}</{tag}>"
        )

    def _token(self, asked: Element) -> str:
        token = _text(asked, "ProfileToken")
        if token not in ("main", "sub"):
            raise Unable("ter:NoProfile", "no such profile")
        return token

    def _stream_uri(self, asked: Element) -> str:
        return self._uri("GetStreamUri", f"{self._rtsp}/{self._token(asked)}")

    def _snapshot_uri(self, asked: Element) -> str:
        self._token(asked)
        return self._uri("GetSnapshotUri", f"{self._base}/snapshot.jpg")

    def _uri(self, what: str, url: str) -> str:
        return (
            f"<trt:{what}Response><trt:MediaUri><tt:Uri>{url}</tt:Uri>"
            "<tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>"
            "<tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout>"
            f"</trt:MediaUri></trt:{what}Response>"
        )

    # Turning

    def _ptz_configuration(self, tag: str) -> str:
        return (
            f'<{tag} token="ptz"><tt:Name>ptz</tt:Name><tt:UseCount>2</tt:UseCount>'
            "<tt:NodeToken>node</tt:NodeToken>"
            f"<tt:DefaultAbsolutePantTiltPositionSpace>{_POSITION}"
            "</tt:DefaultAbsolutePantTiltPositionSpace>"
            f"<tt:DefaultAbsoluteZoomPositionSpace>{_ZOOM_POSITION}"
            "</tt:DefaultAbsoluteZoomPositionSpace>"
            f"<tt:DefaultContinuousPanTiltVelocitySpace>{_SPEED}"
            "</tt:DefaultContinuousPanTiltVelocitySpace>"
            f"<tt:DefaultContinuousZoomVelocitySpace>{_ZOOM_SPEED}"
            "</tt:DefaultContinuousZoomVelocitySpace>"
            f"<tt:DefaultPTZTimeout>PT5S</tt:DefaultPTZTimeout></{tag}>"
        )

    def _ptz_configurations(self, _: Element) -> str:
        made = self._ptz_configuration("tptz:PTZConfiguration")
        return f"<tptz:GetConfigurationsResponse>{made}</tptz:GetConfigurationsResponse>"

    def _spaces(self) -> str:
        both = _range("XRange", -1, 1) + _range("YRange", -1, 1)
        return (
            f"<tt:AbsolutePanTiltPositionSpace><tt:URI>{_POSITION}</tt:URI>{both}"
            "</tt:AbsolutePanTiltPositionSpace>"
            f"<tt:AbsoluteZoomPositionSpace><tt:URI>{_ZOOM_POSITION}</tt:URI>"
            f"{_range('XRange', 0, 1)}</tt:AbsoluteZoomPositionSpace>"
            f"<tt:ContinuousPanTiltVelocitySpace><tt:URI>{_SPEED}</tt:URI>{both}"
            "</tt:ContinuousPanTiltVelocitySpace>"
            f"<tt:ContinuousZoomVelocitySpace><tt:URI>{_ZOOM_SPEED}</tt:URI>"
            f"{_range('XRange', -1, 1)}</tt:ContinuousZoomVelocitySpace>"
        )

    def _ptz_options(self, _: Element) -> str:
        return (
            "<tptz:GetConfigurationOptionsResponse><tptz:PTZConfigurationOptions>"
            f"<tt:Spaces>{self._spaces()}</tt:Spaces><tt:PTZTimeout><tt:Min>PT0.1S</tt:Min>"
            "<tt:Max>PT10S</tt:Max></tt:PTZTimeout></tptz:PTZConfigurationOptions>"
            "</tptz:GetConfigurationOptionsResponse>"
        )

    def _node(self) -> str:
        return (
            '<tptz:PTZNode token="node" FixedHomePosition="true"><tt:Name>node</tt:Name>'
            f"<tt:SupportedPTZSpaces>{self._spaces()}</tt:SupportedPTZSpaces>"
            "<tt:MaximumNumberOfPresets>0</tt:MaximumNumberOfPresets>"
            "<tt:HomeSupported>true</tt:HomeSupported></tptz:PTZNode>"
        )

    def _nodes(self, _: Element) -> str:
        return f"<tptz:GetNodesResponse>{self._node()}</tptz:GetNodesResponse>"

    def _node_asked(self, _: Element) -> str:
        return f"<tptz:GetNodeResponse>{self._node()}</tptz:GetNodeResponse>"

    def _status(self, asked: Element) -> str:
        self._token(asked)
        now = datetime.now(UTC)
        aim = self._turning.aim(now.timestamp())
        moves = "MOVING" if self._turning.is_moving(now.timestamp()) else "IDLE"
        clock = now + timedelta(seconds=self._eye.one.clock_s)
        return (
            "<tptz:GetStatusResponse><tptz:PTZStatus><tt:Position>"
            f'<tt:PanTilt x="{aim.pan:.6f}" y="{aim.tilt:.6f}" space="{_POSITION}"/>'
            f'<tt:Zoom x="{aim.zoom:.6f}" space="{_ZOOM_POSITION}"/></tt:Position>'
            f"<tt:MoveStatus><tt:PanTilt>{moves}</tt:PanTilt><tt:Zoom>{moves}</tt:Zoom>"
            f"</tt:MoveStatus><tt:UtcTime>{clock:%Y-%m-%dT%H:%M:%SZ}</tt:UtcTime>"
            "</tptz:PTZStatus></tptz:GetStatusResponse>"
        )

    def _move(self, asked: Element) -> str:
        self._token(asked)
        pan, tilt, zoom = _vector(asked, "Velocity")
        for_s = _seconds(_text(asked, "Timeout") or "PT10S")
        speed = Aim(pan or 0.0, tilt or 0.0, zoom or 0.0)
        self._turning.move(speed, _now_s(), for_s)
        return "<tptz:ContinuousMoveResponse/>"

    def _go(self, asked: Element) -> str:
        self._token(asked)
        self._turning.go(*_vector(asked, "Position"), _now_s())
        return "<tptz:AbsoluteMoveResponse/>"

    def _go_on(self, asked: Element) -> str:
        self._token(asked)
        now_s = _now_s()
        here = self._turning.aim(now_s)
        more = _vector(asked, "Translation")
        pan, tilt, zoom = (None if m is None else h + m for h, m in zip(here, more, strict=True))
        self._turning.go(pan, tilt, zoom, now_s)
        return "<tptz:RelativeMoveResponse/>"

    def _stop(self, asked: Element) -> str:
        self._token(asked)
        self._turning.stop(_now_s())
        return "<tptz:StopResponse/>"

    def _home(self, asked: Element) -> str:
        self._token(asked)
        self._turning.home(_now_s())
        return "<tptz:GotoHomePositionResponse/>"

    @property
    def _turning(self) -> Turning:
        assert self._eye.turning is not None, "only asked of cameras that turn"
        return self._eye.turning


def _now_s() -> float:
    return datetime.now(UTC).timestamp()


def _range(tag: str, low: int, high: int) -> str:
    return f"<tt:{tag}><tt:Min>{low}</tt:Min><tt:Max>{high}</tt:Max></tt:{tag}>"


def _text(asked: Element, name: str) -> str:
    return next(((e.text or "").strip() for e in asked.iter() if name_of(e) == name), "")


def _vector(asked: Element, name: str) -> tuple[float | None, float | None, float | None]:
    """Pan, tilt and zoom of a Position, Velocity or Translation; None where it says none."""
    whole = next((e for e in asked.iter() if name_of(e) == name), asked)
    turn = next((e for e in whole.iter() if name_of(e) == "PanTilt"), None)
    zoom = next((e for e in whole.iter() if name_of(e) == "Zoom"), None)
    try:
        pan, tilt = (
            (None, None) if turn is None else (float(turn.get("x", "")), float(turn.get("y", "")))
        )
        return pan, tilt, None if zoom is None else float(zoom.get("x", ""))
    except ValueError:
        raise Unable("ter:InvalidPosition", "no number") from None


def _seconds(duration: str) -> float:
    found = _DURATION.fullmatch(duration)
    if found is None:
        return 10.0
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return 3600 * hours + 60 * minutes + seconds


def name_of(element: Element) -> str:
    return element.tag.rpartition("}")[2]
