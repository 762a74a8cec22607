"""Shifts of people, and the days that a roster speaks of."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_OWNED = ("shifts", "roster_days")


def upgrade() -> None:
    op.execute("""
        create table shifts (
          agency text collate "C" not null,
          person_id uuid not null,
          starts timestamptz not null,
          ends timestamptz not null check (ends > starts),
          primary key (agency, person_id, starts)
        );
        -- On a day of the agency's own clock that is none of these nobody is off shift.
        create table roster_days (
          agency text collate "C" not null,
          day date not null,
          primary key (agency, day)
        );
    """)
    for table in _OWNED:
        op.execute(f"""
            alter table {table} enable row level security;
            create policy own_agency on {table} to farolito_agent
              using (agency = current_setting('farolito.agency', true))
              with check (agency = current_setting('farolito.agency', true));
        """)
