"""Which readers an agency has is its own affair: held by row-level security like the rest."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        alter table readers enable row level security;
        create policy own_agency on readers to farolito_agent
          using (agency = current_setting('farolito.agency', true))
          with check (agency = current_setting('farolito.agency', true));
    """)
