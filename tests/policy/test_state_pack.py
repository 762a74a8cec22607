"""State packs are data, and a careless one is refused."""

from __future__ import annotations

import pytest

from farolito.model import Act, Agency, AgencyId, Invalid, Purpose, Role, Thing
from farolito.policy import Permit, Policies, Refusal, laws, load_pack
from farolito.policy.rule_book import strictest
from farolito.policy.state_pack import PROHIBITED_EVERYWHERE, parse_pack

from .conftest import CITY, request


def test_every_pack_loads_and_prohibits_what_is_prohibited_everywhere() -> None:
    assert laws() == ["us-ca", "us-il", "us-nm", "us-va", "us-wa"]
    for law in laws():
        pack = load_pack(law)
        assert pack.law == law
        assert pack.prohibited_purposes >= PROHIBITED_EVERYWHERE
        assert pack.unverified, "nobody has held these against the enacted texts yet"


def test_retention_limits_are_the_state_s_and_absent_where_it_sets_none() -> None:
    assert load_pack("us-va").keep_reads_days_max == 21
    assert load_pack("us-nm").keep_reads_days_max is None
    assert load_pack("us-nm").retention.ledger_days_min == 365


def test_what_leaves_the_state_is_declared_first_or_never_leaves() -> None:
    out = {law: load_pack(law).out_of_state for law in laws()}
    assert {law for law, how in out.items() if how == "never"} == {"us-ca", "us-va", "us-wa"}
    for law in ("us-nm", "us-il"):
        form = load_pack(law).declaration
        assert form is not None
        assert len(form.statements) >= 2


def test_the_yearly_report_of_new_mexico_tells_cameras_searches_and_wrong_access() -> None:
    report = load_pack("us-nm").yearly_report
    assert report is not None
    assert report.to == "New Mexico Department of Public Safety"
    assert {"cameras", "searches", "unauthorised_access"} <= set(report.figures)


def test_of_two_laws_the_one_that_lets_nothing_out_holds() -> None:
    both = strictest([load_pack("us-nm"), load_pack("us-ca")])
    assert (both.law, both.out_of_state) == ("us-nm", "never")


def test_every_state_forbids_lists_of_immigration_and_of_health_care() -> None:
    for law in laws():
        assert {"immigration", "ice", "abortion"} <= load_pack(law).forbidden_list_categories


def test_a_node_keeps_the_stricter_of_its_own_law_and_the_agency_s() -> None:
    call = request(Role.OPERATOR, Act.READ, Thing.ALERT, Purpose.IN_PROGRESS_CALL)
    assert isinstance(Policies.load("us-nm", [CITY]).decide(call), Permit)
    virginian = Agency(agency_id=AgencyId("city-pd"), name="City", ori="VA0010100", law="us-va")
    for law, agency in (("us-va", CITY), ("us-nm", virginian)):
        answer = Policies.load(law, [agency]).decide(call)
        assert isinstance(answer, Refusal)
        assert answer.reason == "prohibited_purpose"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('  "immigration_enforcement",\n', ""), "immigration_enforcement"),
        (('case_required = ["plate_read"]', 'case_required = ["horse"]'), "horse"),
        (('law = "us-nm"', 'law = "us-nm"\nforce = true'), "force"),
        (('law = "us-nm"', "law ="), "state pack"),
        (('  "out_of_state",\n', '  "everything",\n'), "everything"),
        (('  "cameras",\n', '  "faces",\n'), "faces"),
        (("[declaration]\nstatements", "[retention]\nstatements"), "state pack"),
    ],
)
def test_a_careless_pack_is_refused(change: tuple[str, str], says: str) -> None:
    from importlib.resources import files

    text = files("farolito.policy").joinpath("packs", "us-nm.toml").read_text("utf-8")
    assert change[0] in text
    with pytest.raises(Invalid, match=says):
        parse_pack(text.replace(change[0], change[1], 1))


def test_an_unknown_law_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Invalid, match="us-nm"):
        load_pack("../us-nm")
