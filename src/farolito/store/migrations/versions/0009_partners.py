"""Other agencies, invitations to them."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_OWNED = ("partners", "invitations_to_join")


def upgrade() -> None:
    op.execute("""
        -- One that left stays, with the receipts of what was deleted on both sides.
        create table partners (
          agency text collate "C" not null,
          partner_id text collate "C" not null,
          state text not null,
          key text collate "C" not null,  -- the agency's public key, hexadecimal
          body jsonb not null,
          primary key (agency, partner_id)
        );
        -- Two names may not be one agency.
        create unique index on partners (agency, key) where state <> 'left';
        -- The secret of a code is not here: it follows from the id by the agency's own key.
        create table invitations_to_join (
          agency text collate "C" not null,
          invitation_id uuid not null,
          made_at timestamptz not null,
          expires timestamptz not null,
          wrong integer not null default 0,
          used_by text collate "C",       -- the key of the agency that joined with it
          used_at timestamptz,
          primary key (agency, invitation_id)
        );
        revoke delete on partners, invitations_to_join from farolito_agent;
    """)
    for table in _OWNED:
        op.execute(f"""
            alter table {table} enable row level security;
            create policy own_agency on {table} to farolito_agent
              using (agency = current_setting('farolito.agency', true))
              with check (agency = current_setting('farolito.agency', true));
        """)
