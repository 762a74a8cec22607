"""Calls, incidents with every version, answers of officers, and where units are and how sure."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_OWNED = (
    "calls", "call_plates", "cad_marks", "incidents", "incident_versions", "incident_parts",
    "incident_log", "answers", "push_subscriptions",
)  # fmt: skip


def upgrade() -> None:
    op.execute("""
        create table calls (
          call_id uuid primary key,
          agency text collate "C" not null,
          number text collate "C" not null,
          version int not null,
          state text not null,
          here_at timestamptz not null,
          changed_at timestamptz not null,
          premise text collate "C",        -- the plain address, for its history
          lat float8,
          lon float8,
          duplicate_of text collate "C",   -- the number that its CAD says it tells again
          incident_id uuid,
          body jsonb not null,
          unique (agency, number)
        );
        create index on calls (agency, here_at);
        create index on calls (agency, premise) where premise is not null;
        create index on calls (agency, lat, lon) where lat is not null;
        create index on calls (agency, duplicate_of) where duplicate_of is not null;
        -- The plates that callers named, each once, as correlation compares them.
        create table call_plates (
          agency text collate "C" not null,
          plate text collate "C" not null,
          call_id uuid not null references calls on delete cascade,
          primary key (agency, plate, call_id)
        );
        create index on call_plates (call_id);
        -- What a dispatch system's door has taken in, so that a file read again changes nothing.
        create table cad_marks (
          agency text collate "C" not null,
          source text collate "C" not null,
          mark text collate "C" not null,  -- the digest of a file or the id of a message
          at timestamptz not null,
          primary key (agency, source, mark)
        );
        create table incidents (
          incident_id uuid primary key,
          agency text collate "C" not null,
          version int not null,
          state text not null,
          opened_at timestamptz not null,
          changed_at timestamptz not null,
          lat float8,
          lon float8,
          body jsonb not null
        );
        create index on incidents (agency, state, changed_at);
        create table incident_versions (
          incident_id uuid not null references incidents on delete cascade,
          version int not null,
          agency text collate "C" not null,
          at timestamptz not null,
          body jsonb not null,
          primary key (incident_id, version)
        );
        -- A part belongs to one incident at a time.
        create table incident_parts (
          agency text collate "C" not null,
          part_id uuid not null,
          kind text not null,
          incident_id uuid not null references incidents on delete cascade,
          primary key (agency, part_id)
        );
        create index on incident_parts (incident_id);
        create table incident_log (
          agency text collate "C" not null,
          incident_id uuid not null references incidents on delete cascade,
          line bigint generated always as identity,
          at timestamptz not null,
          version int not null,
          what text not null,
          says text not null,
          who uuid,
          unit text,
          permit bigint,
          primary key (incident_id, line)
        );
    """)
    op.execute("""
        alter table briefs alter column alert_id drop not null;
        alter table briefs add column incident_id uuid references incidents;
        create index on briefs (incident_id) where incident_id is not null;
        create table answers (
          answer_id uuid primary key,
          agency text collate "C" not null,
          brief_id uuid not null,
          incident_id uuid not null references incidents on delete cascade,
          unit text not null,
          person uuid not null,
          kind text not null,
          at timestamptz not null,
          tapped_at timestamptz,
          says text not null
        );
        create index on answers (incident_id, at);
        alter table units add column source text;
        alter table units add column accuracy_m float8;
        alter table units add column doubt text;
        alter table units add column muted boolean not null default false;
        create table push_subscriptions (
          agency text collate "C" not null,
          person uuid not null,
          endpoint text not null,
          body jsonb not null,             -- the browser's own keys for what is sent to it
          at timestamptz not null,
          primary key (agency, endpoint)
        );
        create index on push_subscriptions (agency, person);
    """)
    for table in _OWNED:
        op.execute(f"""
            alter table {table} enable row level security;
            create policy own_agency on {table} to farolito_agent
              using (agency = current_setting('farolito.agency', true))
              with check (agency = current_setting('farolito.agency', true));
        """)
