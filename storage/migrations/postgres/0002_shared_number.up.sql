-- oldest_level: 1
-- Nothing changes here. The two stores share one numbering, and the embedded store's commit log took number 2.
select 1;
