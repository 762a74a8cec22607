"""The command `farolito`: one file a command.

In: a person at the node's own shell. Out: sentences, or with `--json` one document on stdout.
Never: a way past the gate; what changes a running node is asked of it over its own address.
"""

from farolito.cli.main import main

__all__ = ["main"]
