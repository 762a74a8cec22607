"""What goes out to partners, what came from them, what was purged; commissions of units."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_OWNED = (
    "share_outbox", "share_begun", "shared_out", "share_purges", "shared_items", "shared_ended",
)  # fmt: skip


def upgrade() -> None:
    op.execute("""
        -- One lane a partner. A newer version takes the place of an older one that still waits.
        create sequence share_numbers;
        grant usage on sequence share_numbers to farolito_agent;
        create table share_outbox (
          agency text collate "C" not null,
          partner text collate "C" not null,
          number bigint not null default nextval('share_numbers'),
          lane text not null,              -- item, recall, handover
          kind text not null,
          item_id uuid not null,
          version bigint not null,
          put_at timestamptz not null,
          body jsonb not null,
          primary key (agency, partner, kind, item_id)
        );
        create unique index on share_outbox (agency, partner, lane, number);
        -- Agreements by which everything that went on when they began waits, or has gone.
        create table share_begun (
          agency text collate "C" not null,
          agreement_id uuid not null,
          partner text collate "C" not null,
          at timestamptz not null,
          primary key (agency, agreement_id)
        );
        -- What a partner holds of ours: who must be told of a recall, and who purges.
        create table shared_out (
          agency text collate "C" not null,
          partner text collate "C" not null,
          kind text not null,
          item_id uuid not null,
          agreement_id uuid,
          version bigint not null,
          told_at timestamptz not null,
          recalled_at timestamptz,
          receipt text not null,
          primary key (agency, partner, kind, item_id)
        );
        create index on shared_out (agency, told_at);
        create table share_purges (
          agency text collate "C" not null,
          partner text collate "C" not null,
          agreement_id uuid not null,
          because text not null,
          asked_at timestamptz not null,
          answered_at timestamptz,
          purged bigint,
          receipt text,
          primary key (agency, partner, agreement_id)
        );
        create table shared_items (
          agency text collate "C" not null,
          grantor text collate "C" not null,
          kind text not null,
          item_id uuid not null,
          agreement_id uuid,
          version bigint not null,
          received_at timestamptz not null,
          purge_at timestamptz not null,
          recalled_at timestamptz,
          body jsonb not null,
          primary key (agency, grantor, kind, item_id)
        );
        create index on shared_items (agency, purge_at);
        create index on shared_items (agency, received_at desc);
        -- Agreements whose things were purged: nothing that was still on its way comes in by them.
        create table shared_ended (
          agency text collate "C" not null,
          grantor text collate "C" not null,
          agreement_id uuid not null,
          at timestamptz not null,
          primary key (agency, grantor, agreement_id)
        );
        -- What the feed still tells of a shared thing goes when the thing goes.
        create index feed_of_shared on feed (agency, (body->>'item_id')) where kind = 'shared';
        -- The nations whose law a unit's officers may enforce.
        alter table units add column commissions text[] not null default '{}';
    """)
    for table in _OWNED:
        op.execute(f"""
            alter table {table} enable row level security;
            create policy own_agency on {table} to farolito_agent
              using (agency = current_setting('farolito.agency', true))
              with check (agency = current_setting('farolito.agency', true));
        """)
