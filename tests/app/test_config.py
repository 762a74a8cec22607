"""The example file says all there is to say, and says the truth."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from farolito.app.config import AgencyConfig, Config, Mqtt, load
from farolito.model import FarolitoError

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


def test_the_commented_broker_is_right_as_it_stands(tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    head, _, table = text.partition("# [[mqtt]]")
    file = tmp_path / "farolito.toml"
    file.write_text(head + "[[mqtt]]" + table.replace("\n# ", "\n"))
    (mqtt,) = load(file).mqtt
    assert mqtt == Mqtt(device="gate-cam", host="192.0.2.10")


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("[agency]\nid = 'a'\nname = 'a'", "ori"),
        ("[agency]\nid = 'a'\nname = 'a'\nori = 'x'\n[node]\nprot = 1", "prot"),
        ("[agency]\nid = 'a'\nname = 'a'\nori = 'x'\n[node]\nport = 'x'", "port"),
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
