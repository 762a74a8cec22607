"""`farolito bench metro`: its keys, no figure that is a guess, and trials that tell the truth."""

from __future__ import annotations

import asyncio
import time

import pytest

from farolito.app import decision_trial
from farolito.cli.bench_metro import FULL, QUICK, ledger, told
from farolito.cli.bench_metro_asks import Asked
from farolito.cli.bench_metro_asks import told as told_asked
from farolito.cli.bench_metro_shares import Ended, Screen, told_revocations, told_shares
from farolito.model import Invalid

OURS = {
    "federated_overhead_p50_ms", "federated_overhead_p95_ms", "share_p99_ms", "revoke_p99_ms",
    "decisions_per_s", "ledger_appends_per_s", "verify_ms", "proof_bytes", "nodes",
}  # fmt: skip


def test_what_was_not_measured_is_null() -> None:
    found = told(QUICK, {}, {})
    assert found["figures"].keys() == OURS
    assert {key for key, value in found["figures"].items() if value is not None} == {"nodes"}
    assert found["baselines"][0]["figures"] == {"federated_p50_ms": None, "federated_p95_ms": None}
    assert found["ratios"] == {"p95_vs_shared_database": None}


def test_a_ratio_is_ours_to_theirs() -> None:
    found = told(QUICK, {"federated_p95_ms": 12.0}, {"federated_p95_ms": 1.5})
    assert found["ratios"] == {"p95_vs_shared_database": 8.0}


def test_the_long_run_has_twenty_around_the_city() -> None:
    assert (QUICK.partners, FULL.partners) == (2, 20)
    assert FULL.wide > 0


def test_overhead_is_the_difference_of_the_quantiles() -> None:
    asked = Asked()
    asked.local, asked.federated, asked.shared = [0.010] * 20, [0.017] * 20, [0.0012] * 20
    asked.reads, asked.unanswered = [8] * 20, 1
    ours, theirs = told_asked(asked)
    assert ours["federated_overhead_p50_ms"] == ours["federated_overhead_p95_ms"] == 7.0
    assert (ours["asked"], ours["unanswered"], ours["reads_per_answer"]) == (20, 1, 8)
    assert theirs["federated_p95_ms"] == 1.2
    ours, theirs = told_asked(Asked())
    assert ours["federated_overhead_p95_ms"] is None
    assert theirs["federated_p95_ms"] is None


def test_a_revocation_takes_as_long_as_its_latest_effect() -> None:
    ended = [
        Ended(0.02, 0.05, 0.11, True, ("a", "5")),
        Ended(0.02, 0.09, 0.07, False, ("b", "6")),
    ]
    assert [one.effect for one in ended] == [0.11, 0.09]
    found = told_revocations(ended, {("a", "5"), ("a", "6"), ("b", "5")})
    assert found["revoke_p50_ms"] == 100.0
    assert (found["revocations"], found["revocations_refused_by_owner"]) == (2, 1)
    assert found["shared_after_revocation"] == 1
    assert told_revocations([], {})["revoke_p99_ms"] is None


def test_what_never_came_is_counted_and_has_no_time() -> None:
    found = told_shares([0.02, None, 0.04])
    assert (found["shares"], found["shares_lost"], found["share_p50_ms"]) == (3, 1, 30.0)


class Spoken:
    """What a socket says, one text after the other."""

    def __init__(self, *said: str) -> None:
        self._said = iter(said)

    def __aiter__(self) -> Spoken:
        return self

    async def __anext__(self) -> str:
        try:
            return next(self._said)
        except StopIteration:
            raise StopAsyncIteration from None


def shared(item: str, purged: str = "false") -> str:
    return (
        f'{{"k": "shared", "shared": {{"agreement_id": "a", "item_id": "{item}",'
        f' "purged": {purged}}}}}'
    )


def test_a_screen_holds_what_came_and_was_not_taken_off() -> None:
    async def look() -> None:
        shown = Screen()
        said = Spoken('{"k": "tick"}', shared("1"), shared("2"), shared("1", "true"))
        await shown.listen(said)
        assert shown.held("a") == {"2"}
        assert shown.held("b") == set()
        assert await shown.until(lambda: shown.holds("a", 1))

    asyncio.run(look())


def test_decisions_are_counted_by_the_time_they_took() -> None:
    began = time.perf_counter()
    found = decision_trial.trial(0.2)
    took = time.perf_counter() - began
    assert found.own_per_s > 0
    assert found.foreign_per_s > 0
    assert took >= 0.2


def test_a_trial_of_what_is_refused_is_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision_trial, "CASE", None)  # the purpose wants a call's number
    with pytest.raises(Invalid):
        decision_trial.trial(0.1)


@pytest.mark.node
def test_the_ledgers_figures_are_of_a_durable_one() -> None:
    found = asyncio.run(ledger(0.3))
    assert set(found) > {"ledger_appends_per_s", "proof_bytes", "verify_ms", "append_p99_ms"}
    assert found["ledger_entries"] >= found["ledger_appends_per_s"] * 0.3 - 1
    assert 300 < found["proof_bytes"] < 3_000  # with two cosignatures
    assert found["verify_ms"] > 0
