"""Who signs in by an agency's own identity provider, and who is suspended here and elsewhere."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_OWNED = ("suspensions_told", "suspensions_heard", "suspended_elsewhere")
_SECRET = ("provider_people", "suspension_lists")


def upgrade() -> None:
    op.execute("""
        -- Null: no passkey was shown in this sign-in, which came from a provider.
        alter table sessions add column proved_at timestamptz;
        update sessions set proved_at = signed_in_at;
        alter table sessions add column provider text collate "C";
        alter table sessions add column acr text not null default '';
        alter table sessions add column amr text[] not null default '{}';
        alter table challenges drop constraint challenges_kind_check;
        alter table challenges add constraint challenges_kind_check
          check (kind in ('register', 'sign_in', 'provider', 'add', 'prove'));

        -- A person is known to a provider by issuer and subject, never by a name or an address.
        create table provider_people (
          agency text collate "C" not null,
          issuer text collate "C" not null,
          subject text collate "C" not null,
          person_id uuid not null references people on delete cascade,
          certifications text[] not null default '{}',
          linked_at timestamptz not null,
          seen_at timestamptz not null,
          primary key (agency, issuer, subject)
        );
        create unique index on provider_people (agency, issuer, person_id);
    """)
    op.execute("""
        -- The number of the list of our own suspended people: it grows with each change.
        create table suspension_lists (
          agency text collate "C" primary key,
          version bigint not null
        );
        -- Which of them each partner has.
        create table suspensions_told (
          agency text collate "C" not null,
          partner_id text collate "C" not null,
          version bigint not null,
          primary key (agency, partner_id)
        );
        -- The newest list of each partner, and who is on it.
        create table suspensions_heard (
          agency text collate "C" not null,
          partner_id text collate "C" not null,
          version bigint not null,
          heard_at timestamptz not null,
          primary key (agency, partner_id)
        );
        create table suspended_elsewhere (
          agency text collate "C" not null,
          partner_id text collate "C" not null,
          person_id uuid not null,
          primary key (agency, partner_id, person_id)
        );
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
