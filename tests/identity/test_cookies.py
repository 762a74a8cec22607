"""Cookies that scripts, other sites and other nodes on the machine cannot use."""

from __future__ import annotations

import pytest

from farolito.identity.cookies import cookie_jar
from farolito.model import Invalid


def test_behind_tls_the_cookie_belongs_to_this_host_alone() -> None:
    cookie = cookie_jar(["https://rtcc.example.gov"]).set("TOKEN", 43_200)
    assert cookie == (
        "__Host-farolito=TOKEN; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure"
    )


def test_two_nodes_on_one_machine_do_not_overwrite_each_other_s_cookie() -> None:
    first, second = cookie_jar(["http://localhost:8700"]), cookie_jar(["http://localhost:8701"])
    assert first.name != second.name
    both = f"{first.set('ONE', 1)}; {second.set('TWO', 1)}"
    assert first.token(both) == "ONE"
    assert second.token(both) == "TWO"


@pytest.mark.parametrize(
    "origins",
    [[], ["http://rtcc.example.gov"], ["ftp://localhost"], ["rtcc.example.gov"],
     ["https://rtcc.example.gov", "http://rtcc.example.gov"]],
)  # fmt: skip
def test_a_site_without_tls_is_refused_unless_it_is_this_machine(origins: list[str]) -> None:
    with pytest.raises(Invalid):
        cookie_jar(origins)


def test_signing_out_clears_the_cookie() -> None:
    jar = cookie_jar(["http://127.0.0.1:8700"])
    assert jar.clear().startswith("farolito-8700=; ")
    assert "Max-Age=0" in jar.clear()
    assert jar.token(jar.clear()) is None
