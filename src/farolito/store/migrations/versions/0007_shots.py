"""Gunshot sensors and their health, shots with every version they had, outcomes and misses."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_OWNED = (
    "sensors", "shot_alerts", "shot_versions", "shot_history", "shot_tracks", "shot_evidence",
    "shot_misses",
)  # fmt: skip


def upgrade() -> None:
    op.execute("""
        -- What is known of a gunshot sensor beside its place: `devices` has that.
        create table sensors (
          agency text collate "C" not null,
          device_id text collate "C" not null,
          public_key bytea not null,       -- Ed25519, 32 bytes: what it signs with
          boot bigint not null default 0,  -- of its newest message, so that none is replayed
          sequence bigint not null default 0,
          heard_at timestamptz,
          report jsonb,                    -- its newest heartbeat
          set_aside text,                  -- why it is not believed; null: it is
          set_aside_at timestamptz,
          primary key (agency, device_id),
          foreign key (agency, device_id) references devices
        );
        create table shot_alerts (
          alert_id uuid primary key,
          agency text collate "C" not null,
          version int not null,
          level int not null,
          state text not null,
          is_queued boolean not null,
          raised_at timestamptz not null,
          changed_at timestamptz not null,
          discharged_at timestamptz not null,
          lat float8 not null,
          lon float8 not null,
          zone text collate "C" not null,
          reviewed_as text,
          outcome text,
          body jsonb not null
        );
        create index on shot_alerts (agency, state, raised_at);
        create index on shot_alerts (agency, discharged_at);
        -- The machine's answer, the reviewer's, and every later change.
        create table shot_versions (
          alert_id uuid not null references shot_alerts on delete cascade,
          version int not null,
          agency text collate "C" not null,
          at timestamptz not null,
          body jsonb not null,
          primary key (alert_id, version)
        );
        create table shot_history (
          alert_id uuid not null references shot_alerts on delete cascade,
          line bigint generated always as identity,
          agency text collate "C" not null,
          at timestamptz not null,
          version int not null,
          says text not null,
          who uuid,
          permit bigint,
          primary key (alert_id, line)
        );
        -- What the locator, or a vendor, calls a shot: told again, it is the same one.
        create table shot_tracks (
          agency text collate "C" not null,
          track text collate "C" not null,
          shot_id uuid not null,
          alert_id uuid not null references shot_alerts on delete cascade,
          revision int not null,  -- the newest that was told under this track
          at timestamptz not null,
          primary key (agency, track)
        );
        create index on shot_tracks (alert_id);
        -- Every pulse that the locator had before it, so that anybody can solve it again.
        create table shot_evidence (
          shot_id uuid primary key,
          alert_id uuid not null references shot_alerts on delete cascade,
          agency text collate "C" not null,
          at timestamptz not null,
          pulses bytea not null
        );
        create index on shot_evidence (alert_id);
        create table shot_misses (
          miss_id uuid primary key,
          agency text collate "C" not null,
          at timestamptz not null,
          said_at timestamptz not null,
          zone text collate "C" not null,
          body jsonb not null
        );
        create index on shot_misses (agency, at);
    """)
    for table in _OWNED:
        op.execute(f"""
            alter table {table} enable row level security;
            create policy own_agency on {table} to farolito_agent
              using (agency = current_setting('farolito.agency', true))
              with check (agency = current_setting('farolito.agency', true));
        """)
