"""An ONVIF camera for tests: device, media and PTZ service behind a WebCamera.

What it answers is written after the WSDLs of ONVIF 2.x, and read by two clients of other authors.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from hashlib import sha1

from tests.ingest.video.web_camera import Answer, Asked

DEGREES = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/SphericalPositionSpaceDegrees"
GENERIC = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/PositionGenericSpace"
_ZOOM = "http://www.onvif.org/ver10/tptz/ZoomSpaces/PositionGenericSpace"
_VELOCITY = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/VelocityGenericSpace"
_NAMES = (
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:tds="http://www.onvif.org/ver10/device/wsdl" '
    'xmlns:trt="http://www.onvif.org/ver10/media/wsdl" '
    'xmlns:tptz="http://www.onvif.org/ver20/ptz/wsdl" '
    'xmlns:tt="http://www.onvif.org/ver10/schema" '
    'xmlns:ter="http://www.onvif.org/ver10/error"'
)
_OPEN = {"GetSystemDateAndTime", "GetCapabilities", "GetServices"}
_OPERATION = re.compile(rb"<(?:[\w-]+:)?Body[^>]*>\s*<(?:[\w-]+:)?(\w+)")
_PAN_TILT = re.compile(r'PanTilt[^>]*x="([-\d.e]+)"[^>]*y="([-\d.e]+)"')
_X_ZOOM = re.compile(r'Zoom[^>]*x="([-\d.e]+)"')


class OnvifCameraBox:
    """`codecs`: of its profiles, main first. `calls`: each operation with its body."""

    def __init__(
        self,
        user: str = "operator",
        word: str = "p&ss",
        codecs: tuple[str, ...] = ("H264", "H264"),
        space: str = DEGREES,
        clock_s: float = 0.0,
    ) -> None:
        self.user, self.word, self.codecs, self.space = user, word, codecs, space
        self.clock = timedelta(seconds=clock_s)
        self.calls: list[tuple[str, str]] = []
        self.at = (0.0, 0.0, 0.0)
        # An address of its own that nobody reaches.
        self.own = "http://192.0.2.7:8080"

    def __call__(self, asked: Asked) -> Answer:
        found = _OPERATION.search(asked.body)
        operation = found[1].decode() if found else ""
        body = asked.body.decode()
        if operation not in _OPEN and not self._is_ours(body):
            return _fault("ter:NotAuthorized", "Sender not Authorized", 400)
        self.calls.append((operation, body))
        answer = getattr(self, f"_{operation}", None)
        if answer is None:
            return _fault("ter:ActionNotSupported", "Optional Action Not Implemented", 500)
        return _soap(answer(body))

    def _is_ours(self, body: str) -> bool:
        """WS-Security UsernameToken 1.0, PasswordDigest, at most 5 s off by its own clock."""
        told = {
            word: re.search(rf"<(?:[\w-]+:)?{word}(?:\s[^>]*)?>([^<]*)<", body)
            for word in ("Username", "Password", "Nonce", "Created")
        }
        if any(one is None for one in told.values()):
            return False
        user, shown, nonce, created = (one[1] for one in told.values() if one)
        moment = datetime.fromisoformat(created.replace("Z", "+00:00"))
        digest = sha1(base64.b64decode(nonce) + created.encode() + self.word.encode()).digest()
        is_now = abs(moment - datetime.now(UTC) - self.clock) < timedelta(seconds=5)
        return user == self.user and shown == base64.b64encode(digest).decode() and is_now

    def _GetSystemDateAndTime(self, _: str) -> str:  # noqa: N802 - the operation's name
        now = datetime.now(UTC) + self.clock
        return (
            "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime>"
            "<tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>"
            "<tt:TimeZone><tt:TZ>MST7MDT</tt:TZ></tt:TimeZone><tt:UTCDateTime>"
            f"<tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute>"
            f"<tt:Second>{now.second}</tt:Second></tt:Time><tt:Date><tt:Year>{now.year}</tt:Year>"
            f"<tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day></tt:Date>"
            "</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
        )

    def _GetCapabilities(self, _: str) -> str:  # noqa: N802
        return (
            "<tds:GetCapabilitiesResponse><tds:Capabilities>"
            f"<tt:Device><tt:XAddr>{self.own}/onvif/device_service</tt:XAddr></tt:Device>"
            f"<tt:Media><tt:XAddr>{self.own}/onvif/media</tt:XAddr>"
            "<tt:StreamingCapabilities/></tt:Media>"
            f"<tt:PTZ><tt:XAddr>{self.own}/onvif/ptz</tt:XAddr></tt:PTZ>"
            "</tds:Capabilities></tds:GetCapabilitiesResponse>"
        )

    def _GetServices(self, _: str) -> str:  # noqa: N802
        services = (("device", "ver10"), ("media", "ver10"), ("ptz", "ver20"))
        return (
            "<tds:GetServicesResponse>"
            + "".join(
                f"<tds:Service><tds:Namespace>http://www.onvif.org/{version}/{name}/wsdl"
                f"</tds:Namespace><tds:XAddr>{self.own}/onvif/{name}</tds:XAddr><tds:Version>"
                "<tt:Major>2</tt:Major><tt:Minor>6</tt:Minor></tds:Version></tds:Service>"
                for name, version in services
            )
            + "</tds:GetServicesResponse>"
        )

    def _GetDeviceInformation(self, _: str) -> str:  # noqa: N802
        return (
            "<tds:GetDeviceInformationResponse><tds:Manufacturer>Practice</tds:Manufacturer>"
            "<tds:Model>PTZ 7</tds:Model><tds:FirmwareVersion>1.2</tds:FirmwareVersion>"
            "<tds:SerialNumber>0042</tds:SerialNumber><tds:HardwareId>a</tds:HardwareId>"
            "</tds:GetDeviceInformationResponse>"
        )

    def _GetProfiles(self, _: str) -> str:  # noqa: N802
        return (
            "<trt:GetProfilesResponse>"
            + "".join(
                f'<trt:Profiles token="p{n}" fixed="true"><tt:Name>profile {n}</tt:Name>'
                f'<tt:VideoEncoderConfiguration token="e{n}"><tt:Name>e{n}</tt:Name>'
                f"<tt:UseCount>1</tt:UseCount><tt:Encoding>{codec}</tt:Encoding>"
                f"<tt:Resolution><tt:Width>{1920 >> n}</tt:Width><tt:Height>{1080 >> n}</tt:Height>"
                "</tt:Resolution><tt:Quality>5</tt:Quality><tt:RateControl>"
                "<tt:FrameRateLimit>25</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval>"
                f"<tt:BitrateLimit>{4000 >> n}</tt:BitrateLimit></tt:RateControl>"
                "<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type></tt:Address><tt:Port>0</tt:Port>"
                "<tt:TTL>1</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>"
                "<tt:SessionTimeout>PT60S</tt:SessionTimeout></tt:VideoEncoderConfiguration>"
                '<tt:PTZConfiguration token="z0"><tt:Name>z</tt:Name><tt:UseCount>1</tt:UseCount>'
                "<tt:NodeToken>n0</tt:NodeToken></tt:PTZConfiguration></trt:Profiles>"
                for n, codec in enumerate(self.codecs)
            )
            + "</trt:GetProfilesResponse>"
        )

    def _GetStreamUri(self, body: str) -> str:  # noqa: N802
        found = re.search(r"ProfileToken>(\w+)<", body)
        token = found[1] if found else ""
        return (
            "<trt:GetStreamUriResponse><trt:MediaUri>"
            f"<tt:Uri>rtsp://stray:word@192.0.2.7:8554/{token}?a=1&amp;b=2</tt:Uri>"
            "<tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false"
            "</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri>"
            "</trt:GetStreamUriResponse>"
        )

    def _GetSnapshotUri(self, _: str) -> str:  # noqa: N802
        return (
            f"<trt:GetSnapshotUriResponse><trt:MediaUri><tt:Uri>{self.own}/snap.jpg</tt:Uri>"
            "<tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false"
            "</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri>"
            "</trt:GetSnapshotUriResponse>"
        )

    def _GetNodes(self, _: str) -> str:  # noqa: N802
        pan, tilt = ((0, 350), (-90, 20)) if self.space == DEGREES else ((-1, 1), (-1, 1))
        return (
            '<tptz:GetNodesResponse><tptz:PTZNode token="n0" FixedHomePosition="false">'
            "<tt:Name>node</tt:Name><tt:SupportedPTZSpaces><tt:AbsolutePanTiltPositionSpace>"
            f"<tt:URI>{self.space}</tt:URI><tt:XRange><tt:Min>{pan[0]}</tt:Min><tt:Max>{pan[1]}"
            f"</tt:Max></tt:XRange><tt:YRange><tt:Min>{tilt[0]}</tt:Min><tt:Max>{tilt[1]}</tt:Max>"
            "</tt:YRange></tt:AbsolutePanTiltPositionSpace><tt:AbsoluteZoomPositionSpace>"
            f"<tt:URI>{_ZOOM}</tt:URI><tt:XRange><tt:Min>0</tt:Min><tt:Max>1</tt:Max></tt:XRange>"
            "</tt:AbsoluteZoomPositionSpace><tt:ContinuousPanTiltVelocitySpace>"
            f"<tt:URI>{_VELOCITY}</tt:URI><tt:XRange><tt:Min>-1</tt:Min><tt:Max>1</tt:Max>"
            "</tt:XRange><tt:YRange><tt:Min>-1</tt:Min><tt:Max>1</tt:Max></tt:YRange>"
            "</tt:ContinuousPanTiltVelocitySpace></tt:SupportedPTZSpaces>"
            "<tt:MaximumNumberOfPresets>8</tt:MaximumNumberOfPresets>"
            "<tt:HomeSupported>true</tt:HomeSupported></tptz:PTZNode></tptz:GetNodesResponse>"
        )

    def _AbsoluteMove(self, body: str) -> str:  # noqa: N802
        turn, zoom = _PAN_TILT.search(body), _X_ZOOM.search(body)
        assert turn
        self.at = (float(turn[1]), float(turn[2]), float(zoom[1]) if zoom else self.at[2])
        return "<tptz:AbsoluteMoveResponse/>"

    def _ContinuousMove(self, _: str) -> str:  # noqa: N802
        return "<tptz:ContinuousMoveResponse/>"

    def _Stop(self, _: str) -> str:  # noqa: N802
        return "<tptz:StopResponse/>"

    def _GotoHomePosition(self, _: str) -> str:  # noqa: N802
        self.at = (0.0, 0.0, 0.0)
        return "<tptz:GotoHomePositionResponse/>"

    def _GotoPreset(self, _: str) -> str:  # noqa: N802
        return "<tptz:GotoPresetResponse/>"

    def _GetPresets(self, _: str) -> str:  # noqa: N802
        return (
            '<tptz:GetPresetsResponse><tptz:Preset token="1"><tt:Name>gate</tt:Name></tptz:Preset>'
            "</tptz:GetPresetsResponse>"
        )

    def _GetStatus(self, _: str) -> str:  # noqa: N802
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return (
            "<tptz:GetStatusResponse><tptz:PTZStatus><tt:Position>"
            f'<tt:PanTilt x="{self.at[0]}" y="{self.at[1]}" space="{self.space}"/>'
            f'<tt:Zoom x="{self.at[2]}" space="{_ZOOM}"/></tt:Position><tt:MoveStatus>'
            "<tt:PanTilt>IDLE</tt:PanTilt><tt:Zoom>IDLE</tt:Zoom></tt:MoveStatus>"
            f"<tt:UtcTime>{now}</tt:UtcTime></tptz:PTZStatus></tptz:GetStatusResponse>"
        )


def _soap(body: str, status: int = 200) -> Answer:
    whole = f'<?xml version="1.0"?><s:Envelope {_NAMES}><s:Body>{body}</s:Body></s:Envelope>'
    return Answer(whole.encode(), status, {"Content-Type": "application/soap+xml; charset=utf-8"})


def _fault(code: str, says: str, status: int) -> Answer:
    return _soap(
        "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode>"
        f"<s:Value>{code}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en">{says}</s:Text></s:Reason></s:Fault>',
        status,
    )
