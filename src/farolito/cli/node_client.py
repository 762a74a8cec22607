"""Asking the running node, with the token that proves access to its files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx
import typer

from farolito.app import config as configuration
from farolito.model import FarolitoError

WAIT_S_MAX = 300.0  # an import of millions of rows takes minutes

NodeUrl = Annotated[str, typer.Option("--node", envvar="FAROLITO_NODE", help="The node's address")]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file", envvar="FAROLITO_ADMIN_TOKEN_FILE", help="STATE/admin.token of the node"
    ),
]
URL = "http://localhost:8700"
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def ask(
    method: str, url: str, path: str, token_file: Path | None, body: Any = None
) -> dict[str, Any]:
    """The node's answer. Raises FarolitoError with the node's own words where it says no."""
    if urlsplit(url).scheme != "https" and urlsplit(url).hostname not in _LOOPBACK:
        raise FarolitoError(f"the token would travel in the clear to {url}", "use https://")
    headers = {"Authorization": f"Bearer {_token(token_file)}"}
    return _said(_answer(method, url, path, headers=headers, json=body))


def fetch(url: str, path: str) -> bytes:
    """What the node hands to anybody. Raises FarolitoError as `ask` does."""
    answer = _answer("GET", url, path)
    _said(answer)
    return answer.content


def _answer(method: str, url: str, path: str, **more: Any) -> httpx.Response:
    try:
        # No proxy from the environment: the token is for this node alone.
        return httpx.request(
            method, url.rstrip("/") + path, timeout=WAIT_S_MAX, trust_env=False, **more
        )
    except httpx.HTTPError as error:
        raise FarolitoError(
            f"no node answers at {url}", "start it with `farolito run`, or name it with --node"
        ) from error


def _said(answer: httpx.Response) -> dict[str, Any]:
    said = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    if answer.is_error:
        raise FarolitoError(said.get("says", f"HTTP {answer.status_code}"), said.get("do", ""))
    return dict(said)


def _token(token_file: Path | None) -> str:
    base = configuration.default_state()
    for path in [token_file] if token_file else [base / "admin.token", base / "demo/admin.token"]:
        try:
            return path.read_text().strip()
        except OSError:
            continue
    raise FarolitoError(
        "the node's admin.token cannot be read", "run as the node's account, or give --token-file"
    )
