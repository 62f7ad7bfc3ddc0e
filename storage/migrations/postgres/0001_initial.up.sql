-- oldest_level: 1
-- Times are milliseconds since 1970 (bigint); kinds and currencies are the numbers of storage/store.hpp.

-- ---- cluster: who may write ------------------------------------------------------------------
create table store_settings (
  one boolean primary key default true check (one),
  shards integer,  -- fixed by the first node that joins
  key_fingerprint text  -- of the cluster key; null until the first node has said it
);
insert into store_settings default values;

create sequence node_incarnation;
create table node (
  incarnation bigint primary key default nextval('node_incarnation'),
  id uuid not null unique,
  name text not null,
  address text not null,
  roles text not null,
  zone text not null default '',
  version text not null default '',
  weight integer not null default 1,  -- its share of the shards; 0: none
  level integer not null default 1,  -- of its binary
  status text not null check (status in ('joining', 'up', 'draining', 'left', 'dead')),
  joined_at bigint not null
);
create unique index node_live_name on node (name) where status in ('joining', 'up', 'draining');

-- Leases live apart from fences, so that a renewal never waits behind a commit.
create table lease (
  incarnation bigint primary key,
  expires_at bigint not null,
  renewed_at bigint not null default 0
) with (fillfactor = 50);

-- One row per writer connection. A commit locks its own row and writes only through it; whoever
-- closes the row waits for the commit in flight and fails all later ones. Each new connection of a
-- writer raises `generation`: a commit that its predecessor sent, but that the network delivers only
-- after the successor has looked for it, writes nothing.
create table fence (
  incarnation bigint not null,
  writer smallint not null,
  generation bigint not null default 0,
  open boolean not null,
  primary key (incarnation, writer)
) with (fillfactor = 50);

-- "I find accused dead": refreshed while it lasts, withdrawn when it answers, counted for some seconds.
create table vote (
  accuser bigint not null,
  accused bigint not null,
  kind smallint not null,
  at bigint not null,
  primary key (accuser, accused)
) with (fillfactor = 50);

create table cluster_view (
  one boolean primary key default true check (one),
  version bigint not null,
  level integer not null
);
insert into cluster_view (version, level) values (0, 1);

-- Who balances. Its lease is its own: a coordinator that is gone is replaced without a death.
create table coordinator (
  one boolean primary key default true check (one),
  incarnation bigint,
  epoch bigint not null default 0,
  expires_at bigint not null default 0
);
insert into coordinator default values;

create table shard (
  id integer primary key,
  owner bigint,  -- incarnation
  epoch bigint not null,
  phase text not null default 'free' check (phase in ('owned', 'releasing', 'free')),
  next_owner bigint,
  since bigint not null default 0  -- the last change
) with (fillfactor = 50);

-- ---- the ledger ------------------------------------------------------------------------------
-- No foreign keys: the commit statement counts what it updated. Half-empty pages keep balance
-- updates in the row's own page (HOT); an update must therefore change no indexed column.
create table account (
  balance bigint not null,
  version bigint not null,
  id uuid not null,
  owner uuid not null,
  opened_at bigint not null,
  kind smallint not null,
  currency smallint not null,
  closed boolean not null default false,
  constraint account_floor check (balance >= 0 or kind > 3)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
alter table account add primary key (id);

create table transfer (
  amount bigint not null check (amount > 0),
  at bigint not null,
  id uuid not null,
  debit uuid not null,
  credit uuid not null,
  reference uuid not null,
  kind smallint not null,
  currency smallint not null,
  primary key (id)
) partition by range (id);
-- Rows come in the order of their time, so a few bytes a megabyte tell verify where the youngest are.
create index transfer_at on transfer using brin (at) with (autosummarize = on);
-- The kinds for which credits_player() holds: what player history shows as money that came in.
create index transfer_player_credit on transfer (credit, id) where kind in (2, 4, 5, 6);

-- ---- journals --------------------------------------------------------------------------------
-- `debits` are the ids (16 bytes each) of the transfers out of a player account that the commit of
-- this row made: history finds a player's debits through the wallet's own rows, so that the write
-- path keeps no index for them.
create table journal (
  seq bigint not null,
  at bigint not null,
  epoch bigint not null,
  incarnation bigint not null,
  batch bigint not null,
  kind smallint not null,
  writer smallint not null,
  entity uuid not null,
  payload bytea not null,
  debits bytea
) partition by list (kind);
-- Payloads are packed already: compressing them again would cost the write path and gain nothing.
alter table journal alter payload set storage external, alter debits set storage external;
create table journal_wallet partition of journal (primary key (entity, seq)) for values in (1);
create table journal_lobby partition of journal (primary key (entity, seq)) for values in (4);
create table journal_house partition of journal (primary key (entity, seq)) for values in (6);
create table journal_table partition of journal (primary key (entity, seq)) for values in (2) partition by range (entity);
create table journal_tournament partition of journal (primary key (entity, seq)) for values in (3) partition by range (entity);
create table journal_payment partition of journal (primary key (entity, seq)) for values in (5) partition by range (entity);

create table snapshot (
  kind smallint not null,
  entity uuid not null,
  seq bigint not null,
  at bigint not null,
  payload bytea not null,
  primary key (kind, entity)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
alter table snapshot alter payload set storage external;

-- `at` is in no index: setting the next turn's time stays a HOT update.
create table wake (
  at bigint not null,
  shard integer not null,
  kind smallint not null,
  entity uuid not null,
  primary key (kind, entity)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
create index wake_shard on wake (shard);

-- Entities that were loaded when their process died, or held its thread: few, and forgotten as soon
-- as they are known to be innocent.
create table attempt (
  loads integer not null default 0,
  holds integer not null default 0,
  kind smallint not null,
  entity uuid not null,
  primary key (kind, entity)
);

create table incident (
  id uuid primary key,
  at bigint not null,
  kind smallint not null,
  entity uuid not null,
  what text not null,
  detail text not null
);
create index incident_at on incident (at);

-- ---- partitions ------------------------------------------------------------------------------
-- The smallest id of a moment: versions 7 and 8 start with 48 bits of milliseconds.
create function id_at(ms bigint) returns uuid language sql immutable
  return (lpad(to_hex(ms), 12, '0') || repeat('0', 20))::uuid;

-- Attaches the monthly partitions from month `first` to month `last` (counted from the one that
-- holds `now_ms`) where they are missing. Attaching does not stop writers, as creating in place would.
create function attach_partitions(now_ms bigint, first integer, last integer) returns void language plpgsql as $$
declare
  parent text;
  part text;
  month timestamp;
begin
  for n in first .. last loop
    month := date_trunc('month', to_timestamp(now_ms / 1000.0) at time zone 'UTC') + make_interval(months => n);
    foreach parent in array array['transfer', 'journal_table', 'journal_tournament', 'journal_payment'] loop
      part := parent || to_char(month, '_YYYYMM');
      continue when to_regclass(part) is not null;
      execute format('create table %I (like %I including all)', part, parent);
      execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, part,
        id_at((extract(epoch from month at time zone 'UTC') * 1000)::bigint),
        id_at((extract(epoch from (month + interval '1 month') at time zone 'UTC') * 1000)::bigint));
    end loop;
  end loop;
end $$;
select attach_partitions((extract(epoch from now()) * 1000)::bigint, -1, 2);

-- Ends a statement that would otherwise commit something it must not.
create function refuse(why text) returns bigint language plpgsql as $$
begin
  raise exception using errcode = 'BZ001', message = why;
end $$;

-- ---- people: apart from the ledger, so that they can be erased -------------------------------
create table identity (
  player uuid primary key,
  name text unique,
  display text not null,
  password_hash text not null,
  disabled boolean not null,
  created_at bigint not null
);
create table login_session (
  id uuid primary key,
  player uuid not null references identity on delete cascade,
  access bytea not null unique,
  refresh bytea not null unique,
  previous_refresh bytea not null,
  access_expires_at bigint not null,
  idle_expires_at bigint not null,
  absolute_expires_at bigint not null,
  device text not null
);
create index login_session_player on login_session (player);
create index login_session_previous on login_session (previous_refresh);
create index login_session_idle on login_session (idle_expires_at);
