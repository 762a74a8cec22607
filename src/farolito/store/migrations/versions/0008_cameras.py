"""Cameras with their owners, logins, health; who watched what; clips; walls that people saved."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_OWNED = (
    "camera_owners", "cameras", "camera_logins", "camera_health", "viewings", "clips", "walls",
)  # fmt: skip


def upgrade() -> None:
    op.execute("""
        create table camera_owners (
          agency text collate "C" not null,
          owner_id text collate "C" not null,
          body jsonb not null,
          primary key (agency, owner_id)
        );
        create table cameras (
          agency text collate "C" not null,
          camera_id text collate "C" not null,
          owner_id text collate "C" not null,
          consent text not null,
          changed_at timestamptz not null,
          removed_at timestamptz,
          body jsonb not null,
          primary key (agency, camera_id),
          foreign key (agency, owner_id) references camera_owners
        );
        create index on cameras (agency, owner_id);
        -- User and password, encrypted by a key that the database never has.
        create table camera_logins (
          agency text collate "C" not null,
          camera_id text collate "C" not null,
          sealed bytea not null,
          primary key (agency, camera_id),
          foreign key (agency, camera_id) references cameras
        );
        create table camera_health (
          agency text collate "C" not null,
          camera_id text collate "C" not null,
          state text not null,
          since timestamptz not null,
          looked_at timestamptz,
          body jsonb not null,
          primary key (agency, camera_id),
          foreign key (agency, camera_id) references cameras
        );
        -- Who watched what, from when to when, and why. The ledger has the same as commitments.
        create table viewings (
          viewing_id uuid primary key,
          agency text collate "C" not null,
          camera_id text collate "C" not null,
          person_id uuid not null,
          permit bigint not null,
          since timestamptz not null,
          seen_at timestamptz not null,         -- last known to be open
          until timestamptz,
          why_ended text not null default '',
          kept_recording boolean not null default false,
          body jsonb not null,                  -- as it began
          foreign key (agency, camera_id) references cameras
        );
        create index on viewings (agency, camera_id, since desc);
        create index on viewings (agency, since desc);
        create index on viewings (agency, person_id, since desc);
        create index on viewings (agency) where until is null;
        create table clips (
          clip_id uuid primary key,
          agency text collate "C" not null,
          camera_id text collate "C" not null,
          made_at timestamptz not null,
          incident_id uuid,
          source uuid references clips,
          body jsonb not null,
          manifest bytea not null,  -- what is signed beside the file
          foreign key (agency, camera_id) references cameras
        );
        create index on clips (agency, made_at desc);
        create index on clips (agency, incident_id);
        create table walls (
          agency text collate "C" not null,
          person_id uuid not null,
          name text not null,
          body jsonb not null,
          primary key (agency, person_id, name)
        );
        alter table people add column owner text collate "C";
    """)
    for table in _OWNED:
        op.execute(f"""
            alter table {table} enable row level security;
            create policy own_agency on {table} to farolito_agent
              using (agency = current_setting('farolito.agency', true))
              with check (agency = current_setting('farolito.agency', true));
        """)
