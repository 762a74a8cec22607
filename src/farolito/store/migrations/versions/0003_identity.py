"""People, their passkeys and sign-ins; devices and their keys.

Only hashes of secrets are kept: of a session's token, an invitation's code, a device's key.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_OWNED = ("people", "devices")
# What proves who somebody is belongs to `identity` alone: answers to people cannot read it.
_SECRET = (
    "passkeys",
    "invitations",
    "sessions",
    "challenges",
    "sign_in_failures",
    "device_keys",
)


def upgrade() -> None:
    op.execute("""
        create table people (
          person_id uuid primary key,
          agency text collate "C" not null,
          name text not null,
          role text not null check (role <> 'system'),
          unit text collate "C",
          demo boolean not null default false,
          made_at timestamptz not null,
          active_at timestamptz not null,       -- last sign-in, or an administrator's act
          suspended_at timestamptz,
          locked_at timestamptz
        );
        create index on people (agency);

        create table passkeys (
          credential_id bytea primary key,
          person_id uuid not null references people on delete cascade,
          public_key bytea not null,
          sign_count bigint not null,
          backed_up boolean not null,
          aaguid text not null,
          made_at timestamptz not null,
          used_at timestamptz
        );
        create index on passkeys (person_id);

        create table invitations (
          code_hash bytea primary key,
          person_id uuid not null references people on delete cascade,
          made_at timestamptz not null,
          expires_at timestamptz not null,
          used_at timestamptz
        );

        create table sessions (
          token_hash bytea primary key,
          session_id uuid not null unique,
          person_id uuid not null references people on delete cascade,
          signed_in_at timestamptz not null,
          seen_at timestamptz not null,
          ended_at timestamptz,
          ended_because text
        );
        create index on sessions (person_id) where ended_at is null;

        -- Five minutes of life: not worth the write-ahead log, gone after a crash.
        create unlogged table challenges (
          challenge_hash bytea primary key,
          kind text not null check (kind in ('register', 'sign_in')),
          code_hash bytea,
          expires_at timestamptz not null
        );
        create index on challenges (expires_at);

        create table sign_in_failures (
          person_id uuid not null references people on delete cascade,
          at timestamptz not null,
          reason text not null
        );
        create index on sign_in_failures (person_id, at);
    """)
    op.execute("""
        create table devices (
          agency text collate "C" not null,
          device_id text collate "C" not null,
          kind text not null,
          name text not null,
          format text not null,
          lat float8,
          lon float8,
          heading_deg float8,
          zone text not null,
          clock_trusted boolean not null,
          is_recording boolean not null default false,
          speaks_for text[] not null default '{}',
          removed_at timestamptz,
          primary key (agency, device_id)
        );
        create table device_keys (
          key_hash bytea primary key,
          agency text collate "C" not null,
          device_id text collate "C" not null,
          made_at timestamptz not null,
          revoked_at timestamptz,
          foreign key (agency, device_id) references devices
        );
        create index on device_keys (agency, device_id) where revoked_at is null;
    """)
    for table in _OWNED:
        op.execute(f"""
            alter table {table} enable row level security;
            create policy own_agency on {table} to farolito_agent
              using (agency = current_setting('farolito.agency', true))
              with check (agency = current_setting('farolito.agency', true));
        """)
    for table in _SECRET:
        op.execute(f"revoke all on {table} from farolito_agent")
