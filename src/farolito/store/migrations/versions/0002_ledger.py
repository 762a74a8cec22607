"""The ledger: entries, their personal values apart, tiles, checkpoints, cosignatures."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_APPEND_ONLY = (
    "ledger_entries",
    "ledger_tiles",
    "ledger_checkpoints",
    "ledger_cosignatures",
    "ledger_spooled",
)
_OWNED = (*_APPEND_ONLY, "ledger_heads", "ledger_personal")


def upgrade() -> None:
    op.execute("""
        create table ledger_heads (
          agency text collate "C" primary key,
          size bigint not null check (size >= 0),
          root bytea not null check (octet_length(root) = 32)
        );
        create table ledger_entries (
          entry_index bigint not null check (entry_index >= 0),
          at timestamptz(3) not null,
          agency text collate "C" not null,
          leaf bytea not null check (octet_length(leaf) = 32),
          entry bytea not null check (octet_length(entry) between 2 and 65535),
          primary key (agency, entry_index)
        );
        -- Salts and values of personal fields. Deleting a row ends a value for good: the
        -- commitment in the entry stays, and with it every proof.
        create table ledger_personal (
          entry_index bigint not null,
          at timestamptz(3) not null,
          agency text collate "C" not null,
          field text collate "C" not null,
          salt bytea not null check (octet_length(salt) = 16),
          value bytea not null,            -- UTF-8: text cannot hold every character
          primary key (agency, entry_index, field)
        );
        create index on ledger_personal (agency, at);
        create table ledger_tiles (        -- full tiles only; the right edge follows from entries
          number bigint not null,
          level smallint not null,
          agency text collate "C" not null,
          hashes bytea not null check (octet_length(hashes) = 8192),
          primary key (agency, level, number)
        );
        alter table ledger_tiles alter hashes set storage external;  -- hashes do not compress
        create table ledger_checkpoints (
          size bigint not null,
          at timestamptz not null,
          agency text collate "C" not null,
          note bytea not null,
          primary key (agency, size)
        );
        create table ledger_cosignatures (
          size bigint not null,
          agency text collate "C" not null,
          witness text collate "C" not null,   -- the witness's verifier key
          line text not null,
          primary key (agency, size, witness),
          foreign key (agency, size) references ledger_checkpoints
        );
        create table ledger_spooled (      -- entries that waited in a local spool: in once each
          entry_index bigint not null,
          number int not null,
          agency text collate "C" not null,
          spool_id text collate "C" not null,
          primary key (agency, spool_id, number)
        );
    """)
    op.execute("""
        create function ledger_refuses() returns trigger language plpgsql as $$
        begin
          raise exception 'the ledger only grows: % on % is refused', tg_op, tg_table_name
            using errcode = 'insufficient_privilege';
        end $$;
        create function ledger_grows() returns trigger language plpgsql as $$
        begin
          if new.size < old.size or new.agency <> old.agency then
            raise exception 'the ledger only grows: its head cannot go back'
              using errcode = 'insufficient_privilege';
          end if;
          return new;
        end $$;
        create trigger grows before update on ledger_heads
          for each row execute function ledger_grows();
        create trigger stays before delete or truncate on ledger_heads
          for each statement execute function ledger_refuses();
    """)
    for table in _APPEND_ONLY:
        op.execute(f"""
            create trigger stays before update or delete or truncate on {table}
              for each statement execute function ledger_refuses();
            revoke update, delete, truncate on {table} from farolito_agent;
        """)
    op.execute("revoke delete on ledger_heads from farolito_agent")
    op.execute("revoke update on ledger_personal from farolito_agent")
    for table in _OWNED:
        op.execute(f"""
            alter table {table} enable row level security;
            create policy own_agency on {table} to farolito_agent
              using (agency = current_setting('farolito.agency', true))
              with check (agency = current_setting('farolito.agency', true));
        """)
