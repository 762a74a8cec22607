"""A real identity provider for tests, run by the Node.js that comes as a Python wheel."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from farolito.model import Role
from farolito.model.provider import Provider

FOLDER = Path(__file__).parent / "provider"
SECRET = "a secret of the tests, not of anybody"
ROLE_CLAIM = "urn:example:role"
NCIC = "gfipm:2.0:user:NCICCertificationIndicator"
MFA = {"acr": "urn:example:mfa", "amr": ["pwd", "otp", "mfa"]}


class RealProvider:
    def __init__(self, issuer: str, secret_file: Path) -> None:
        self.issuer = issuer
        self.secret_file = secret_file

    def next(self, sub: str = "", **more: Any) -> None:
        """Who signs in there next: `claims`, `acr`, `amr`, `ago_s`; or an `error`."""
        body = {"sub": sub, **MFA, **more}
        httpx.put(f"{self.issuer}/next", json=body, trust_env=False).raise_for_status()

    def told(self, **more: Any) -> Provider:
        """As the configuration of a node has it."""
        return Provider(
            **{
                "id": "county",
                "name": "County sign-in",
                "issuer": self.issuer,
                "client_id": "rtcc",
                "secret_file": str(self.secret_file),
                "acr": ("urn:example:mfa",),
                **more,
            }
        )

    def by_rule(self, **more: Any) -> Provider:
        roles = {
            "rtcc-operators": Role.OPERATOR,
            "rtcc-detectives": Role.DETECTIVE,
            "rtcc-auditors": Role.AUDITOR,
        }
        return self.told(admits="rule", role_claim=ROLE_CLAIM, roles=roles, **more)

    def visit(self, address: str) -> dict[str, str]:
        """What a browser brings back from there: the answer's values."""
        back = address
        with httpx.Client(trust_env=False, timeout=10) as browser:
            for _ in range(10):
                answer = browser.get(back)
                assert answer.is_redirect, answer.text
                back = str(answer.headers["location"])
                if back.startswith("/"):
                    back = self.issuer + back
                if not back.startswith(self.issuer):
                    return {k: v[0] for k, v in parse_qs(urlsplit(back).query).items()}
        raise AssertionError("the provider sends the browser round and round")


@contextmanager
def real_provider(
    folder: Path, redirects: Sequence[str], *, thin: bool = False
) -> Iterator[RealProvider]:
    """`thin`: its ID tokens hold no more than they must; the rest is asked for."""
    secret = folder / "county.secret"
    secret.write_text(SECRET)
    installed()
    node = Path(sys.executable).with_name("node")
    environment = {**os.environ, "THIN": "1" if thin else "0"}
    with subprocess.Popen(
        [str(node), "provider.mjs", *redirects],
        cwd=FOLDER, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        start_new_session=True,
    ) as running:  # fmt: skip
        try:
            assert running.stdout is not None
            yield RealProvider(running.stdout.readline().strip(), secret)
        finally:
            os.killpg(running.pid, signal.SIGTERM)  # `node` is a script that starts the real one


def installed() -> None:
    """The provider's own files; the Makefile brings them, and so does the first test to want it."""
    if (FOLDER / "node_modules" / "oidc-provider").exists():
        return
    npm = Path(sys.executable).with_name("npm")
    path = f"{npm.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    command = [str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=FOLDER, env={**os.environ, "PATH": path}, check=True)
