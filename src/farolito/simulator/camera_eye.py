"""One practice camera's pictures: the street, its faults, its name and its own clock.

Called from worker threads, one picture of a camera at a time.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import cv2
import numpy as np

from farolito.simulator import burnt_in
from farolito.simulator.camera_turning import Turning
from farolito.simulator.cameras import Fault, PracticeCamera
from farolito.simulator.daylight import RENEW_S, Light, light_at
from farolito.simulator.faces import Picture
from farolito.simulator.perspective import Pose
from farolito.simulator.street_cars import StreetCars
from farolito.simulator.street_view import CAR_M, Metro, StreetView, Surroundings
from farolito.simulator.traffic import ZONE
from farolito.simulator.world import World

_KEPT_PX = 320 * 180  # drawings up to this size are kept while nobody watches: the sweep's
_BLINK_HZ = 4.0

Size = tuple[int, int]


class Town:
    """What all cameras share. `hour` None: the light of the true hour."""

    def __init__(self, world: World, hour: float | None = None) -> None:
        self.metro = Metro(world.street_map)
        self.cars = StreetCars(world)
        self._hour = hour
        self._light: tuple[int, Light] | None = None

    def light(self, now: datetime) -> Light:
        term = int(now.timestamp() // RENEW_S)
        if self._light is None or self._light[0] != term:
            at = datetime.fromtimestamp(term * RENEW_S + RENEW_S / 2, now.tzinfo)
            if self._hour is not None:
                at = at.astimezone(ZONE).replace(hour=0, minute=0) + timedelta(hours=self._hour)
            self._light = (term, light_at(at))
        return self._light[1]


class CameraEye:
    """Made for each camera; holds little until the first picture is asked for."""

    def __init__(self, one: PracticeCamera, town: Town) -> None:
        self.one, self._town = one, town
        ptz = one.camera.ptz
        self.turning = Turning(one.pose, ptz) if ptz is not None else None
        self._lock = threading.Lock()
        self._around: Surroundings | None = None
        self._stuck_at: datetime | None = None
        self._blocks: tuple[int, ...] | None = None
        self._views: dict[Size, StreetView] = {}
        self._last: dict[Size, tuple[object, Picture]] = {}

    def i420(self, size: Size, now: datetime) -> Picture:
        """As the encoder wants it. The same array again while nothing changed."""
        with self._lock:
            key, picture = self._picture(size, now)
            last = self._last.get(size)
            if picture is None:
                assert last is not None, "nothing changed since a picture that was made"
                return last[1]
            made = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)
            self._last[size] = (key, made)
            return made

    def jpeg(self, size: Size, now: datetime) -> bytes:
        with self._lock:
            self._last.pop(size, None)
            _, picture = self._picture(size, now)
        assert picture is not None, "without a last picture one is made"
        done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 82])
        assert done, "OpenCV writes JPEG"
        return data.tobytes()

    def rest(self) -> None:
        """Nobody watches: what is large goes."""
        with self._lock:
            self._around = None
            self._last.clear()
            self._views = {s: v for s, v in self._views.items() if s[0] * s[1] <= _KEPT_PX}

    def _picture(self, size: Size, now: datetime) -> tuple[object, Picture | None]:
        """With a key that tells equal pictures; None where it is the last one's."""
        fault = self.one.fault
        last = self._last.get(size)
        if fault is Fault.FROZEN:
            # What its electronics showed when they stuck, hours or watchers later too.
            now = self._stuck_at = self._stuck_at or now
        clock = (now + timedelta(seconds=self.one.clock_s)).astimezone(ZONE)
        light, pose = self._town.light(now), self._pose(now)
        if self._blocks is None:
            self._blocks = self._town.cars.blocks_near((pose.x, pose.y), CAR_M)
        view = self._view(size, pose)
        near = self._town.cars.near(self._blocks, now) if fault is not Fault.FROZEN else []
        cars = [c for c in near if view.may_show(c)]
        blinks = int(now.timestamp() * _BLINK_HZ) % 2
        key = (pose, id(light), int(clock.timestamp()))
        if not cars and last is not None and last[0] == key:
            return key, None
        picture = view.picture(light, cars, blinks)
        if fault is not None:
            picture = spoilt(picture, fault)
        burnt_in.stamp(picture, self.one.camera.name, clock)
        return None if cars else key, picture

    def _pose(self, now: datetime) -> Pose:
        return self.turning.pose(now.timestamp()) if self.turning else self.one.pose

    def _view(self, size: Size, pose: Pose) -> StreetView:
        view = self._views.get(size)
        if view is None:
            view = self._views[size] = StreetView(self._surroundings, pose, size)
        view.pose = pose
        return view

    def _surroundings(self) -> Surroundings:
        if self._around is None:
            turns = self.turning is not None
            self._around = Surroundings(self._town.metro, self.one.pose, turns)
        return self._around


def spoilt(picture: Picture, fault: Fault) -> Picture:
    """What a fault of the lens makes of a good picture."""
    height, width = picture.shape[:2]
    if fault is Fault.BLACK:
        return np.full_like(picture, 3)
    if fault is Fault.BLUR:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), width / 55), np.uint8)
    if fault is Fault.OBSTRUCTED:
        cover = picture.copy()
        leaf = np.array(
            ((-0.1, 1.1), (-0.1, 0.22), (0.2, -0.1), (0.62, -0.1), (0.83, 0.3), (0.76, 1.1))
        )
        points = (leaf * (width, height)).astype(np.int32)
        cv2.fillPoly(cover, [points], (38, 62, 54), cv2.LINE_AA)
        soft = cv2.GaussianBlur(cover, (0, 0), width / 40)
        mask = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mask, [points], 255)
        share = cv2.GaussianBlur(mask, (0, 0), width / 40)[..., None] / 255.0
        return np.asarray(picture * (1 - share) + soft * share, np.uint8)
    return picture
