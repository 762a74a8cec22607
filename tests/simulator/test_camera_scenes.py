"""About the places where the drill begins, cameras see: as the node's own reckoning tells it."""

from __future__ import annotations

from farolito.geo import Plane
from farolito.model import Point
from farolito.model.camera import Consent
from farolito.simulator.cameras import place_cameras
from farolito.simulator.world import World
from farolito.viewing import Eye, Eyes, Question, Scene, best, blind


def test_four_cameras_of_several_owners_see_each_place_where_the_drill_begins(
    world: World,
) -> None:
    practice = place_cameras(world)
    cameras = {one.camera_id: one for one in practice.register}
    scene = Scene(Plane(world.opening[0]), world.street_map.buildings)
    eyes = Eyes([Eye(camera=one) for one in practice.register], scene)
    between = on_alarm = 0
    for at in world.opening:
        asked = Question(place=Point(*at), at=world.config.start, around=15.0, count=8)
        seeing = [cameras[ranked.camera_id] for ranked in best(eyes, asked)]
        assert len(seeing) >= 4
        assert len({one.owner for one in seeing}) >= 3
        assert any(one.ptz is not None for one in seeing)
        on_alarm += any(one.consent is Consent.ON_ALARM for one in seeing)
        reasons = {reason.word for one in blind(eyes, asked) for reason in one.reasons}
        between += "building" in reasons
    assert on_alarm >= len(world.opening) / 2
    assert between >= 2
    assert 1 <= sum(one.ring_s > 0 for one in practice.register) <= 4
