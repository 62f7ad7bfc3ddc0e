drop table login_session, identity;
drop table incident, attempt, wake, snapshot, journal, transfer, account;
drop table shard, coordinator, cluster_view, vote, fence, lease, node, store_settings;
drop sequence node_incarnation;
drop function refuse(text), attach_partitions(bigint, integer, integer), id_at(bigint);
