"""Which messages of other agencies were taken, who asked how often, and wide searches approved."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_OWNED = ("envelopes_taken", "askers", "questions_by_day", "search_approvals")


def upgrade() -> None:
    op.execute("""
        -- None is taken twice. An old message is refused by its time, so an hour of these does.
        create table envelopes_taken (
          agency text collate "C" not null,
          sender text collate "C" not null,
          envelope_id uuid not null,
          at timestamptz not null,
          primary key (agency, sender, envelope_id)
        );
        create index on envelopes_taken (agency, at);
        create table askers (
          agency text collate "C" not null,
          asker text collate "C" not null,
          first_at timestamptz not null,
          last_at timestamptz not null,
          primary key (agency, asker)
        );
        -- Counts alone; who and what stands in the ledger.
        create table questions_by_day (
          agency text collate "C" not null,
          asker text collate "C" not null,
          day date not null,                -- the owner's local one
          outcome text collate "C" not null,
          questions int not null,
          reads int not null,
          primary key (agency, day, asker, outcome)
        );
        -- A second person's word that more owners may be asked at once: for one person, one case.
        create table search_approvals (
          approval_id uuid primary key,
          agency text collate "C" not null,
          approved_by uuid not null,
          permit bigint not null,
          expires_at timestamptz not null,
          used_at timestamptz,
          body jsonb not null
        );
        create index on search_approvals (agency, expires_at);
    """)
    for table in _OWNED:
        op.execute(f"""
            alter table {table} enable row level security;
            create policy own_agency on {table} to farolito_agent
              using (agency = current_setting('farolito.agency', true))
              with check (agency = current_setting('farolito.agency', true));
        """)
