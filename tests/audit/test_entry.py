from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from farolito.audit import seal
from farolito.audit.entry import SALT_BYTES, canonical, commit, commitment_in, read
from farolito.model import Invalid
from tests.audit.ledger_builders import START, chance, entry

_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abcxyz_", min_size=1), inner),
    max_leaves=20,
)


@settings(deadline=None)
@given(_values)
def test_entries_are_written_as_rfc_8785_has_it(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


def test_a_sealed_entry_tells_no_personal_value() -> None:
    sealed = seal(entry(), chance())
    assert all(text not in sealed.raw for text in (b"Ana Ortiz", b"BKX291", b"26-1187"))
    assert {o.field: o.value for o in sealed.openings} == dict(entry().personal)


def test_an_opening_opens_its_commitment_and_a_guess_without_salt_does_not() -> None:
    sealed = seal(entry(), chance())
    body = read(sealed.raw)
    for opening in sealed.openings:
        assert commitment_in(body, opening.field) == opening.commitment
        assert commit(bytes(SALT_BYTES), opening.value) != opening.commitment


def test_the_same_query_twice_cannot_be_told_apart_from_two_queries() -> None:
    random = chance()
    one, two = seal(entry(), random), seal(entry(), random)
    assert read(one.raw)["personal"] != read(two.raw)["personal"]


def test_times_are_utc_to_the_millisecond() -> None:
    at = datetime(2026, 7, 1, 6, 30, 0, 123456, timezone(timedelta(hours=-6)))
    assert read(seal(entry(at=at), chance()).raw)["at"] == "2026-07-01T12:30:00.123Z"


def test_a_personal_field_of_another_name_is_refused() -> None:
    with pytest.raises(Invalid, match="home_address"):
        entry(personal={"home_address": "1 Main St"})


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(Invalid, match="zone"):
        entry(at=START.replace(tzinfo=None))


def test_an_entry_that_does_not_fit_16_bits_is_refused() -> None:
    with pytest.raises(Invalid, match="bytes"):
        seal(entry(rules=("x" * 70_000,)), chance())


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": 1}',
        b'{"b":1,"a":1}',
        b'{"a":1,"a":1}',
        b'{"a":1.5}',
        b'{"a":NaN}',
        b'{"a":"\\u0041"}',
        b'{"a":"\\ud800"}',
        b"[1]",
        b"{",
        b"\xff",
    ],
)
def test_bytes_that_are_not_a_canonical_object_are_no_entry(raw: bytes) -> None:
    with pytest.raises(Invalid):
        read(raw)


def test_an_entry_that_fixes_a_thing_names_its_digest_and_others_say_nothing_of_it() -> None:
    assert read(seal(entry(fixes="ab" * 32), chance()).raw)["fixes"] == "ab" * 32
    assert "fixes" not in read(seal(entry(), chance()).raw)
    with pytest.raises(Invalid, match="SHA-256"):
        entry(fixes="a plate")
