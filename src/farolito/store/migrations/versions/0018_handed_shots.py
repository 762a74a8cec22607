"""Shots that were handed over to a nation, for as long as their sound may still come."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table handed_shots (
          agency text collate "C" not null,
          nation text collate "C" not null,
          item_id uuid not null,
          at timestamptz not null,      -- when it was fired
          body jsonb not null,
          primary key (agency, item_id)
        );
        create index on handed_shots (agency, at);
        alter table handed_shots enable row level security;
        create policy own_agency on handed_shots to farolito_agent
          using (agency = current_setting('farolito.agency', true))
          with check (agency = current_setting('farolito.agency', true));
    """)
