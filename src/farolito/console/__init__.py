"""The web application's server side: pages, the API behind them, and the live socket.

In: requests of people who are signed in. Out: answers that passed the gate, with its permit.
Never: a look at the store, the bus, the policy or the ledger past the gate; a page that needs
another host.
"""

from farolito.console.app import make_app
from farolito.console.services import Services

__all__ = ["Services", "make_app"]
