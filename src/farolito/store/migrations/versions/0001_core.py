"""Reads, hot lists, alerts, briefs, the feed, dead letters and stream positions."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Tables that belong to one agency a row: held by row-level security to the transaction's agency.
_OWNED = (
    "reads",
    "hot_lists",
    "hot_list_entries",
    "hot_list_imports",
    "alerts",
    "alert_history",
    "stopped_matches",
    "briefs",
    "receipts",
    "feed",
    "units",
    "dead_letters",
    "source_health",
)


def upgrade() -> None:
    op.execute("""
        do $$ begin
          if not exists (select 1 from pg_roles where rolname = 'farolito_agent') then
            create role farolito_agent nologin;
          end if;
        end $$;
        grant usage on schema public to farolito_agent;
        alter default privileges in schema public
          grant select, insert, update, delete on tables to farolito_agent;
        alter default privileges in schema public grant usage on sequences to farolito_agent;
    """)
    op.execute("""
        -- Wide columns first, so that nothing is lost to padding. One partition a UTC day, so
        -- that keeping ends by dropping one. No unique index on the id: it would cost 50 bytes
        -- a read, and repeats are recognised before they get here.
        create table reads (
          read_id uuid not null,
          captured_at timestamptz(3) not null,
          received_at timestamptz(3) not null,
          lat float8,
          lon float8,
          reader int not null,
          confidence smallint,           -- per mille; null: the source does not tell
          heading smallint,              -- degrees from north
          plate text collate "C" not null,
          state text collate "C",
          agency text collate "C" not null,
          make text collate "C",
          colour text collate "C",
          kind text collate "C",
          detail bytea                   -- the rest of the read, MessagePack; null: no more
        ) partition by range (captured_at);
        create table reads_default partition of reads default;
        create index on reads (plate, captured_at);
        create index on reads (reader, captured_at);
        create index on reads using brin (captured_at) with (pages_per_range = 32);

        create table readers (
          number int generated always as identity primary key,
          agency text collate "C" not null,
          device_id text collate "C" not null,
          unique (agency, device_id)
        );

        create table stream_positions (
          consumer text primary key,
          sequence bigint not null,
          at timestamptz not null default now()
        );
    """)
    op.execute("""
        create table hot_lists (
          agency text collate "C" not null,
          list_id text collate "C" not null,
          name text not null,
          stale_after_s int not null,
          dead_after_s int not null,
          threshold float8 not null,
          folded boolean not null,
          imported_at timestamptz,
          primary key (agency, list_id)
        );
        create table hot_list_entries (
          entry_id uuid primary key,
          agency text collate "C" not null,
          list_id text collate "C" not null,
          plate text collate "C" not null,
          state text collate "C",
          category text not null,
          reason text not null,
          source_agency text not null,
          entered_at timestamptz not null,
          expires_at timestamptz,
          confirm_with text not null,
          case_number text,
          vehicle jsonb,
          restricted boolean not null default false,
          recalled_at timestamptz,
          recall_reason text,
          removed_at timestamptz,
          seen_at timestamptz not null,
          foreign key (agency, list_id) references hot_lists
        );
        create index on hot_list_entries (agency, plate);
        create index on hot_list_entries (agency, list_id) where removed_at is null;
        create table hot_list_imports (
          import_id uuid primary key,
          agency text collate "C" not null,
          list_id text collate "C" not null,
          at timestamptz not null,
          by uuid,
          file_sha256 text not null,
          rows int not null,
          added int not null,
          changed int not null,
          removed int not null,
          unchanged int not null,
          forbidden int not null,
          bad jsonb not null
        );
        create index on hot_list_imports (agency, list_id, at);
    """)
    op.execute("""
        create table alerts (
          alert_id uuid primary key,
          agency text collate "C" not null,
          level smallint not null,
          state text not null,
          version int not null,
          raised_at timestamptz not null,
          changed_at timestamptz not null,
          captured_at timestamptz not null,
          plate text collate "C" not null,
          entry_id uuid not null,
          read_id uuid not null,
          assigned text,
          body jsonb not null,
          unique (agency, entry_id, read_id)   -- one read raises one alert for a row, ever
        );
        create index on alerts (agency, state, raised_at);
        create index on alerts (agency, plate);
        create index on alerts (entry_id);
        create table alert_history (
          alert_id uuid not null references alerts,
          agency text collate "C" not null,
          at timestamptz not null,
          version int not null,
          says text not null,
          who uuid,
          permit bigint,
          primary key (alert_id, version)
        );
        create table stopped_matches (
          agency text collate "C" not null,
          at timestamptz not null,
          read_id uuid not null,
          entry_id uuid not null,
          body jsonb not null,
          primary key (agency, entry_id, read_id)
        );
        create index on stopped_matches (agency, at);
        create table briefs (
          brief_id uuid not null,
          version int not null,
          agency text collate "C" not null,
          alert_id uuid not null references alerts,
          unit text not null,
          composed_at timestamptz not null,
          body jsonb not null,
          primary key (brief_id, version)
        );
        create index on briefs (alert_id);
        create index on briefs (agency, unit, composed_at);
        create table receipts (
          brief_id uuid not null,
          version int not null,
          kind text not null,
          person uuid not null,
          agency text collate "C" not null,
          at timestamptz not null,
          primary key (brief_id, version, kind, person),
          foreign key (brief_id, version) references briefs
        );
        -- What a screen is told, in order: written in the transaction of the change itself, so
        -- a socket that resumes after its last number misses nothing.
        create table feed (
          agency text collate "C" not null,
          seq bigint not null,
          at timestamptz not null,
          kind text not null,
          unit text,
          body jsonb not null,
          primary key (agency, seq)
        );
        create table units (
          agency text collate "C" not null,
          unit_id text collate "C" not null,
          officer uuid,
          lat float8,
          lon float8,
          heading_deg float8,
          speed_mps float8,
          heard_at timestamptz,
          primary key (agency, unit_id)
        );
        create table dead_letters (
          letter_id uuid primary key,
          agency text collate "C" not null,
          device_id text not null,
          at timestamptz not null,
          format text not null,
          reason text not null,
          says text not null,
          size int not null,
          head bytea not null              -- the first bytes of the message, bounded
        );
        create index on dead_letters (agency, at);
        create table source_health (
          agency text collate "C" not null,
          device_id text not null,
          format text not null,
          last_heard_at timestamptz not null,
          reads bigint not null default 0,
          duplicates bigint not null default 0,
          rejected jsonb not null default '{}',
          primary key (agency, device_id, format)
        );
    """)
    for table in _OWNED:
        op.execute(f"""
            alter table {table} enable row level security;
            create policy own_agency on {table} to farolito_agent
              using (agency = current_setting('farolito.agency', true))
              with check (agency = current_setting('farolito.agency', true));
        """)
