"""The house keeps its shape: who may import whom, and that thinking is apart from doing."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ROOT / "src" / "farolito"
THINKING = ("model", "geo", "codec", "plates", "viewing", "policy")
CLOCK_AND_CHANCE = frozenset(
    {"now", "utcnow", "today", "time", "monotonic", "perf_counter", "uuid1", "uuid4", "urandom"}
)


def test_every_room_imports_only_what_the_contracts_allow() -> None:
    found = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr


def test_thinking_rooms_ask_neither_clock_nor_chance() -> None:
    files = [f for room in THINKING for f in (ROOMS / room).rglob("*.py")]
    assert len(files) > len(THINKING)
    assert [f"{f.relative_to(ROOMS)}: {asked}" for f in files for asked in _asked(f)] == []


def test_every_room_says_what_comes_in_what_goes_out_and_what_never_happens() -> None:
    rooms = sorted(ROOMS.glob("*/__init__.py"))
    assert len(rooms) > len(THINKING)
    silent = [f.parent.name for f in rooms if not _is_told(f)]
    assert silent == []


def _asked(file: Path) -> Iterator[str]:
    for call in ast.walk(ast.parse(file.read_text())):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute | ast.Name):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id
            if name in CLOCK_AND_CHANCE:
                yield f"line {call.lineno} calls {name}()"


def _is_told(file: Path) -> bool:
    told = ast.get_docstring(ast.parse(file.read_text())) or ""
    return all(word in told for word in ("In:", "Out:", "Never:"))
