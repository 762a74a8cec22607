"""Every read that an alert stands for, so that a read told again counts once, however late."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        create table alert_reads (
          agency text collate "C" not null,
          entry_id uuid not null,
          read_id uuid not null,
          alert_id uuid not null references alerts on delete cascade,
          primary key (agency, entry_id, read_id)
        );
        create index on alert_reads (alert_id);
        insert into alert_reads (agency, entry_id, read_id, alert_id)
          select agency, entry_id, read_id, alert_id from alerts
          union
          select agency, entry_id, (body->'last_seen'->>'read_id')::uuid, alert_id from alerts
          where body->'last_seen'->>'read_id' is not null
        on conflict do nothing;
        alter table alert_reads enable row level security;
        create policy own_agency on alert_reads to farolito_agent
          using (agency = current_setting('farolito.agency', true))
          with check (agency = current_setting('farolito.agency', true));
    """)
