"""Figures as they were published: the very document, and the ledger's entry that fixes it."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table published_figures (
          agency text collate "C" not null,
          period text collate "C" not null,   -- "2026-10", "2026"; of a demo, also a moment
          since timestamptz not null,
          until timestamptz not null,
          published_at timestamptz not null,
          permit bigint not null,             -- the ledger's entry
          document bytea not null,
          counts bytea not null,              -- JSON: what was counted, small ones too; never shown
          primary key (agency, period)
        );
        create index on published_figures (agency, until desc);
        -- What was published stays as it was.
        revoke update, delete on published_figures from farolito_agent;
        -- What entries ask by, for the owner of a plate: the values begin alike.
        create index ledger_personal_of_queries on ledger_personal (agency, at)
          where field = 'query';
        alter table published_figures enable row level security;
        create policy own_agency on published_figures to farolito_agent
          using (agency = current_setting('farolito.agency', true))
          with check (agency = current_setting('farolito.agency', true));
    """)
