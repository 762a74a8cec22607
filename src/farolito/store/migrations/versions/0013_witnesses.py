"""What this node cosigned for other ledgers, and the alarms about them."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_OWNED = ("witnessed_logs", "witnessed_checkpoints", "ledger_alarms")


def upgrade() -> None:
    op.execute("""
        -- The newest checkpoint that was cosigned, a row a log: written before the cosignature
        -- leaves. A log is its whole verifier key, so that one begun anew is another log.
        create table witnessed_logs (
          agency text collate "C" not null,
          log text collate "C" not null,
          size bigint not null check (size >= 0),
          root bytea not null check (octet_length(root) = 32),
          note bytea not null,
          at timestamptz not null,
          primary key (agency, log)
        );
        create function witness_grows() returns trigger language plpgsql as $$
        begin
          if new.size < old.size or new.log <> old.log or new.agency <> old.agency
             or (new.size = old.size and new.root <> old.root) then
            raise exception 'a witness does not forget: % saw % entries', old.log, old.size
              using errcode = 'insufficient_privilege';
          end if;
          return new;
        end $$;
        create trigger grows before update on witnessed_logs
          for each row execute function witness_grows();
        -- Checkpoints of other ledgers that fit what was cosigned: held against what others saw.
        create table witnessed_checkpoints (
          agency text collate "C" not null,
          log text collate "C" not null,
          size bigint not null,
          root bytea not null check (octet_length(root) = 32),
          note bytea not null,
          at timestamptz not null,
          primary key (agency, log, size)
        );
        create index on witnessed_checkpoints (agency, at);
        create table ledger_alarms (
          agency text collate "C" not null,
          alarm_id text collate "C" not null,     -- SHA-256 of what it is about
          log text collate "C" not null,
          kind text not null,
          state text not null,
          raised_by text collate "C" not null,    -- who told us; ourselves where we found it
          at timestamptz not null,
          told text[] collate "C" not null default '{}',  -- partners that have it from us
          evidence jsonb not null,
          primary key (agency, alarm_id)
        );
        -- Figures are of a time; entries come nearly in its order.
        create index ledger_entries_at on ledger_entries using brin (at);
        revoke delete on witnessed_logs, ledger_alarms from farolito_agent;
    """)
    for table in _OWNED:
        op.execute(f"""
            alter table {table} enable row level security;
            create policy own_agency on {table} to farolito_agent
              using (agency = current_setting('farolito.agency', true))
              with check (agency = current_setting('farolito.agency', true));
        """)
