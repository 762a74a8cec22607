"""The agency's own certificate authority: one certificate, for one line, for a week."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from farolito.identity.authority import (
    CLOCKS_APART_MAX,
    LINE_LASTS,
    RENEWED_BEFORE,
    Authority,
    authority_of,
    names_of,
    pin_of,
)
from farolito.model import AgencyId, BusCard, Invalid

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CITY = AgencyId("city-pd")


def made(folder: Path, now: datetime = NOW) -> Authority:
    authority = Authority(folder, CITY, now)
    authority.renew(["rtcc.example.gov", "192.0.2.7"], now)
    return authority


def line_of(authority: Authority) -> x509.Certificate:
    return x509.load_pem_x509_certificate(authority.line_certificate.read_bytes())


def test_a_lines_certificate_lasts_a_week_and_is_signed_by_the_authority(tmp_path: Path) -> None:
    authority = made(tmp_path)
    line = line_of(authority)
    line.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.ca_pem.encode()))
    assert line.not_valid_after_utc == NOW + LINE_LASTS
    assert line.not_valid_before_utc == NOW - CLOCKS_APART_MAX
    assert names_of(line) == {"city-pd", "rtcc.example.gov", "192.0.2.7"}
    uses = line.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert {*uses} == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert not line.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_it_is_renewed_in_time_and_only_then_with_the_same_key(tmp_path: Path) -> None:
    authority = made(tmp_path)
    names = ["rtcc.example.gov", "192.0.2.7"]
    first = line_of(authority)
    assert not authority.renew(names, NOW + LINE_LASTS - RENEWED_BEFORE - timedelta(seconds=1))
    assert authority.renew(names, NOW + LINE_LASTS - RENEWED_BEFORE)
    assert line_of(authority).serial_number != first.serial_number
    assert pin_of(line_of(authority).public_key()) == authority.pin
    assert authority.renew(["another.example.gov"], NOW + LINE_LASTS - RENEWED_BEFORE)


def test_keys_stay_through_a_restart_and_are_read_by_nobody_else(tmp_path: Path) -> None:
    first = made(tmp_path)
    again = Authority(tmp_path, CITY, NOW + timedelta(days=30))
    assert (again.ca_pem, again.pin) == (first.ca_pem, first.pin)
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_an_authority_signs_no_further_authorities(tmp_path: Path) -> None:
    certificate = x509.load_pem_x509_certificate(made(tmp_path).ca_pem.encode())
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (constraints.ca, constraints.path_length) == (True, 0)


def test_a_partners_authority_is_one_certificate_that_may_sign(tmp_path: Path) -> None:
    authority = made(tmp_path)
    assert authority_of(authority.ca_pem) == authority.ca_pem
    for pem in (
        "",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        authority.ca_pem + made(tmp_path / "other").ca_pem,
        authority.line_certificate.read_text(),
    ):
        with pytest.raises(Invalid):
            authority_of(pem)


def test_its_texts_fit_the_card_that_partners_get(tmp_path: Path) -> None:
    authority = made(tmp_path)
    BusCard(account="A" * 56, user="U" * 56, ca_pem=authority.ca_pem, pin=authority.pin)
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert pin_of(other) != authority.pin
