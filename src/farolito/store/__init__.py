"""PostgreSQL: the schema with its migrations, and queries by noun.

In: values. Out: rows made durable, values read back. Every transaction names the agency it
works for, and row-level security holds it to that agency's rows.
Never: a decision about rights, and no caller but gate, app, audit, policy and identity.
"""

from farolito.store.database import Database, migrate
from farolito.store.records import Records

__all__ = ["Database", "Records", "migrate"]
