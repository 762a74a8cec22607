"""All cameras as numbers, ready to be asked: built once when the register changes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec
import numpy as np
import numpy.typing as npt

from farolito.model import Camera, CameraId, ImageFault, PictureState
from farolito.viewing.eye import Eye
from farolito.viewing.scene import Scene
from farolito.viewing.sees import Lenses, lenses, reach_m

WEIGHTS = {PictureState.LIVE: 1.0, PictureState.UNKNOWN: 0.9, PictureState.CONNECTING: 0.9}
"""What each state leaves of a score; of any other, nothing."""
FAULTS = {
    ImageFault.BLACK: 0.05,
    ImageFault.FROZEN: 0.05,
    ImageFault.OBSTRUCTED: 0.1,
    ImageFault.MOVED: 0.2,
    ImageFault.BLUR: 0.5,
}


class Eyes:
    """The cameras of a register in one scene. A camera without a place is counted and left out;
    what is told of a camera that is not here is nothing new."""

    def __init__(self, cameras: Iterable[Eye | Camera], scene: Scene) -> None:
        every = [one if isinstance(one, Eye) else Eye(camera=one) for one in cameras]
        self.scene = scene
        placed = [eye for eye in every if eye.camera.place is not None]
        # In the order of their ids, so that of two equal ones the same is always first.
        self.eyes = sorted(placed, key=lambda eye: eye.camera.camera_id)
        self.unplaced = len(every) - len(self.eyes)
        self._number = {eye.camera.camera_id: i for i, eye in enumerate(self.eyes)}
        found = [e.camera.place for e in self.eyes if e.camera.place is not None]
        metres = np.array([scene.plane.to_m((p.lat, p.lon)) for p in found]).reshape(-1, 2)
        xs, ys = metres[:, 0].copy(), metres[:, 1].copy()
        self.lenses: Lenses = lenses(
            [eye.camera for eye in self.eyes], xs, ys, scene.ground_m(xs, ys)
        )
        self.reach_m: npt.NDArray[np.float64] = reach_m(self.lenses)
        self.weight = np.ones(len(self.eyes))
        self.roof, self.is_inside = scene.roof_of(xs, ys, self.lenses.up)
        for i, eye in enumerate(self.eyes):
            self._look(i, eye)

    def __len__(self) -> int:
        return len(self.eyes)

    def __getitem__(self, camera_id: CameraId) -> Eye | None:
        number = self._number.get(camera_id)
        return None if number is None else self.eyes[number]

    def state(
        self,
        camera_id: CameraId,
        *,
        state: PictureState | None = None,
        faults: tuple[ImageFault, ...] | None = None,
        since: datetime | None = None,
        pan_deg: float | None = None,
    ) -> None:
        """What is new of a camera; what is None stays."""
        number = self._number.get(camera_id)
        if number is None:
            return
        told = {"state": state, "faults": faults, "since": since, "pan_deg": pan_deg}
        changed = {name: value for name, value in told.items() if value is not None}
        self.eyes[number] = msgspec.structs.replace(self.eyes[number], **changed)
        self._look(number, self.eyes[number])

    def _look(self, number: int, eye: Eye) -> None:
        """What its state leaves of its score, and where it looks now, if it turns."""
        weight = WEIGHTS.get(eye.state, 0.0)
        for fault in eye.faults:
            weight *= FAULTS.get(fault, 1.0)
        self.weight[number] = weight
        if eye.pan_deg is not None and eye.camera.ptz is not None:
            self.lenses.rest[number] = np.radians(eye.pan_deg)
