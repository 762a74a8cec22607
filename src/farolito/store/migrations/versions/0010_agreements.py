"""Agreements with other agencies, with every state they were in."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_OWNED = ("agreements", "agreement_states", "agreement_signers", "agreement_news")


def upgrade() -> None:
    op.execute("""
        create table agreements (
          agreement_id uuid not null,
          agency text collate "C" not null,
          grantor text collate "C" not null,
          grantee text collate "C" not null,
          state text not null,
          expires timestamptz not null,
          changed_at timestamptz not null,
          body jsonb not null,              -- the document with its signatures, as it stands
          primary key (agency, agreement_id)
        );
        create index on agreements (agency, changed_at desc);
        -- What became of it, in order, each with the ledger's entry.
        create table agreement_states (
          agreement_id uuid not null,
          agency text collate "C" not null,
          number int not null,
          at timestamptz not null,
          state text not null,
          permit bigint not null,
          body jsonb not null,
          primary key (agency, agreement_id, number),
          foreign key (agency, agreement_id) references agreements
        );
        -- Who of ours signed: the document has names, and two people may share one.
        create table agreement_signers (
          agreement_id uuid not null,
          agency text collate "C" not null,
          person_id uuid not null,
          at timestamptz not null,
          primary key (agency, agreement_id, person_id),
          foreign key (agency, agreement_id) references agreements
        );
        -- What the other side is to be told of it; told again until it has answered.
        create table agreement_news (
          agreement_id uuid not null,
          agency text collate "C" not null,
          partner text collate "C" not null,
          number bigint generated always as identity,
          receipt text not null,            -- of our entry of the change
          told_at timestamptz,
          answer text not null default '',  -- their receipt
          refused text not null default '', -- the word of their refusal
          primary key (agency, agreement_id),
          foreign key (agency, agreement_id) references agreements
        );
        create index on agreement_news (agency, number) where told_at is null;
    """)
    for table in _OWNED:
        op.execute(f"""
            alter table {table} enable row level security;
            create policy own_agency on {table} to farolito_agent
              using (agency = current_setting('farolito.agency', true))
              with check (agency = current_setting('farolito.agency', true));
        """)
