"""One cut fibre is one alarm."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from farolito.model import Camera, CameraHealth, CameraId, ImageFault, OwnerId, PictureState
from farolito.viewing.outages import outages
from tests.viewing.towns import NOON, camera

DOWN, LIVE = PictureState.UNREACHABLE, PictureState.LIVE


def placed(name: str, **where: Any) -> Camera:
    return msgspec.structs.replace(camera(name=name), **where)


def found(of: Camera, state: PictureState = DOWN, after_s: float = 0, **more: Any) -> CameraHealth:
    since = NOON + timedelta(seconds=after_s)
    return CameraHealth(camera_id=of.camera_id, state=state, since=since, **more)


def by_id(*found: CameraHealth) -> dict[CameraId, CameraHealth]:
    return {one.camera_id: one for one in found}


def test_a_cut_fibre_is_one_alarm() -> None:
    behind = [placed(f"s1-{i}", switch="sw-1", site="depot") for i in range(24)]
    others = [placed(f"s2-{i}", switch="sw-2", site="library") for i in range(24)]
    told = outages(
        [*behind, *others],
        by_id(
            *(found(c, after_s=12 * i) for i, c in enumerate(behind[:22])),
            *(found(c, LIVE) for c in behind[22:]),
            found(others[0]),
            *(found(c, LIVE) for c in others[1:]),
        ),
    )
    assert [(one.by, one.name, one.cameras, one.of) for one in told] == [
        ("switch", "sw-1", 22, 24),
        ("camera", "s2-0", 1, 1),
    ]
    assert told[0].says == "22 of 24 cameras behind switch sw-1: not reachable"
    assert told[0].since == NOON


def test_two_switches_of_a_site_are_the_site_and_two_sites_the_owner() -> None:
    def owned(owner: str, site: str, switch: str, count: int) -> list[Camera]:
        name = f"{owner}-{site}-{switch}"
        where = {"owner": OwnerId(owner), "site": site, "switch": switch}
        return [placed(f"{name}-{i}", **where) for i in range(count)]

    site = [*owned("city", "depot", "a", 4), *owned("city", "depot", "b", 4)]
    rest = owned("city", "hall", "c", 20)
    school = [*owned("school", "east", "d", 3), *owned("school", "west", "e", 3)]
    down = [*site, *school]
    told = outages([*down, *rest], by_id(*map(found, down), *(found(c, LIVE) for c in rest)))
    assert [(one.by, one.name, one.cameras) for one in told] == [
        ("site", "depot", 8),
        ("owner", "school", 6),
    ]


def test_what_fell_on_other_days_or_is_only_a_few_stays_apart() -> None:
    behind = [placed(f"c{i}", switch="sw") for i in range(10)]
    days = by_id(*(found(c, after_s=86_400 * i) for i, c in enumerate(behind)))
    assert {one.by for one in outages(behind, days)} == {"camera"}
    few = by_id(*map(found, behind[:5]), *(found(c, LIVE) for c in behind[5:]))
    assert [one.by for one in outages(behind, few)] == ["camera"] * 5


def test_each_thing_that_is_wrong_is_told_for_itself() -> None:
    one, two = placed("one"), placed("two")
    told = outages(
        [one, two],
        by_id(
            found(one, LIVE, faults=(ImageFault.BLUR, ImageFault.MOVED)),
            found(two, PictureState.REFUSED),
        ),
    )
    assert {(t.name, t.what) for t in told} == {
        ("one", ImageFault.BLUR), ("one", ImageFault.MOVED), ("two", PictureState.REFUSED)
    }  # fmt: skip
    assert all(t.do for t in told)


_WHERE = st.tuples(st.sampled_from("abc "), st.sampled_from("xy "), st.sampled_from("pq"))


@given(st.lists(st.tuples(_WHERE, st.sampled_from([DOWN, LIVE]), st.integers(0, 3000))))
def test_every_camera_that_is_down_stands_in_one_alarm(every: Any) -> None:
    cameras = [
        placed(f"c{i}", switch=sw.strip(), site=site.strip(), owner=OwnerId(owner))
        for i, ((sw, site, owner), _, _) in enumerate(every)
    ]
    health = by_id(*(found(c, state, at) for c, (_, state, at) in zip(cameras, every, strict=True)))
    told = outages(cameras, health)
    named = [camera_id for one in told for camera_id in one.ids]
    assert sorted(named) == sorted(i for i, one in health.items() if one.state is DOWN)
