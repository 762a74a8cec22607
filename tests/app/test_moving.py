"""An agency moves to a machine of its own: everything it had goes along, and only once."""

from __future__ import annotations

import fcntl
import io
import stat
import tarfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from farolito.app import config as configuration
from farolito.app import postgres
from farolito.app.build import Node
from farolito.app.clock import ids
from farolito.app.hosting import MOVED, Hosted, Hosting, NewHosted
from farolito.app.moving import MANIFEST, Manifest, Packed, pack, unpack
from farolito.app.supervise import Supervisor
from farolito.audit import verify
from farolito.model import AgencyId, FarolitoError, Person, PersonId, Role
from tests.identity.authenticator import Authenticator

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PUEBLO = AgencyId("pueblo-pd")


@pytest.fixture
def hosted(state: Path) -> Hosted:
    return Hosting(state, Supervisor()).make(
        NewHosted(agency_id=PUEBLO, name="Pueblo", ori="NM9990300", government="tribal")
    )


@asynccontextmanager
async def running(file: Path) -> AsyncIterator[Node]:
    node = Node(configuration.load(file))
    await node.start()
    try:
        yield node
    finally:
        await node.stop()


async def test_a_moved_agency_goes_on_with_its_ledger_and_its_people(
    state: Path, hosted: Hosted
) -> None:
    person = Person(
        person_id=PersonId(ids()), agency=PUEBLO, name="Admin Begay", role=Role.AGENCY_ADMIN
    )
    passkey = Authenticator(f"http://localhost:{hosted.port}")
    async with running(hosted.file) as before:
        code = await before.identity.invite(person)
        await before.identity.finish_registration(
            code, passkey.register(await before.identity.begin_registration(code))
        )
        await before.ledger.checkpoint()
        size = before.ledger.status().size
        entries = [await before.ledger.entry(i) for i in range(size)]
        key = before.ledger.verifier_key

    archive = state / "pueblo.tar.gz"
    packed, digest = pack(hosted.file, archive, NOW)
    assert packed.agency_id == PUEBLO
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    home = state / "elsewhere"
    assert unpack(archive, home) == (packed, digest)

    async with running(home / "farolito.toml") as after:
        assert after.ledger.verifier_key == key
        assert [await after.ledger.entry(i) for i in range(size)] == entries
        verdict = verify(await after.ledger.bundle(0, None), key)
        assert verdict.problems == ()
        assert verdict.size >= size
        signed_in, _ = await after.identity.finish_sign_in(
            passkey.sign_in(await after.identity.begin_sign_in())
        )
        assert signed_in.person == person


async def test_what_was_packed_does_not_start_again_where_it_was(
    state: Path, made_up: Path
) -> None:
    pack(made_up, state / "a.tar.gz", NOW)
    with pytest.raises(FarolitoError, match="moved"):
        async with running(made_up):
            pass
    with pytest.raises(FarolitoError, match="packed already"):
        pack(made_up, state / "b.tar.gz", NOW)


def test_a_host_starts_no_agency_that_has_moved(state: Path, hosted: Hosted) -> None:
    hosting = Hosting(state, Supervisor())
    assert hosting.hosted() == [hosted]
    (hosted.folder / "state").mkdir()
    (hosted.folder / "state" / MOVED).touch()
    assert hosting.hosted() == []


# ---- without engines: a state that was made up


@pytest.fixture
def made_up(hosted: Hosted) -> Path:
    """A stopped node's folder, as far as packing looks at it."""
    own = hosted.folder / "state"
    for name, content in {
        "postgres/data/PG_VERSION": f"{postgres.major()}\n",
        "keys/ledger.key": "the key",
        "log/postgres.log": "a log",
        "node.lock": "",
        "postgres/data/base/1": "x" * 100_000,
    }.items():
        path = own / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (own / "postgres" / "data" / "pg_notify").mkdir()
    (own / "keys").chmod(0o700)
    (own / "keys" / "ledger.key").chmod(0o600)
    return hosted.file


def test_folders_and_rights_are_kept_and_what_every_start_makes_anew_is_not(
    state: Path, made_up: Path
) -> None:
    pack(made_up, state / "a.tar.gz", NOW)
    home = state / "home"
    unpack(state / "a.tar.gz", home, port=9123)
    own = home / "state"
    assert (own / "postgres" / "data" / "pg_notify").is_dir()
    assert stat.S_IMODE((own / "keys" / "ledger.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((own / "keys").stat().st_mode) == 0o700
    assert not (own / "log").exists()
    assert not (own / MOVED).exists()
    config = configuration.load(home / "farolito.toml")
    assert (config.state, config.node.port) == (own, 9123)
    assert config.agency.government == "tribal"


def test_a_file_without_a_table_for_the_node_gets_one(state: Path, made_up: Path) -> None:
    text = made_up.read_text()
    made_up.write_text(text[: text.index("[node]")] + '[node] # here\nname = "x"\n')
    config = configuration.load(made_up)
    moved = made_up.parent / "state"
    assert config.state != moved  # the account's own place
    made_up.write_text(made_up.read_text() + f'state_dir = "{moved}"\n[video]\nport = 7\n')
    pack(made_up, state / "a.tar.gz", NOW)
    unpack(state / "a.tar.gz", state / "home", port=9123)
    again = configuration.load(state / "home" / "farolito.toml")
    assert (again.node.port, again.video.port) == (9123, 7)


def test_a_running_node_is_not_packed(state: Path, made_up: Path) -> None:
    with (made_up.parent / "state" / "node.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(FarolitoError, match="runs on"):
            pack(made_up, state / "a.tar.gz", NOW)
    assert not (state / "a.tar.gz").exists()


def test_a_database_that_was_killed_is_not_packed(state: Path, made_up: Path) -> None:
    (made_up.parent / "state" / "postgres" / "data" / "postmaster.pid").write_text("1")
    with pytest.raises(FarolitoError, match="cleanly"):
        pack(made_up, state / "a.tar.gz", NOW)


Members = list[tuple[tarfile.TarInfo, bytes]]


def rewritten(archive: Path, change: Callable[[Members], None]) -> Path:
    """The archive with other members, as an accident or somebody on the way leaves it."""
    with tarfile.open(archive) as tar:
        members = []
        for one in tar.getmembers():
            content = tar.extractfile(one)
            members.append((one, content.read() if content else b""))
    change(members)
    other = archive.with_name("other.tar.gz")
    with tarfile.open(other, "w:gz") as tar:
        for info, kept in members:
            info.size = len(kept)
            tar.addfile(info, io.BytesIO(kept))
    return other


def _altered(members: Members) -> None:
    at = next(i for i, (m, _) in enumerate(members) if m.name.endswith("ledger.key"))
    members[at] = (members[at][0], b"another")


def _lacking(members: Members) -> None:
    members[:] = [one for one in members if not one[0].name.endswith("ledger.key")]


def _more(members: Members) -> None:
    members.append((tarfile.TarInfo("state/keys/more.key"), b"more"))


def _link(members: Members) -> None:
    at = next(i for i, (m, _) in enumerate(members) if m.name.endswith("ledger.key"))
    members[at][0].type = tarfile.SYMTYPE
    members[at][0].linkname = "/etc/passwd"


def _outside(members: Members) -> None:
    manifest = msgspec.json.decode(members[0][1], type=Manifest)
    files = (*manifest.files, Packed("state/../../../outside", 0o600, 1, "00"))
    other = msgspec.structs.replace(manifest, files=files)
    members[0] = (members[0][0], msgspec.json.encode(other))


def _of_another_machine(members: Members) -> None:
    manifest = msgspec.json.decode(members[0][1], type=Manifest)
    other = msgspec.structs.replace(manifest, machine="vax")
    members[0] = (members[0][0], msgspec.json.encode(other))


def _of_another_postgres(members: Members) -> None:
    manifest = msgspec.json.decode(members[0][1], type=Manifest)
    other = msgspec.structs.replace(manifest, postgres="9")
    members[0] = (members[0][0], msgspec.json.encode(other))


def _no_manifest(members: Members) -> None:
    assert members[0][0].name == MANIFEST
    del members[0]


@pytest.mark.parametrize(
    "change",
    [_altered, _lacking, _more, _link, _outside, _of_another_machine, _of_another_postgres,
     _no_manifest],
)  # fmt: skip
def test_an_archive_that_is_not_as_it_was_packed_leaves_nothing(
    state: Path, made_up: Path, change: Callable[[Members], None]
) -> None:
    pack(made_up, state / "a.tar.gz", NOW)
    other = rewritten(state / "a.tar.gz", change)
    with pytest.raises(FarolitoError):
        unpack(other, state / "home")
    assert not (state / "home").exists()
    assert not (state / "outside").exists()


def test_an_archive_that_was_cut_off_leaves_nothing(state: Path, made_up: Path) -> None:
    pack(made_up, state / "a.tar.gz", NOW)
    whole = (state / "a.tar.gz").read_bytes()
    (state / "cut.tar.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FarolitoError):
        unpack(state / "cut.tar.gz", state / "home")
    assert not (state / "home").exists()


def test_nothing_is_unpacked_over_something(state: Path, made_up: Path) -> None:
    pack(made_up, state / "a.tar.gz", NOW)
    (state / "home").mkdir()
    (state / "home" / "mine").write_text("mine")
    with pytest.raises(FarolitoError, match="not empty"):
        unpack(state / "a.tar.gz", state / "home")
    assert (state / "home" / "mine").read_text() == "mine"
