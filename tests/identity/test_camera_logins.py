"""A camera's user and password are sealed for that camera, by a key that the store never has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from farolito.identity import CameraLogins, Identity
from farolito.model import CameraId, Invalid, Login, Refused, Role

from .conftest import somebody

GATE, HALL = CameraId("gate"), CameraId("hall")
LOGIN = Login(user="viewer", word="tumbleweed")


def test_a_login_opens_for_its_own_camera_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "cameras.key"
    sealed = CameraLogins(path, os.urandom).seal(GATE, LOGIN)
    assert b"tumbleweed" not in sealed
    assert path.stat().st_mode & 0o077 == 0
    again = CameraLogins(path, os.urandom)
    assert again.open(GATE, sealed) == LOGIN
    assert again.seal(GATE, LOGIN) != sealed
    for camera, told in ((HALL, sealed), (GATE, sealed[:-1]), (GATE, b""), (GATE, b"x" * 60)):
        with pytest.raises(Invalid):
            again.open(camera, told)
    with pytest.raises(Invalid):
        CameraLogins(tmp_path / "other.key", os.urandom).open(GATE, sealed)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cameras.key"
    CameraLogins(path, os.urandom)
    path.chmod(0o644)
    with pytest.raises(Invalid, match="read by others"):
        CameraLogins(path, os.urandom)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(Invalid, match="no key"):
        CameraLogins(path, os.urandom)


async def test_an_owners_person_names_the_owner(identity: Identity) -> None:
    with pytest.raises(Refused, match="without an owner"):
        await identity.invite(somebody(Role.CAMERA_OWNER))
