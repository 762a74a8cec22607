"""The keys of a NATS server in operator mode.

One operator a node, which signs accounts; one account an agency, and one for each partner; users
under them. Accounts can be revoked while the server runs, which users of a configuration file
cannot.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import nkeys

from farolito.bus import claims, crossing
from farolito.bus.claims import Key
from farolito.bus.lines import Line, LineBook
from farolito.model import AgencyId, BusCard


@dataclass(frozen=True)
class Accounts:
    """What signs, and what the server's configuration and the node's connections need."""

    agency: AgencyId
    folder: Path
    operator: Key
    operator_jwt: str
    system: Key
    account: Key
    shares: Key  # of the account from which things flow to partners
    credentials: Path  # of the node in its own account
    shares_credentials: Path
    system_credentials: Path
    book: LineBook
    _line_keys: dict[str, Key] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path, agency: AgencyId, now_s: int) -> Accounts:
        """Read the node's bus keys, making them (mode 0600) at the first start."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        system = Key.load(folder / "system.nk", nkeys.PREFIX_BYTE_ACCOUNT)
        account = Key.load(folder / f"{agency}.nk", nkeys.PREFIX_BYTE_ACCOUNT)
        shares = Key.load(folder / "shares.nk", nkeys.PREFIX_BYTE_ACCOUNT)
        operator = Key.load(folder / "operator.nk", nkeys.PREFIX_BYTE_OPERATOR)
        return cls(
            agency=agency,
            folder=folder,
            operator=operator,
            operator_jwt=_operator(folder / "operator.jwt", operator, system.public, now_s),
            system=system,
            account=account,
            shares=shares,
            credentials=_credentials(folder, f"{agency}-node", account, now_s),
            shares_credentials=_credentials(folder, "shares-node", shares, now_s),
            system_credentials=_credentials(folder, "system-node", system, now_s),
            book=LineBook(folder / "partners.json"),
        )

    def accounts(self, now: datetime) -> dict[str, str]:
        """Every account of the server as it should be now: its JWT by its public key."""
        lines = self.book.lines.values()
        return {
            self.system.public: self._account(self.system.public, "SYS", claims.account(), now),
            **{line.own.account: self.partner_jwt(line, now) for line in lines},
            self.account.public: self.agency_jwt(now),
            self.shares.public: self.shares_jwt(now),
        }

    def agency_jwt(self, now: datetime) -> str:
        rights = crossing.agency_account(self.account, self._ends())
        return self._account(self.account.public, self.agency, rights, now)

    def shares_jwt(self, now: datetime) -> str:
        rights = crossing.shares_account(self.shares, self._ends(), now)
        return self._account(self.shares.public, "shares", rights, now)

    def partner_jwt(self, line: Line, now: datetime) -> str:
        rights = crossing.partner_account(self.agency, self.account, line)
        return self._account(line.own.account, line.partner, rights, now)

    @property
    def known(self) -> set[str]:
        """The public keys of all accounts there should be."""
        partners = {line.own.account for line in self.book.lines.values()}
        return {self.system.public, self.account.public, self.shares.public, *partners}

    def deletion(self, accounts: list[str], now: datetime) -> str:
        """What tells the server to delete accounts."""
        name = self.operator.public
        request = {"type": "generic", "version": 2, "accounts": accounts}
        return claims.signed(self.operator, name, "deletion", request, int(now.timestamp()))

    def new_ends(self) -> tuple[Key, Key]:
        """Keys of a line to be: the account that will stand for the partner, and our user."""
        account = Key.made(nkeys.PREFIX_BYTE_ACCOUNT)
        user = Key.made(nkeys.PREFIX_BYTE_USER)
        for key in (account, user):
            claims.write_secret(self._line_key(key.public), key.seed)
        return account, user

    def leave(self, line: Line, now: datetime) -> str:
        """The leave for a partner's node to connect to its account here."""
        account = self.line_key(line.own.account)
        user, partner = line.theirs.user, line.partner
        return crossing.leave(account, user, self.agency, partner, int(now.timestamp()))

    def line_credentials(self, line: Line) -> Path:
        """The file with which this node connects to a partner's."""
        path = self.folder / "lines" / f"{line.own.user}.creds"
        seed = self.line_key(line.own.user).seed
        claims.write_secret(path, claims.credentials(line.theirs.user_jwt, seed))
        return path

    def forget(self, card: BusCard) -> None:
        """The keys of a line that is over."""
        for public in (card.account, card.user):
            self._line_keys.pop(public, None)
        for name in (f"{card.account}.nk", f"{card.user}.nk", f"{card.user}.creds"):
            (self.folder / "lines" / name).unlink(missing_ok=True)

    def line_key(self, public: str) -> Key:
        key = self._line_keys.get(public)
        if key is None:
            key = self._line_keys[public] = Key(self._line_key(public).read_bytes().strip())
        return key

    def _ends(self) -> list[tuple[Line, Key]]:
        lines = self.book.lines.values()
        return [(line, self.line_key(line.own.account)) for line in lines]

    def _line_key(self, public: str) -> Path:
        return self.folder / "lines" / f"{public}.nk"

    def _account(self, public: str, name: str, rights: claims.Claims, now: datetime) -> str:
        return claims.signed(self.operator, public, name, rights, int(now.timestamp()))


def _credentials(folder: Path, name: str, account: Key, now_s: int) -> Path:
    user = Key.load(folder / f"{name}.nk", nkeys.PREFIX_BYTE_USER)
    jwt = claims.signed(account, user.public, name, claims.user(), now_s)
    path = folder / f"{name}.creds"
    claims.write_secret(path, claims.credentials(jwt, user.seed))
    return path


def _operator(path: Path, operator: Key, system: str, now_s: int) -> str:
    """The operator's claims, signed once: a server that reads another text begins anew."""
    if not path.exists():
        rights = {"type": "operator", "version": 2, "system_account": system}
        jwt = claims.signed(operator, operator.public, "farolito", rights, now_s)
        claims.write_secret(path, jwt)
    return path.read_text()
