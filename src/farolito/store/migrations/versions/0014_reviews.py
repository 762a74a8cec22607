"""Searches that somebody outside the chain of command looks at."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_OWNED = ("reviews", "review_marks", "searches_heard", "explanations", "protected_subjects")


def upgrade() -> None:
    op.execute("""
        create table reviews (
          agency text collate "C" not null,
          review_id uuid not null,
          key text collate "C" not null,   -- what belongs together while nobody has decided
          rule text not null,
          about uuid not null,
          assigned text not null,
          told_by text collate "C",
          raised_at timestamptz not null,
          due timestamptz not null,
          tell boolean not null default false,  -- another agency is to hear of it
          decision text,
          decided_at timestamptz,
          body jsonb not null,
          primary key (agency, review_id)
        );
        create unique index reviews_open on reviews (agency, key) where decided_at is null;
        create index on reviews (agency, raised_at);
        create index on reviews (agency, decided_at) where decided_at is not null;
        -- How far the ledger was looked through: "seen" at once, "heard" next day, "drawn" by lot.
        create table review_marks (
          agency text collate "C" not null,
          name text not null,
          entry bigint not null,
          primary key (agency, name)
        );
        -- Whether its case explained a search when it was heard: cases end before the rules forget.
        create table searches_heard (
          agency text collate "C" not null,
          entry bigint not null,
          by_subject boolean not null,
          lead boolean not null,
          primary key (agency, entry)
        );
        create table explanations (
          agency text collate "C" not null,
          explanation_id uuid not null,
          case_number text collate "C" not null,
          subject text collate "C" not null,
          by_person uuid not null,
          at timestamptz not null,
          confirmed_at timestamptz,
          body jsonb not null,
          primary key (agency, explanation_id)
        );
        create index on explanations (agency, case_number);
        create table protected_subjects (
          agency text collate "C" not null,
          subject text collate "C" not null,
          at timestamptz not null,
          primary key (agency, subject)
        );
        -- Since when a call is about a plate.
        alter table call_plates add column at timestamptz;
        update call_plates p set at = c.here_at from calls c where c.call_id = p.call_id;
        alter table call_plates alter column at set default now();
        alter table call_plates alter column at set not null;
        create index on hot_list_entries (agency, case_number) where case_number is not null;
        revoke delete on reviews from farolito_agent;
    """)
    for table in _OWNED:
        op.execute(f"""
            alter table {table} enable row level security;
            create policy own_agency on {table} to farolito_agent
              using (agency = current_setting('farolito.agency', true))
              with check (agency = current_setting('farolito.agency', true));
        """)
