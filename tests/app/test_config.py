"""The example file says all there is to say, and says the truth."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec
import pytest

from farolito.app.config import AgencyConfig, Config, Mqtt, load
from farolito.model import FarolitoError

CHOSEN = {"lat", "lon", "username", "port"}  # shown with a value, since the default is none
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "farolito.toml"


def test_the_example_is_the_defaults() -> None:
    config = load(EXAMPLE)
    assert config == Config(agency=config.agency)
    told = config.agency
    assert told == AgencyConfig(id=told.id, name=told.name, ori=told.ori)
    assert config.own_agency.ori == told.ori


def test_the_example_says_every_field() -> None:
    said = set(re.findall(r"^(?:# )?(\w+) = ", EXAMPLE.read_text(), re.MULTILINE))
    tables = [t for hint in get_type_hints(Config).values() for t in get_args(hint) or [hint]]
    structs = [t for t in tables if hasattr(t, "__struct_fields__")]
    assert len(structs) == len(Config.__struct_fields__)
    assert {field for table in structs for field in table.__struct_fields__} == said


def test_the_commented_tables_are_right_as_they_stand(tmp_path: Path) -> None:
    """Uncommented, each loads; what has a default is shown with it."""
    lines = EXAMPLE.read_text().splitlines()
    shown = [re.sub(r"^# (?=\[|\w+ = )", "", line) for line in lines]
    file = tmp_path / "farolito.toml"
    file.write_text("\n".join(shown))
    config = load(file)
    (mqtt,) = config.mqtt
    assert mqtt == Mqtt(device="gate-cam", host="192.0.2.10")
    for told in (
        *config.cad_folder, *config.cad_conveyance, *config.cad_webhook, config.tak_server,
        *config.tak, *config.gps, *config.gtfs, *config.positions_mqtt, *config.gunshot_mqtt,
        *config.gunshot_vendor,
    ):  # fmt: skip
        assert isinstance(told, msgspec.Struct)
        for field in msgspec.structs.fields(told):
            value = getattr(told, field.name)
            is_free = field.required or field.name in CHOSEN
            assert is_free or value in (field.default, _made(field)), field.name


def _made(field: msgspec.structs.FieldInfo) -> object:
    return None if field.default_factory is msgspec.NODEFAULT else field.default_factory()


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("[agency]\nid = 'a'\nname = 'a'", "ori"),
        ("[agency]\nid = 'a'\nname = 'a'\nori = 'x'\n[node]\nprot = 1", "prot"),
        ("[agency]\nid = 'a'\nname = 'a'\nori = 'x'\n[node]\nport = 'x'", "port"),
        ("[agency]\nid = 'a'\nname = 'a'\nori = 'x'\n[video]\nminutes = 90", "minutes: 1 to 60"),
        ("[agency", "table declaration"),
    ],
)
def test_a_wrong_file_is_told_by_its_field(tmp_path: Path, wrong: str, named: str) -> None:
    file = tmp_path / "farolito.toml"
    file.write_text(wrong)
    with pytest.raises(FarolitoError, match=named):
        load(file)


def test_an_empty_file_lacks_its_agency(tmp_path: Path) -> None:
    (tmp_path / "farolito.toml").touch()
    with pytest.raises(FarolitoError, match="agency"):
        load(tmp_path / "farolito.toml")
