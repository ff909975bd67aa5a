ALTER MATERIALIZED VIEW "segmentation"."segment_members" RENAME TO "segment_members__seg_00000000_aside";

ALTER MATERIALIZED VIEW "segmentation"."segment_members__seg_00000000" RENAME TO "segment_members";

ALTER MATERIALIZED VIEW "segmentation"."segment_members__seg_00000000_aside" RENAME TO "segment_members__seg_00000000";

ALTER MATERIALIZED VIEW "segmentation"."segment_memberships" RENAME TO "segment_memberships__seg_00000000_aside";

ALTER MATERIALIZED VIEW "segmentation"."segment_memberships__seg_00000000" RENAME TO "segment_memberships";

ALTER MATERIALIZED VIEW "segmentation"."segment_memberships__seg_00000000_aside" RENAME TO "segment_memberships__seg_00000000";

ALTER MATERIALIZED VIEW "segmentation"."segment_sizes" RENAME TO "segment_sizes__seg_00000000_aside";

ALTER MATERIALIZED VIEW "segmentation"."segment_sizes__seg_00000000" RENAME TO "segment_sizes";

ALTER MATERIALIZED VIEW "segmentation"."segment_sizes__seg_00000000_aside" RENAME TO "segment_sizes__seg_00000000";

ALTER MATERIALIZED VIEW "segmentation"."user_profiles" RENAME TO "user_profiles__seg_00000000_aside";

ALTER MATERIALIZED VIEW "segmentation"."user_profiles__seg_00000000" RENAME TO "user_profiles";

ALTER MATERIALIZED VIEW "segmentation"."user_profiles__seg_00000000_aside" RENAME TO "user_profiles__seg_00000000";

BEGIN;

COMMIT;

CREATE MATERIALIZED VIEW "segmentation"."active_visitor" IN CLUSTER "quickstart" WITH (RETAIN HISTORY FOR '1h') AS
select user_id, last_activity_at
from "segmentation"."user_activity"
where mz_now() < last_activity_at + interval '30 minutes';

CREATE MATERIALIZED VIEW "segmentation"."area_no_buyers" IN CLUSTER "quickstart" WITH (RETAIN HISTORY FOR '1h') AS
-- Who never bought, bought at the beginning of time: so the rule is one condition on one timestamp, on every engine.
select user_id, last_purchase_at
from "segmentation"."user_activity"
where region = 'California'
    and mz_now() >= coalesce(last_purchase_at, cast('2026-01-01T00:00:00.000Z' as timestamptz)) + interval '30 days';

CREATE MATERIALIZED VIEW "segmentation"."behavior_memberships" IN CLUSTER "quickstart" WITH (RETAIN HISTORY FOR '1h') AS
select user_id, 'active_visitor' as segment
from "segmentation"."active_visitor"
union all
select user_id, 'area_no_buyers' as segment
from "segmentation"."area_no_buyers"
union all
select user_id, 'mobile_no_recent_activity' as segment
from "segmentation"."mobile_no_recent_activity";

CREATE MATERIALIZED VIEW "segmentation"."identities" IN CLUSTER "quickstart" WITH (RETAIN HISTORY FOR '1h') AS
-- A reference's user id is the least arrival position among the references it is connected with. Positions travel along
-- the links, one step for every round: `identity_hops` rounds reach as many links far, without recursion. The test
-- linked_identities_share_a_user fails when somebody's links are longer than that.

with sightings as (

    select id_type, id, min("position") as user_id
    from "segmentation"."stg_activity_events"
    group by id_type, id

),

-- Each link in both directions, and each end with itself, so that a round can only lower an id.
edges as (

    select id_type, id, linked_id_type, linked_id from "segmentation"."stg_identity_links"
    union
    select linked_id_type as id_type, linked_id as id, id_type as linked_id_type, id as linked_id
    from "segmentation"."stg_identity_links"
    union
    select id_type, id, id_type as linked_id_type, id as linked_id
    from "segmentation"."stg_identity_links"
    union
    select linked_id_type as id_type, linked_id as id, linked_id_type, linked_id
    from "segmentation"."stg_identity_links"

),

hop_1 as (

    select edges.id_type, edges.id, min(reached.user_id) as user_id
    from edges
    inner join sightings as reached
        on reached.id_type = edges.linked_id_type and reached.id = edges.linked_id
    group by edges.id_type, edges.id

),

hop_2 as (

    select edges.id_type, edges.id, min(reached.user_id) as user_id
    from edges
    inner join hop_1 as reached
        on reached.id_type = edges.linked_id_type and reached.id = edges.linked_id
    group by edges.id_type, edges.id

),

hop_3 as (

    select edges.id_type, edges.id, min(reached.user_id) as user_id
    from edges
    inner join hop_2 as reached
        on reached.id_type = edges.linked_id_type and reached.id = edges.linked_id
    group by edges.id_type, edges.id

),

hop_4 as (

    select edges.id_type, edges.id, min(reached.user_id) as user_id
    from edges
    inner join hop_3 as reached
        on reached.id_type = edges.linked_id_type and reached.id = edges.linked_id
    group by edges.id_type, edges.id

),

assigned as (

    select id_type, id, user_id from sightings
    union all
    select id_type, id, user_id from hop_4

)

select id_type, id, min(user_id) as user_id
from assigned
group by id_type, id;

CREATE MATERIALIZED VIEW "segmentation"."identity_links" IN CLUSTER "quickstart" WITH (RETAIN HISTORY FOR '1h') AS
SELECT DISTINCT ON ("id_type", "id", "linked_id_type", "linked_id") "id_type", "id", "linked_id_type", "linked_id"
FROM "segmentation"."identity_links__log" ORDER BY "id_type", "id", "linked_id_type", "linked_id", "_seg_position";

CREATE MATERIALIZED VIEW "segmentation"."mobile_no_recent_activity" IN CLUSTER "quickstart" WITH (RETAIN HISTORY FOR '1h') AS
select user_id, page_views, last_activity_at
from "segmentation"."user_activity"
where device_type = 'mobile'
    and page_views >= 10
    and mz_now() >= last_activity_at + interval '7 days';

CREATE MATERIALIZED VIEW "segmentation"."mql_score" IN CLUSTER "quickstart" WITH (RETAIN HISTORY FOR '1h') AS
SELECT DISTINCT ON ("event_name") "event_name", "mql_score"
FROM "segmentation"."mql_score__log" ORDER BY "event_name", "_seg_position" DESC;

CREATE MATERIALIZED VIEW "segmentation"."pageview_sessions" IN CLUSTER "quickstart" WITH (RETAIN HISTORY FOR '1h') AS
-- Open and closed sessions apart, because the streaming engines know the time in WHERE only.
select visitor_id, started_at, ended_at, pageviews, true as is_open
from "segmentation"."visitor_sessions"
where mz_now() <= ended_at + interval '5 minutes'

union all

select visitor_id, started_at, ended_at, pageviews, false as is_open
from "segmentation"."visitor_sessions"
where mz_now() > ended_at + interval '5 minutes';

CREATE MATERIALIZED VIEW "segmentation"."segment_events" IN CLUSTER "quickstart" WITH (RETAIN HISTORY FOR '1h') AS
SELECT DISTINCT ON ("event_id") "position", "event_id", "event_at", "user_id", "vendor", "segment", "value", "remove", "payload"
FROM "segmentation"."segment_events__log" ORDER BY "event_id", "_seg_position";

CREATE MATERIALIZED VIEW "segmentation"."segment_members" IN CLUSTER "quickstart" WITH (RETAIN HISTORY FOR '1h') AS
select
    vendor,
    segment,
    user_id,
    first_added_at,
    last_event_at,
    value
from "segmentation"."segment_memberships"
where is_member;

CREATE MATERIALIZED VIEW "segmentation"."segment_members__seg_00000000" IN CLUSTER "quickstart" WITH (RETAIN HISTORY FOR '1h') AS
select
    vendor,
    segment,
    user_id,
    first_added_at,
    last_event_at,
    value
from "segmentation"."segment_memberships__seg_00000000"
where is_member;

CREATE MATERIALIZED VIEW "segmentation"."segment_memberships" IN CLUSTER "quickstart" WITH (RETAIN HISTORY FOR '1h') AS
-- The latest arrived event is an add when the last position of all events is the last position of an add. This form,
-- rather than a comparison of two ordered arrays, is two maxima that can be merged.
select
    vendor,
    segment,
    user_id,
    min(event_at) filter (where not remove) as first_added_at,
    max(event_at) as last_event_at,
    coalesce(max("position") filter (where not remove) = max("position"), false) as is_member,
    (array_agg(value order by "position" desc) filter (where value is not null))[1] as value
from "segmentation"."stg_segment_events"
group by vendor, segment, user_id;

CREATE MATERIALIZED VIEW "segmentation"."segment_memberships__seg_00000000" IN CLUSTER "quickstart" WITH (RETAIN HISTORY FOR '1h') AS
-- The latest arrived event is an add when the last position of all events is the last position of an add. This form,
-- rather than a comparison of two ordered arrays, is two maxima that can be merged.
select
    vendor,
    segment,
    user_id,
    min(event_at) filter (where not remove) as first_added_at,
    max(event_at) as last_event_at,
    coalesce(max("position") filter (where not remove) = max("position"), false) as is_member,
    (array_agg(value order by "position" desc) filter (where value is not null))[1] as value
from "segmentation"."stg_segment_events"
group by vendor, segment, user_id

-- changed
having count(*) > 0;

CREATE MATERIALIZED VIEW "segmentation"."segment_sizes" IN CLUSTER "quickstart" WITH (RETAIN HISTORY FOR '1h') AS
-- Members and events are added up side by side, so that one event costs one sum and no join.
with counted as (

    select vendor, segment, 1 as members, 0 as adds, 0 as removes
    from "segmentation"."segment_members"

    union all

    select
        vendor,
        segment,
        0 as members,
        case when remove then 0 else 1 end as adds,
        case when remove then 1 else 0 end as removes
    from "segmentation"."stg_segment_events"

)

select
    vendor,
    segment,
    sum(members) as members,
    sum(adds) as adds,
    sum(removes) as removes
from counted
group by vendor, segment;

CREATE MATERIALIZED VIEW "segmentation"."segment_sizes__seg_00000000" IN CLUSTER "quickstart" WITH (RETAIN HISTORY FOR '1h') AS
-- Members and events are added up side by side, so that one event costs one sum and no join.
with counted as (

    select vendor, segment, 1 as members, 0 as adds, 0 as removes
    from "segmentation"."segment_members__seg_00000000"

    union all

    select
        vendor,
        segment,
        0 as members,
        case when remove then 0 else 1 end as adds,
        case when remove then 1 else 0 end as removes
    from "segmentation"."stg_segment_events"

)

select
    vendor,
    segment,
    sum(members) as members,
    sum(adds) as adds,
    sum(removes) as removes
from counted
group by vendor, segment;

CREATE MATERIALIZED VIEW "segmentation"."segment_toggles" IN CLUSTER "quickstart" WITH (RETAIN HISTORY FOR '1h') AS
-- added_before is 1 when any earlier event of the same (vendor, segment, user) is an add, and NULL on the first event.
with events as (

    select
        event_id,
        event_at,
        user_id,
        vendor,
        segment,
        remove,
        value,
        lag(remove) over (partition by vendor, segment, user_id order by "position") as previous_remove,
        lag(payload) over (partition by vendor, segment, user_id order by "position") as previous,
        max(case when remove then 0 else 1 end) over (
            partition by vendor, segment, user_id order by "position"
            rows between unbounded preceding and 1 preceding
        ) as added_before
    from "segmentation"."stg_segment_events"

)

select
    event_id,
    event_at,
    user_id,
    vendor,
    segment,
    remove,
    value,
    previous
from events
where added_before = 1 and remove <> previous_remove;

CREATE MATERIALIZED VIEW "segmentation"."track_events" IN CLUSTER "quickstart" WITH (RETAIN HISTORY FOR '1h') AS
SELECT DISTINCT ON ("message_id") "position", "message_id", "event", "user_id", "anonymous_id", "traits_email", "properties_email", "properties", "event_at", "received_at"
FROM "segmentation"."track_events__log" ORDER BY "message_id", "_seg_position";

CREATE MATERIALIZED VIEW "segmentation"."user_activity" IN CLUSTER "quickstart" WITH (RETAIN HISTORY FOR '1h') AS
select
    identities.user_id,
    count(*) as activities,
    count(*) filter (where events.activity_type = 'page_viewed') as page_views,
    max(events.created_at) as last_activity_at,
    max(events.created_at) filter (where events.activity_type = 'product_purchased') as last_purchase_at,
    (array_agg(events.region order by events.created_at desc, events."position" desc) filter (where events.region is not null))[1] as region,
    (array_agg(events.device_type order by events.created_at desc, events."position" desc) filter (where events.device_type is not null))[1] as device_type
from "segmentation"."stg_activity_events" as events
inner join "segmentation"."identities" as identities
    on identities.id_type = events.id_type and identities.id = events.id
group by identities.user_id;

CREATE MATERIALIZED VIEW "segmentation"."user_alerts" IN CLUSTER "quickstart" WITH (RETAIN HISTORY FOR '1h') AS

select
    'mql_threshold_20' as alert_condition,
    email,
    jsonb_build_object('email', email) as alert_labels,
    20 as alert_value,
    mql_score
from "segmentation"."user_mql_score"
where mql_score >= 20;

CREATE MATERIALIZED VIEW "segmentation"."user_event_names" IN CLUSTER "quickstart" WITH (RETAIN HISTORY FOR '1h') AS
select
    email,
    event_name,
    min("position") as first_position,
    count(*) as events,
    max(received_at) as last_event_received_at
from "segmentation"."stg_track_events"
where email is not null and event_name is not null
group by email, event_name;

CREATE MATERIALIZED VIEW "segmentation"."user_events" IN CLUSTER "quickstart" WITH (RETAIN HISTORY FOR '1h') AS
select
    email,
    jsonb_agg(event_name order by first_position) as event_names,
    sum(events)::bigint as events,
    max(last_event_received_at) as last_event_received_at
from "segmentation"."user_event_names"
group by email;

CREATE MATERIALIZED VIEW "segmentation"."user_mql_score" IN CLUSTER "quickstart" WITH (RETAIN HISTORY FOR '1h') AS
select
    done.email,
    sum(scored.mql_score) as mql_score,
    jsonb_agg(done.event_name order by done.first_position) as mql_events,
    max(done.last_event_received_at) as last_event_received_at
from "segmentation"."user_event_names" as done
inner join "segmentation"."mql_score" as scored on scored.event_name = done.event_name
group by done.email;

CREATE MATERIALIZED VIEW "segmentation"."user_profiles" IN CLUSTER "quickstart" WITH (RETAIN HISTORY FOR '1h') AS
select
    user_id,
    jsonb_agg(jsonb_build_object('segment', jsonb_build_object('vendor', vendor, 'name', segment), 'first', first_added_at, 'last', last_event_at, 'member', is_member, 'value', value) order by segment, vendor) as segments
from "segmentation"."segment_memberships"
group by user_id;

CREATE MATERIALIZED VIEW "segmentation"."user_profiles__seg_00000000" IN CLUSTER "quickstart" WITH (RETAIN HISTORY FOR '1h') AS
select
    user_id,
    jsonb_agg(jsonb_build_object('segment', jsonb_build_object('vendor', vendor, 'name', segment), 'first', first_added_at, 'last', last_event_at, 'member', is_member, 'value', value) order by segment, vendor) as segments
from "segmentation"."segment_memberships__seg_00000000"
group by user_id;

CREATE MATERIALIZED VIEW "segmentation"."visitor_sessions" IN CLUSTER "quickstart" WITH (RETAIN HISTORY FOR '1h') AS
with views as (

    select visitor_id, viewed_at, "position"
    from "segmentation"."stg_pageviews"
    where event = 'pageview'

),

views_flagged as (

    select
        *,
        case
            when viewed_at <= lag(viewed_at) over (partition by visitor_id order by viewed_at, "position") + interval '5 minutes'
            then 0
            else 1
        end as starts_session
    from views

),

views_numbered as (

    select
        *,
        sum(starts_session) over (
            partition by visitor_id order by viewed_at, "position"
            rows between unbounded preceding and current row
        ) as session_number
    from views_flagged

)

select
    visitor_id,
    min(viewed_at) as started_at,
    max(viewed_at) as ended_at,
    count(*) as pageviews
from views_numbered
group by visitor_id, session_number;

CREATE MATERIALIZED VIEW "segmentation_dbt_test__audit"."linked_identities_share_a_user" IN CLUSTER "quickstart" WITH (RETAIN HISTORY FOR '1h') AS
-- Fails when somebody's links are more steps long than the project var `identity_hops`: raise it. The failing rows are
-- kept as a view, so that it can be watched.


select
    links.id_type,
    links.id,
    links.linked_id_type,
    links.linked_id,
    one.user_id,
    other.user_id as linked_user_id
from "segmentation"."stg_identity_links" as links
left join "segmentation"."identities" as one on one.id_type = links.id_type and one.id = links.id
left join "segmentation"."identities" as other
    on other.id_type = links.linked_id_type and other.id = links.linked_id
where one.user_id is distinct from other.user_id;

CREATE SCHEMA IF NOT EXISTS "_seg";

CREATE SCHEMA IF NOT EXISTS "segmentation";

CREATE SCHEMA IF NOT EXISTS "segmentation_dbt_test__audit";

CREATE TABLE "_seg"."claim" (
  "name" text,
  "owner" text,
  "host" text,
  "pid" bigint,
  "beat" bigint
) WITH (RETAIN HISTORY FOR '1h');

CREATE TABLE "_seg"."node" (
  "unique_id" text NOT NULL,
  "version" bigint,
  "fingerprint" text,
  "node" text
) WITH (RETAIN HISTORY FOR '1h');

CREATE TABLE "_seg"."position_range" (
  "source" text,
  "owner" text,
  "first" bigint,
  "last" bigint,
  "host" text,
  "pid" bigint
) WITH (RETAIN HISTORY FOR '1h');

CREATE TABLE "segmentation"."activity_events" (
  "position" bigint,
  "id" text NOT NULL,
  "id_type" text NOT NULL,
  "region" text,
  "device_type" text,
  "country" text,
  "created_at" timestamptz NOT NULL,
  "activity_type" text NOT NULL,
  "url" text,
  "order_total" text,
  "order_id" text,
  "element_id" text
) WITH (RETAIN HISTORY FOR '1h');

CREATE TABLE "segmentation"."activity_events__rejected" (
  "rejected_at" timestamptz,
  "origin" text,
  "line" bigint,
  "reason" text,
  "payload" text
) WITH (RETAIN HISTORY FOR '1h');

CREATE TABLE "segmentation"."identity_links__log" (
  "id_type" text,
  "id" text,
  "linked_id_type" text,
  "linked_id" text,
  "_seg_position" bigint NOT NULL
);

CREATE TABLE "segmentation"."identity_links__rejected" (
  "rejected_at" timestamptz,
  "origin" text,
  "line" bigint,
  "reason" text,
  "payload" text
) WITH (RETAIN HISTORY FOR '1h');

CREATE TABLE "segmentation"."mql_score__log" (
  "event_name" text,
  "mql_score" integer,
  "_seg_position" bigint NOT NULL
);

CREATE TABLE "segmentation"."pageviews" (
  "position" bigint,
  "visitor_id" text NOT NULL,
  "viewed_at" timestamptz NOT NULL,
  "event" text,
  "url" text
) WITH (RETAIN HISTORY FOR '1h');

CREATE TABLE "segmentation"."pageviews__rejected" (
  "rejected_at" timestamptz,
  "origin" text,
  "line" bigint,
  "reason" text,
  "payload" text
) WITH (RETAIN HISTORY FOR '1h');

CREATE TABLE "segmentation"."segment_events__log" (
  "position" bigint,
  "event_id" uuid,
  "event_at" timestamptz NOT NULL,
  "user_id" text NOT NULL,
  "vendor" integer NOT NULL,
  "segment" text NOT NULL,
  "value" text,
  "remove" boolean,
  "payload" jsonb,
  "_seg_position" bigint NOT NULL
);

CREATE TABLE "segmentation"."segment_events__rejected" (
  "rejected_at" timestamptz,
  "origin" text,
  "line" bigint,
  "reason" text,
  "payload" text
) WITH (RETAIN HISTORY FOR '1h');

CREATE TABLE "segmentation"."track_events__log" (
  "position" bigint,
  "message_id" text,
  "event" text NOT NULL,
  "user_id" text,
  "anonymous_id" text,
  "traits_email" text,
  "properties_email" text,
  "properties" jsonb,
  "event_at" timestamptz,
  "received_at" timestamptz,
  "_seg_position" bigint NOT NULL
);

CREATE TABLE "segmentation"."track_events__rejected" (
  "rejected_at" timestamptz,
  "origin" text,
  "line" bigint,
  "reason" text,
  "payload" text
) WITH (RETAIN HISTORY FOR '1h');

CREATE VIEW "segmentation"."stg_activity_events" AS
with events as (

    select
        "position",
        nullif(btrim(id, E' \t\r\n'), '') as id,
        nullif(btrim(id_type, E' \t\r\n'), '') as id_type,
        nullif(btrim(region, E' \t\r\n'), '') as region,
        nullif(btrim(device_type, E' \t\r\n'), '') as device_type,
        nullif(btrim(country, E' \t\r\n'), '') as country,
        created_at,
        nullif(btrim(activity_type, E' \t\r\n'), '') as activity_type,
        nullif(btrim(url, E' \t\r\n'), '') as url,
        case when btrim(order_total) ~ '^[+-]?[0-9]+(\.[0-9]+)?$' then btrim(order_total)::numeric end as order_total,
        nullif(btrim(order_id, E' \t\r\n'), '') as order_id,
        nullif(btrim(element_id, E' \t\r\n'), '') as element_id
    from "segmentation"."activity_events"

)

select *
from events
where id is not null and id_type is not null;

CREATE VIEW "segmentation"."stg_identity_links" AS
with links as (

    select
        nullif(btrim(id_type, E' \t\r\n'), '') as id_type,
        nullif(btrim(id, E' \t\r\n'), '') as id,
        nullif(btrim(linked_id_type, E' \t\r\n'), '') as linked_id_type,
        nullif(btrim(linked_id, E' \t\r\n'), '') as linked_id
    from "segmentation"."identity_links"

)

select distinct *
from links
where id_type is not null and id is not null and linked_id_type is not null and linked_id is not null;

CREATE VIEW "segmentation"."stg_pageviews" AS
with pageviews as (

    select
        "position",
        nullif(btrim(visitor_id, E' \t\r\n'), '') as visitor_id,
        viewed_at,
        nullif(btrim(event, E' \t\r\n'), '') as event,
        nullif(btrim(url, E' \t\r\n'), '') as url
    from "segmentation"."pageviews"

)

select *
from pageviews
where visitor_id is not null;

CREATE VIEW "segmentation"."stg_segment_events" AS
-- `remove` is a plain boolean here. A writer in SQL may leave `payload` out: then it is put together from the columns.
with events as (

    select
        event_id,
        "position",
        event_at,
        nullif(btrim(user_id, E' \t\r\n'), '') as user_id,
        vendor,
        nullif(btrim(segment, E' \t\r\n'), '') as segment,
        nullif(btrim(value, E' \t\r\n'), '') as value,
        coalesce(remove, false) as remove,
        payload
    from "segmentation"."segment_events"

)

select
    event_id,
    "position",
    event_at,
    user_id,
    vendor,
    segment,
    value,
    remove,
    coalesce(payload, jsonb_strip_nulls(jsonb_build_object('event', event_id, 'timestamp', event_at, 'user', user_id, 'segment', jsonb_build_object('vendor', vendor, 'name', segment), 'value', value, 'remove', case when remove then true end))) as payload
from events
where user_id is not null and segment is not null;

CREATE VIEW "segmentation"."stg_track_events" AS
select
    nullif(btrim(message_id, E' \t\r\n'), '') as event_id,
    "position",
    nullif(btrim(event, E' \t\r\n'), '') as event_name,
    nullif(btrim(user_id, E' \t\r\n'), '') as user_id,
    nullif(btrim(anonymous_id, E' \t\r\n'), '') as anonymous_id,
    coalesce(nullif(btrim(traits_email, E' \t\r\n'), ''), nullif(btrim(properties_email, E' \t\r\n'), '')) as email,
    properties,
    event_at,
    coalesce(received_at, event_at) as received_at
from "segmentation"."track_events";

DECLARE "seg_feed" CURSOR FOR SUBSCRIBE (SELECT * FROM "segmentation"."segment_sizes") WITH (PROGRESS);

DELETE FROM "_seg"."claim" WHERE "owner" = 'owner';

DELETE FROM "_seg"."node" WHERE "unique_id" IN ('model.segmentation.segment_memberships', 'model.segmentation.segment_members', 'model.segmentation.user_profiles', 'model.segmentation.segment_sizes') AND "version" < 1;

DELETE FROM "_seg"."node" WHERE "unique_id" IN ('model.segmentation.stg_activity_events', 'model.segmentation.stg_identity_links', 'model.segmentation.stg_pageviews', 'model.segmentation.stg_segment_events', 'model.segmentation.stg_track_events', 'model.segmentation.identities', 'model.segmentation.visitor_sessions', 'model.segmentation.segment_memberships', 'model.segmentation.segment_toggles', 'model.segmentation.user_event_names', 'model.segmentation.user_activity', 'model.segmentation.pageview_sessions', 'model.segmentation.segment_members', 'model.segmentation.user_profiles', 'model.segmentation.user_events', 'model.segmentation.user_mql_score', 'model.segmentation.active_visitor', 'model.segmentation.area_no_buyers', 'model.segmentation.mobile_no_recent_activity', 'model.segmentation.segment_sizes', 'model.segmentation.user_alerts', 'model.segmentation.behavior_memberships') AND "version" < 1;

DELETE FROM "_seg"."node" WHERE "unique_id" IN ('seed.segmentation.mql_score') AND "version" < 1;

DELETE FROM "_seg"."node" WHERE "unique_id" IN ('source.segmentation.activity.activity_events', 'source.segmentation.activity.activity_events.rejected', 'source.segmentation.activity.identity_links', 'source.segmentation.activity.identity_links.rejected', 'source.segmentation.segment.segment_events', 'source.segmentation.segment.segment_events.rejected', 'source.segmentation.track.track_events', 'source.segmentation.track.track_events.rejected', 'source.segmentation.web.pageviews', 'source.segmentation.web.pageviews.rejected') AND "version" < 1;

DELETE FROM "_seg"."node" WHERE "unique_id" IN ('test.segmentation.linked_identities_share_a_user') AND "version" < 1;

DELETE FROM "_seg"."position_range" WHERE "owner" = 'owner';

DROP MATERIALIZED VIEW IF EXISTS "segmentation"."segment_members__seg_00000000";

DROP MATERIALIZED VIEW IF EXISTS "segmentation"."segment_memberships__seg_00000000";

DROP MATERIALIZED VIEW IF EXISTS "segmentation"."segment_sizes__seg_00000000";

DROP MATERIALIZED VIEW IF EXISTS "segmentation"."user_profiles__seg_00000000";

FETCH 1000 FROM "seg_feed" WITH (timeout = '1s');

INSERT INTO "_seg"."claim" ("name", "owner", "host", "pid", "beat") VALUES ('deploy segmentation', 'owner', 'host', 1, 0);

INSERT INTO "_seg"."node" ("unique_id", "version", "fingerprint", "node") VALUES ('unique_id', 1, 'fingerprint', '{node}');

INSERT INTO "_seg"."position_range" ("source", "owner", "first", "last", "host", "pid") VALUES ('"segmentation"."activity_events"', 'owner', 1, 1000, 'host', 1);

INSERT INTO "_seg"."position_range" ("source", "owner", "first", "last", "host", "pid") VALUES ('"segmentation"."pageviews"', 'owner', 1, 1000, 'host', 1);

INSERT INTO "_seg"."position_range" ("source", "owner", "first", "last", "host", "pid") VALUES ('"segmentation"."segment_events"', 'owner', 1, 1000, 'host', 1);

INSERT INTO "_seg"."position_range" ("source", "owner", "first", "last", "host", "pid") VALUES ('"segmentation"."track_events"', 'owner', 1, 1000, 'host', 1);

INSERT INTO "segmentation"."activity_events" ("id", "id_type", "region", "device_type", "country", "created_at", "activity_type", "url", "order_total", "order_id", "element_id", "position") VALUES
('user4@example.com'::text, 'email'::text, 'California'::text, 'desktop'::text, 'US'::text, '2026-01-01T00:00:00.000Z'::timestamptz, 'page_viewed'::text, 'http://myawesomeproduct/about'::text, ''::text, ''::text, ''::text, '1'::bigint);

INSERT INTO "segmentation"."mql_score__log" ("event_name", "mql_score", "_seg_position") VALUES ('community_joined'::text, '5'::integer, 0::bigint);

INSERT INTO "segmentation"."pageviews" ("visitor_id", "viewed_at", "event", "url", "position") VALUES
('vis-000009'::text, '2026-01-01T00:00:00.000Z'::timestamptz, 'pageview'::text, '/listing/n'::text, '1'::bigint);

INSERT INTO "segmentation"."segment_events__log" ("event_id", "event_at", "user_id", "vendor", "segment", "value", "remove", "payload", "position", "_seg_position") VALUES
('f7d1ff54-0d12-4241-bb09-78ce89b544a0'::uuid, '2026-01-01T00:00:00.000Z'::timestamptz, 'usr-000003'::text, '1'::integer, 'seg-0'::text, NULL::text, NULL::boolean, '{"event":"f7d1ff54-0d12-4241-bb09-78ce89b544a0","timestamp":"2024-01-01T00:00:00.000Z","user":"usr-000003","segment":{"vendor":1,"name":"seg-0"}}'::jsonb, '1'::bigint, '1'::bigint);

INSERT INTO "segmentation"."track_events__log" ("message_id", "event", "user_id", "anonymous_id", "traits_email", "properties_email", "properties", "event_at", "received_at", "position", "_seg_position") VALUES
('f7d1ff54-0d12-4241-bb09-78ce89b544a0'::text, 'signed_in'::text, 'u-4'::text, 'anon-00000004'::text, 'user4@example.com'::text, NULL::text, '{"title":"signed_in 16"}'::jsonb, '2026-01-01T00:00:00.000Z'::timestamptz, '2026-01-01T00:00:00.000Z'::timestamptz, '1'::bigint, '1'::bigint);

SELECT "name", "owner", "host", "pid", "beat"::text AS "beat" FROM "_seg"."claim";

SELECT "owner", "first"::text AS "first", "last"::text AS "last", "host", "pid"::text AS "pid" FROM "_seg"."position_range" WHERE "source" = '"segmentation"."activity_events"';

SELECT "owner", "first"::text AS "first", "last"::text AS "last", "host", "pid"::text AS "pid" FROM "_seg"."position_range" WHERE "source" = '"segmentation"."pageviews"';

SELECT "owner", "first"::text AS "first", "last"::text AS "last", "host", "pid"::text AS "pid" FROM "_seg"."position_range" WHERE "source" = '"segmentation"."segment_events"';

SELECT "owner", "first"::text AS "first", "last"::text AS "last", "host", "pid"::text AS "pid" FROM "_seg"."position_range" WHERE "source" = '"segmentation"."track_events"';

SELECT "unique_id", "fingerprint", "node" FROM "_seg"."node" ORDER BY "version";

SELECT asked.k0::text AS k0
FROM (VALUES ('f7d1ff54-0d12-4241-bb09-78ce89b544a0'::text), ('e071c586-85e1-4d2c-97da-106f501aecb4'::text), ('68ed99c5-038b-41cf-968b-1b9ba2b1aec2'::text), ('c5bbaa49-ecdd-4c5f-95e9-d5a176304cb2'::text), ('18f56657-ee88-43a7-be9e-02fca73f4e2a'::text), ('6b05487a-3a33-422e-8554-3912b7c675fb'::text), ('e86af387-1511-4759-9886-6d91d259624e'::text), ('9f7a9a0b-ccb7-468e-9010-aadaed1769db'::text), ('1caac2e4-e732-4b2a-9084-f0cff277eae2'::text), ('2a0d0c96-0a09-42bc-9638-738992023238'::text), ('9e2238ae-f46a-436a-8e0f-b586f4b3393e'::text), ('cf05d512-ca70-470b-98d2-8321f8ec15fa'::text), ('d28c52f7-9c0d-4aa2-bdf2-7d36844cea24'::text), ('a493b613-bd51-48a7-a7a4-a60f4041b5ef'::text), ('a0309f3b-512f-4931-929e-f62301a33a98'::text), ('8ebe806a-2ba2-44ae-b0b6-fb3670cfe43f'::text), ('30ecdd2a-dc50-4981-b429-646e24ecff4c'::text), ('256bfb2b-9c85-4d65-ab27-654b369c7f74'::text), ('c6869627-1428-4e55-abd8-abdcbef9443e'::text), ('bbad2616-8af7-4dec-a37e-f0b236b6d4a4'::text), ('c4af5d27-fd4f-4b94-a2ba-5f992c36614c'::text), ('4321f337-ba6c-4717-b6e3-7b9b71d6af2c'::text), ('50e2df0a-4eb3-48f4-931a-fde1d3a6a34b'::text), ('1572311e-2ed4-4f25-92ec-98d41ce556ff'::text), ('9a308854-d5a0-41d5-ae3d-7a1d55a31c18'::text), ('f4596031-9e5b-46c3-ab12-8a9d2b4dc054'::text), ('64bddadb-1bb9-4174-8471-14b1da0a30a9'::text), ('2e0370de-d6d5-4906-8289-9db2ea66eba4'::text), ('3cc75184-3832-4cfa-b2a2-359d1c5524ef'::text), ('a451e73a-9f6c-4f57-ada3-261fa11a1beb'::text), ('a096179f-3d10-4932-9edb-332c4f690eb8'::text), ('dd0d85b1-62b4-4c93-916a-82a3d580af9d'::text), ('9ff8303c-d7ed-4733-bb14-d31f7fc5b7ec'::text), ('043bf536-3b36-4b64-901f-ab80edae4efc'::text), ('c42250b5-9eda-43d2-adc0-62f4e43a415e'::text), ('dafbea47-41cf-472a-8b7b-5c6bf495e0a5'::text), ('84f3b362-1292-4c78-95dd-f4e2235fdbb1'::text), ('4183a432-a526-436d-910b-af960a70d2d9'::text), ('cccf6358-bb31-44cd-a392-586fd87860be'::text), ('884a207b-1c61-4c17-ac58-1bd5b48f8017'::text), ('b32ece04-c30d-47fc-b4d8-2a60e5bde532'::text), ('7c52dbe4-97b7-470f-a522-add0955a4c11'::text), ('f657840f-0796-40a0-8d65-a824bdabb2d4'::text), ('d92720f2-b76f-46c5-a2fe-cb2e72b29790'::text), ('f72f15cc-f095-4b5b-84fd-70fb8490b594'::text), ('f5540c99-3736-4ec9-9a4a-b5fce1c21c5e'::text), ('8fcb0b17-9663-4e75-8644-c24778042f8c'::text), ('48511b8d-2084-445f-9492-f0f9ddb4e71f'::text), ('241df1c0-e02c-46aa-92ec-1c28d245d377'::text), ('e62b0850-a887-4757-b4eb-621ef36e4ad1'::text), ('6298b6ce-b819-4a78-9897-8b1f6ee064b3'::text), ('8429c3ae-f463-4dac-8fa1-82ca94e48eeb'::text), ('744a36ff-2385-4e25-b715-687477f2d404'::text), ('d47b84ce-1df4-42e7-b2e5-73b0340ec255'::text), ('493f97e5-e8ca-4242-bdca-234e781d97fd'::text), ('47b1ae68-babe-412a-a0ff-987e05a1c331'::text), ('30267261-8d89-4a4d-9ab7-68f684db6216'::text), ('1d4b5b6f-f2a5-4a36-a855-a9e84eee753e'::text), ('00c3b77b-1141-48da-8d7a-642c4b4e0dce'::text), ('280b911f-4b5c-4881-bf75-208ddf5f3d2a'::text), ('a45f34ea-67ff-4411-b0e4-be9e8e0c5354'::text), ('7117d064-003e-4caf-97b5-b160f5cc605a'::text), ('c49ad111-5b4a-4d69-b3b2-9ecb5eba3f42'::text), ('a1774195-ae8a-4610-b222-1e14f309e179'::text), ('4c0c6708-58a9-49cd-ae08-65eb638ee405'::text), ('f01bd089-37ad-4a8e-a94f-9b4888d00e28'::text), ('8d654987-ff29-44c3-acfe-71c1e061bbd7'::text), ('6ffbdcb6-bd37-43fb-b338-67cfbf6a7b03'::text), ('879e105f-77ca-4bbc-a148-93b530131240'::text), ('3ef91ba3-1c4a-4633-9d35-0492567d3626'::text), ('4b80a3c6-c99a-4a32-acf3-9c08db023f02'::text), ('a43b6c66-ecc9-4351-969c-661ba0c620fa'::text), ('bdca0f32-a2da-4ba8-a7da-a74bff2333d3'::text), ('93f70978-e821-442f-bc84-2ed568ecb7d3'::text), ('93fcc3d1-6a50-4075-98d5-048a89eb1389'::text), ('b837e5a3-62d8-4688-a9f2-84994c19bda9'::text), ('083accef-dfc4-4de8-862a-1ededa6e14f7'::text), ('2645d9e5-bc8a-4983-9cec-a6ec1c9ea35c'::text), ('5e61ee63-962f-4be3-a60b-33612fa97c53'::text), ('482bc39d-68b2-41e9-840d-954c1d9c9f29'::text), ('f4c660f4-11d3-41dd-94f3-342746b3ef42'::text), ('11b6e7c0-397c-4ab9-95d7-766afba4b321'::text), ('b8cd1676-11c1-4c4b-a164-89bee8907752'::text), ('089ec13b-0363-4d64-b8a1-325ed42521ac'::text), ('2b9eb6e6-fae6-429a-950e-b4fd981f9554'::text), ('2e92b0da-a947-4438-a2da-86ba46c497f5'::text), ('5e545a9b-f0b9-4540-8b54-4331927294fb'::text), ('23b98a91-1d2f-4b3b-915b-6040b4a544ed'::text), ('3fc875d6-360d-419e-b10c-5a64d801620c'::text), ('5f707052-4f05-46ce-8be4-966ba762c204'::text), ('62955ba0-ee09-4abe-9381-52a3948d2df2'::text), ('78a17662-d5fd-4064-a15d-37e430ea42cf'::text), ('57e62976-4e96-44b2-9116-a46cb17f1882'::text), ('6024d458-08ef-4116-8d3f-96c659d9bcb8'::text), ('3c9495fd-d813-4bfe-a9ae-fb2b90c955f3'::text), ('caa5d55e-bb90-43cb-be87-75510bf5ad3c'::text), ('75504089-a9f4-47be-a61f-0a30de74b2bf'::text), ('5c9e9381-1e8c-4bf5-bbb9-1c2622ee099f'::text), ('f33649a2-aaa9-4259-873a-bda631d41644'::text), ('361d42eb-695e-4ef6-a1bd-d5f62f51013d'::text), ('8cb30721-cbd1-47bf-9d9d-39bf03ef94be'::text), ('d8eec707-2db6-4cc2-a91c-77cfc7384a27'::text), ('7f3feb9d-ae71-4355-aa5e-9d7f1d4bd739'::text), ('5ee1c8c4-113d-4281-bfcd-2b4fc74b8e30'::text), ('a5406767-49ad-4220-b2f1-3029f2c393a8'::text), ('fe3b9ca9-faf0-4989-b897-87bc805f78dc'::text), ('63ce988e-7d18-4e8f-b7fc-4b1866ed967d'::text), ('1265ef37-3e29-4b75-af52-8cd32d7fe074'::text), ('a41a0c6c-bbd3-4b93-8898-2d900950cdf5'::text), ('1714d527-c204-4c80-9dc1-ab9828696e8f'::text), ('08b17162-0bfc-4e12-86bd-328fd084f0d2'::text), ('47834437-0ad7-4aa8-b166-fec0bc3d8205'::text), ('66141f3d-99e2-4f83-b785-4b8ea02ec679'::text), ('142917a1-dfc1-41cb-953d-1f7344f509e0'::text), ('b6699fbe-5725-46e2-bd4f-22bcd49cd244'::text), ('90e17b2d-b365-49c2-af3e-86ee2b5a21fb'::text), ('1badb876-c108-474b-a2af-4fc1814468e6'::text), ('d5d8f085-8075-42bb-8ff1-84d7bab34d7d'::text), ('f205d0e4-4771-43c0-b2b9-b2a637542096'::text), ('9891c526-0437-421f-95b0-fd5855b021d5'::text), ('0cacef7b-0e77-4bee-adb2-4c47b91e7483'::text), ('9e380299-b142-45e3-ab56-567d5f48c254'::text), ('bedbcdf9-8ff0-483a-9794-d1a2b13a7788'::text), ('9628fe6b-60e3-4d08-9060-5e36601adf22'::text), ('b6953469-c4c9-4835-8e73-c5cb853e915c'::text), ('335fab3d-0ff4-44e5-a070-aaf68ffe379f'::text), ('59aefdcf-9a06-417f-bb11-753e5fb615d5'::text), ('7ee51eb5-f30c-4246-b367-af7f9275bb3f'::text), ('ea26cfb2-fd70-422b-879f-c5c9a88e53b7'::text), ('1a9cc123-a7a4-4caa-b6fe-e4eabac823a8'::text), ('8fb15c80-bd91-412e-b6c3-77b01d7edc19'::text), ('ab8a783c-c44a-40f7-b6e6-d57bfb1510f0'::text), ('48691735-3b66-4bc5-9933-780d4a168e12'::text), ('d76dd58f-a9b6-401e-acba-43bb38ade32b'::text), ('5d5771e8-fa46-4208-b6aa-d56e73ea6b0a'::text), ('003d7b0b-f5b7-4352-b0c4-83da21bfc20d'::text), ('901ee616-87b1-4780-8099-8dc580f5e58e'::text), ('a732b158-182f-49ed-ab6d-bbdf972ac61f'::text), ('0a1b041d-a8e7-471f-9be3-9c1029af54e4'::text), ('a8a80765-896b-44a3-a128-ac018ac422f7'::text), ('036f7c20-dd05-4dd6-a039-d1f87620e736'::text), ('7019787e-4626-4abb-869f-de80c7242e4f'::text), ('682f65cf-9dc1-4aae-8c28-054ba3388296'::text), ('1a94410a-6907-400e-a182-2126ec7303dd'::text), ('90c4b0e6-4784-4439-ba6d-db4a0c560bd1'::text), ('861c5f4c-8918-4ff6-8546-380c00b17591'::text), ('3c269ab3-bed9-497b-a0e2-3f21b13456a8'::text), ('8cceb895-7548-4076-9f6c-a4dd4697e874'::text), ('d0b74f3e-acac-4797-ac3c-c2c759bae12c'::text), ('be391085-3d79-4f95-b5ad-5d7ce42b9eb4'::text), ('fb4991d3-e8c5-4479-a708-88ebe4f92adb'::text), ('f1138413-4792-45e6-8868-ffaf3f43b7e3'::text), ('4fa70c1d-f6f1-49e7-a20a-4eecf12f5322'::text), ('f01019c3-df2d-4c77-b167-c2196cf46462'::text), ('d992ea0b-0a30-4652-9933-85e3b2d90128'::text), ('1fb0a4a6-3cb9-4313-a753-04e49dc61471'::text), ('8fa4a392-06da-4b62-a814-c3b0c191adb2'::text), ('1474629f-a841-48eb-935b-20a1d2f29234'::text), ('ccde3881-e5c2-4aa9-bc25-46f2b1ef80cb'::text), ('c2efa097-accf-4e4b-9f86-8bda01f3ea46'::text), ('c0297538-c263-49bd-8d6f-03a66dcb984c'::text), ('8dca7fc6-9160-4f37-b21f-ac96c460a990'::text), ('8dcb4db7-8c41-4e27-b779-92f62d47523f'::text), ('5d016f67-263c-4689-af35-86ada21d207f'::text), ('178286d0-5c1e-4021-aa58-ce4ffea8ee69'::text), ('533f9d13-66f6-4acf-bbf1-491ab13eaf77'::text), ('69ee5ab4-8ac1-4b1f-9d54-1d33c0bf1573'::text), ('575d60a4-14ab-45bd-ae02-60e563b93e96'::text), ('46341ef1-b009-4024-8171-201f620b82a2'::text), ('c7b85fd5-dc2e-4802-9977-cdb7cc33b83c'::text), ('e12cfecb-dc70-4529-8e0f-ff0833d705b8'::text), ('14094597-01d0-4086-a844-2c8b43650129'::text), ('a977d118-5113-4a6a-b37f-f8c8d4b69232'::text), ('34641893-7593-447b-9f61-953542aaddc8'::text), ('4a1135be-b15c-481f-b8ec-084684a8314e'::text), ('3f04ccaf-a317-412c-a4e3-f6b4a9cddf30'::text), ('3beeef14-d6e1-49d8-a1f6-b705a6c00735'::text), ('bd5a389e-6048-4cad-bc20-cd511291f67c'::text), ('94e04f95-f275-445a-9ed2-9c737c5aa598'::text), ('7e44c94a-0940-428e-8eaa-b8fcdb83b7f8'::text), ('64dbad6d-66d4-478c-8b71-a63bef8148e0'::text), ('f049248e-66da-415d-b813-615e7ef0c5b6'::text), ('ebf2f26a-ed36-4974-b7af-50a05d8966f2'::text), ('2e564cb0-2afc-433f-bb13-65409ac4579a'::text), ('e1826cb0-395a-4f1e-a1e7-481ab2204315'::text), ('80765b69-74c4-4c5d-8fad-57c15f5a30db'::text), ('36198521-2984-4ae0-90a4-ca06d734a2ba'::text), ('c0663e33-e6a9-4e58-a670-9891bda10c61'::text), ('c3d2520e-68f3-4203-9854-390cf4afd6ec'::text), ('12553877-845b-4146-9d04-3d89410bbda8'::text), ('6d20af65-e420-4554-81fe-8d5b58373ebd'::text), ('c223759f-3549-44a6-9422-c3748f69436b'::text), ('4a34a1c1-7818-49dd-a774-660987a8bd5e'::text), ('02ae13ca-4477-4895-9b06-93d06403c64c'::text), ('435d6ec3-0ed5-48f7-b6d3-69a7f5e7ec38'::text), ('6f7a583b-1b63-48f3-86c9-d93c7e5e9196'::text), ('0646344a-17ee-457b-9b8e-1eddfa12be57'::text), ('ee8bbf5d-e991-4586-af67-f57c555cbbf1'::text), ('2b5b93d5-b416-4d88-b9a0-7ec48fe33ae7'::text), ('d09afb6a-bcc6-4d22-b868-1886735c291c'::text)) AS asked (k0)
JOIN "segmentation"."track_events" AS known ON known."message_id" = asked.k0;

SELECT asked.k0::text AS k0
FROM (VALUES ('f7d1ff54-0d12-4241-bb09-78ce89b544a0'::uuid), ('4f6f63d6-35d7-4ce8-b678-b282e0ce5298'::uuid), ('4368b669-31a9-4525-9e44-1ad3676b178c'::uuid), ('14d62939-77bc-45e1-85bb-aa49ecdd4c5f'::uuid), ('be7e2ae0-18f5-4657-ae88-23a7fe9e02fc'::uuid), ('6b05487a-3a33-422e-8554-3912b7c675fb'::uuid), ('d1576482-bac7-480d-910f-d35c76974d45'::uuid), ('d259624e-25a0-4693-88a2-a2184bf11eea'::uuid), ('8e1dbe3b-e7ff-413f-b4f6-5d8328ee48d7'::uuid), ('e08508aa-31e3-42b0-8980-00837f883d0d'::uuid), ('92023238-a8ef-44d3-af36-91629bd7ccae'::uuid), ('497e50de-792a-415a-9e22-38aef46a936a'::uuid), ('c67a9f9e-16d5-4d7c-8f05-d512ca70570b'::uuid), ('d28c52f7-9c0d-4aa2-bdf2-7d36844cea24'::uuid), ('66c4dea5-98d9-4941-8395-3aac1cba615c'::uuid), ('9d36aa4d-c0ce-4708-be1a-d3af867783fe'::uuid), ('c902a29d-128d-43d8-8c4f-bbd2c6c91280'::uuid), ('2ba274ae-70b6-4b36-b0cf-e43f91f1e69c'::uuid), ('f429646e-24ec-4f4c-af55-bfacb210e756'::uuid), ('369c7f74-eb3f-4e74-a40f-13da75d44bb2'::uuid), ('1e61c49e-c686-4627-9428-fe55abd8abdc'::uuid), ('7d2a7907-aa9f-44c2-b207-ae7a25c75d3e'::uuid), ('4dab9321-cbbd-4aad-9eea-3a5ad7121655'::uuid), ('bbfd008d-5f66-4137-b880-98f6e719d1ad'::uuid), ('36e37b9b-71d6-4f2c-9ee3-4d752af78df0'::uuid), ('aacebb0a-541d-4210-af8b-dba926edfac8'::uuid), ('1572311e-2ed4-4f25-92ec-98d41ce556ff'::uuid), ('765965cd-e498-4536-b255-97c305ca20bb'::uuid), ('dbd09b1d-6ca7-4d12-8b13-0e7a7e33901a'::uuid), ('fc8ec049-13ed-4516-923f-457ebc76c6f4'::uuid), ('b55f7e56-6732-44da-a2d5-1de72e0370de'::uuid), ('d4715b22-8936-433a-bcc7-51843832acfa'::uuid), ('cd4835e4-a451-473a-9f6c-3f57ada3261f'::uuid), ('a096179f-3d10-4932-9edb-332c4f690eb8'::uuid), ('62b47c93-516a-42a3-9580-af9d0f909cdf'::uuid), ('7b14d31f-7fc5-47ec-a2b2-b1f5706b2ea6'::uuid), ('edae4efc-255d-43c5-9169-3cd98f30add8'::uuid), ('f026a2d3-6f3b-41bd-974b-f7fd48655475'::uuid), ('dafbea47-41cf-472a-8b7b-5c6bf495e0a5'::uuid), ('3422e071-a953-476f-86e7-09dd18294e9f'::uuid), ('9d276807-477a-41d5-80e4-b046b73529c1'::uuid), ('bf6e4fff-ae63-4a8a-83f9-6deb917c1f3f'::uuid), ('d3541a3a-8d3e-4559-bd87-3355cf727081'::uuid), ('1237a73d-1fd9-4dd4-9ca8-d6f4f7b5761a'::uuid), ('6bc4ce39-4a42-4c17-a458-cb097c52dbe4'::uuid), ('f7a6c8bb-f657-440f-8796-b0a0cd65a824'::uuid), ('f4a047d9-9437-48a4-b1b8-88e276530226'::uuid), ('de303303-53d7-44e0-9217-4178f8aff2ff'::uuid), ('69bbb9f4-c485-4ea0-b543-50171d74fd7b'::uuid), ('e1c21c5e-58d3-46a0-9337-0585409dc48d'::uuid), ('517166be-a443-4a96-8fcb-0b1796630e75'::uuid), ('48511b8d-2084-445f-9492-f0f9ddb4e71f'::uuid), ('369c8e87-51ce-4e60-92a9-78ad241df1c0'::uuid), ('3f8e3f83-46f3-4a22-a62b-0850a8875757'::uuid), ('70bb3cb8-6298-46ce-b819-9a7818978b1f'::uuid), ('0d5221a2-d36e-4bc2-910a-8640b922da76'::uuid), ('11f2e2a2-1b3f-4c36-81b6-c39fce0ae40b'::uuid), ('77f2d404-be21-4475-b4bf-8f186314fc0b'::uuid), ('340ec255-3847-4380-84fb-5880579e980a'::uuid), ('40ed00b6-eaa0-4c1e-94fb-65c7f242081b'::uuid), ('babe012a-20ff-487e-85a1-c33179f90ebd'::uuid), ('1ab768f6-84db-4216-829d-7e9ca0a41021'::uuid), ('2855a9e8-4eee-453e-9587-88c24a1a669b'::uuid), ('aab0520a-e780-413f-80c3-b77b114168da'::uuid), ('eb3531e4-aa69-4484-bbd0-b2c63db4840b'::uuid), ('7f75208d-df5f-4d2a-99c3-f950de5b1a07'::uuid), ('3e8b21c4-b9c1-4b3b-be05-3d84a51ebe9f'::uuid), ('7117d064-003e-4caf-97b5-b160f5cc605a'::uuid), ('5b4a1d69-73b2-4ecb-9eba-3f421ed9eb03'::uuid), ('72221e14-f309-4179-b4c3-2d46b2e69fed'::uuid), ('638ee405-09e8-45d5-80ac-35954653840a'::uuid), ('3abe7827-f01b-4089-b7ad-6a8e294f9b48'::uuid), ('d339dbcb-8d65-4987-bf29-d4c36cfe71c1'::uuid), ('6ffbdcb6-bd37-43fb-b338-67cfbf6a7b03'::uuid), ('77ca7bbc-e148-43b5-b013-1240fbeddfd2'::uuid), ('567d3626-b135-4126-8e36-49517bfa30b6'::uuid), ('6eb7fb7d-d97b-4870-8b80-a3c6c99a1a32'::uuid), ('a43b6c66-ecc9-4351-969c-661ba0c620fa'::uuid), ('2c368b5a-8a4f-4464-8c6a-651b97c48c08'::uuid), ('397b43d1-2b5e-4027-ab0d-44ec0bc73d87'::uuid), ('3f5bbc5d-93fc-43d1-aa50-b07518d5048a'::uuid), ('f050eede-02fd-49c6-bd65-bd18c082a767'::uuid), ('4c19bda9-5039-4a97-a00b-2e7cadb8cf45'::uuid), ('1348787c-a366-492a-9abb-1a697e5846f5'::uuid), ('7749a7b1-2645-49e5-bc8a-d9835ceca6ec'::uuid), ('bbee304e-9613-46df-81ee-d5b867e8b31f'::uuid), ('c25611c1-eaa1-4743-b412-105f482bc39d'::uuid), ('f4c660f4-11d3-41dd-94f3-342746b3ef42'::uuid), ('397c7ab9-55d7-466a-bba4-b3217b12e22b'::uuid), ('49540ee9-1b02-4c79-9168-a9ac4da2b1d5'::uuid), ('666289bf-9bcc-4e6c-8169-71566f60f5a4'::uuid), ('85d1089e-089e-413b-8363-fd64f8a1325e'::uuid), ('8f5c2e22-c4c2-4b89-b7d0-d39583cbf830'::uuid), ('950eb4fd-981f-4554-8e0f-00b2b421b117'::uuid), ('ea150b85-df1d-4074-ae92-b0daa947d438'::uuid), ('d22e8402-8fd8-4dc8-bb28-c6d3d365e6ab'::uuid), ('0b544331-9272-44fb-b06a-39da146aee00'::uuid), ('3397b117-927e-4708-a3b9-8a911d2ffb3b'::uuid), ('6563e369-c80e-47a1-9b35-028a3d538e95'::uuid), ('b3a3e906-5211-4afc-a4ff-2f8f03c573bb'::uuid), ('9254e019-4d93-4da6-ac10-763c3ec68e86'::uuid), ('938152a3-948d-4df2-9591-3033202d45c4'::uuid), ('3c6c08b0-73ac-48d8-adc5-f6d8cbeee82c'::uuid), ('57e62976-4e96-44b2-9116-a46cb17f1882'::uuid), ('89d02a04-5907-4e42-aedf-61feb74dbf8b'::uuid), ('59d9bcb8-02f0-4e8d-8831-524b6ac99081'::uuid), ('2e2fac62-a6d2-4421-9c0b-ab9d6514a320'::uuid), ('c8c64523-440d-446e-a516-c8ec6eb7c9a6'::uuid), ('06040108-e5a5-45b6-8c1b-b63e141b046e'::uuid), ('3a9a0334-15f9-4a9a-999e-e922612887fe'::uuid), ('cd1c1cb3-7652-46a6-884c-a95f877dfd95'::uuid), ('361d42eb-695e-4ef6-a1bd-d5f62f51013d'::uuid), ('8988bce8-185a-4254-a688-a801e676a763'::uuid), ('1aab65c4-7e11-4f43-bfd4-1fa187ca913e'::uuid), ('260ff1fe-cbb2-4b53-8cd2-598dd2b81a6c'::uuid), ('ea1284db-996b-4b17-b73c-81ec5ee1c8c4'::uuid), ('002c8d07-db00-495b-a540-676749ad0220'::uuid), ('fec875cc-533a-419d-9138-291ead653f8b'::uuid), ('394da1d2-54a1-460b-97e1-e810b7609e11'::uuid), ('c0efd46e-096b-49a0-8942-9b62a9bfa415'::uuid), ('240f4fab-1265-4f37-be29-0b756f528cd3'::uuid), ('c0011326-6fd3-4821-a87e-cda8ae0c7f7d'::uuid), ('f8fc3e7b-7609-46d6-84d9-56578a1321b8'::uuid), ('83f73270-6fab-452a-a9c8-4922c060b2e4'::uuid), ('845571bc-e84f-45fc-8783-44370ad76aa8'::uuid), ('3675bbb0-8ff7-4d8d-95f1-33cf11e9588e'::uuid), ('4fddf2b3-90a5-4572-9be5-01e560b8f4bd'::uuid), ('68790fa2-fca8-47a3-a9c1-9fb7b4196430'::uuid), ('9fd59198-c208-44a1-877a-f1a49f5ea3d1'::uuid), ('e385690f-3a64-46d7-8fc0-59461badb876'::uuid), ('f164fe75-946c-4c28-95d8-f085807542bb'::uuid), ('be52c9c1-85f7-4752-a768-fefd4ed6e82d'::uuid), ('e4dc3305-3574-46ba-9492-da9d354f6132'::uuid), ('55b021d5-b8ed-4baa-a080-6f9aed2a27d0'::uuid), ('81730996-0cac-4f7b-8e77-3beeadb24c47'::uuid), ('ab56567d-5f48-4254-ba6f-19b5d796ef83'::uuid), ('8cad603a-6e28-45f2-bedb-cdf98ff0383a'::uuid), ('26fdbdbd-800a-4820-83b8-6a75367c5b96'::uuid), ('0ffef4a6-b1e8-489c-a8c4-0d8a6c5961fd'::uuid), ('f858a1a2-88c5-4dbf-81ab-e640340a897c'::uuid), ('8ffe379f-4f84-4fbe-a6b7-79c1bae8876a'::uuid), ('5fb615d5-9def-4f81-8d2b-087ef3975373'::uuid), ('71af9472-87c0-4795-9d45-3321c8f49506'::uuid), ('449a91c2-e0e4-47bb-8ccb-01dd96f03bfe'::uuid), ('b6fee4ea-bac8-43a8-8381-a78edc67a8bf'::uuid), ('76c377b0-1d7e-4c19-bfb4-16564d86e610'::uuid), ('b6e6d57b-fb15-40f0-acd1-6d9c4e03b5ab'::uuid), ('4a168e12-4185-44e5-b4b2-52fa235ab500'::uuid), ('f17966ff-b358-4494-8aff-b0df63cf7069'::uuid), ('946ee4dc-e88f-4c81-b639-071a8f70acf3'::uuid), ('b0c483da-21bf-420d-80cf-c7dccc056b0c'::uuid), ('c0998dc5-80f5-458e-b065-f2267a77dace'::uuid), ('972ac61f-c2a2-48d3-b80e-f33444df919c'::uuid), ('be650ca8-cb1e-4a01-9b51-b6514b7bcff7'::uuid), ('979e8ea1-0f99-484e-b49d-26ca72798c48'::uuid), ('9ed97234-b079-446c-b019-787e4626aabb'::uuid), ('b0760705-682f-45cf-9dc1-7aaecc28054b'::uuid), ('1a94410a-6907-400e-a182-2126ec7303dd'::uuid), ('fa6ddb4a-0c56-4bd1-a068-f7ad88e55346'::uuid), ('00b17591-ac49-4999-9f90-9528ad61feb3'::uuid), ('a88f3f9c-2df5-4752-b10e-22d817cbe2ec'::uuid), ('75480076-1f6c-44dd-8697-e874188edde3'::uuid), ('142968ca-46a1-4e78-8c5e-7526ac11c7a6'::uuid), ('2fcfff26-4139-41b4-aad2-394dbe391085'::uuid), ('fb4991d3-e8c5-4479-a708-88ebe4f92adb'::uuid), ('8634d010-a132-4b87-befe-dd5899b09a18'::uuid), ('3f43b7e3-8481-4ed0-b85f-343352a44051'::uuid), ('4fa70c1d-f6f1-49e7-a20a-4eecf12f5322'::uuid), ('df2d8c77-f167-4219-acf4-646225d51d37'::uuid), ('0a306652-d933-45e3-b2d9-01288731074d'::uuid), ('ea23a720-803b-4ff1-b183-e34976ce0729'::uuid), ('237dd4cc-546a-4570-8ce8-3b6bb5bd54b9'::uuid), ('f6c19c8a-e5f0-4fef-94e1-c4a728e51ba0'::uuid), ('b3ee45de-f076-4c2e-99f8-7a69a209e085'::uuid), ('274f7777-e2f9-4dc3-ab4c-ce21f7343f18'::uuid), ('80d6e00c-b83c-445a-afe6-7fc5af421535'::uuid), ('7cdc9d5a-2365-4665-bf6f-f14619f1ca52'::uuid), ('70799b1e-a3c5-4db5-871e-13948dcb4db7'::uuid), ('f795557a-d09c-44e0-ad5c-7b1d667df027'::uuid), ('15caa812-aee6-4c6a-bf0c-84a111645c62'::uuid), ('e24d61c4-a0bb-41db-8ed0-afeaeb4e4f43'::uuid), ('3bf1491a-b13e-4f77-9baa-49f88321ac4f'::uuid), ('72b86a49-c268-4f09-81c2-4b347d1ef518'::uuid), ('5c327790-9c05-4a75-8833-12903a7b9dab'::uuid), ('0171201f-620b-42a2-9643-544bf535fe40'::uuid), ('4ca6e305-7d4a-4151-9012-019906fa8a4a'::uuid), ('7844b7fe-cdd4-4e05-8179-58d6b7fc6f98'::uuid), ('ede37a20-72d3-4f27-9231-f50cf3439988'::uuid), ('645dd556-8549-412e-93ba-606c1866b026'::uuid), ('df619535-42aa-4dc8-97e0-7e24daba11b3'::uuid), ('be8ae7d8-1387-4782-8a11-35beb15cc81f'::uuid), ('e4443403-3f04-4caf-a317-d12ce4e3f6b4'::uuid), ('d6e1c9d8-a1f6-4705-a6c0-07359528eb16'::uuid), ('60481cad-fc20-4d51-9291-f67c77be0b3d'::uuid), ('1ed29c73-7c5a-4598-9375-7c77fa5075c5'::uuid), ('db83b7f8-19e7-45f6-a609-bcd93dff2541'::uuid), ('b934f0d4-1bd5-4462-be7c-5199edf34937'::uuid), ('21ff65b4-409b-41b3-9bc4-ece70feceeaa'::uuid), ('ed36f974-f7af-40a0-9d89-66f23493a0f5'::uuid), ('7b136540-9ac4-479a-9525-eabe3a3999a7'::uuid)) AS asked (k0)
JOIN "segmentation"."segment_events" AS known ON known."event_id" = asked.k0;

SELECT c.name AS name, c.type AS type
FROM mz_catalog.mz_columns AS c
JOIN mz_catalog.mz_objects AS o ON o.id = c.id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'active_visitor' AND d.name = current_database()
ORDER BY c.position;

SELECT c.name AS name, c.type AS type
FROM mz_catalog.mz_columns AS c
JOIN mz_catalog.mz_objects AS o ON o.id = c.id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'area_no_buyers' AND d.name = current_database()
ORDER BY c.position;

SELECT c.name AS name, c.type AS type
FROM mz_catalog.mz_columns AS c
JOIN mz_catalog.mz_objects AS o ON o.id = c.id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'behavior_memberships' AND d.name = current_database()
ORDER BY c.position;

SELECT c.name AS name, c.type AS type
FROM mz_catalog.mz_columns AS c
JOIN mz_catalog.mz_objects AS o ON o.id = c.id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'identities' AND d.name = current_database()
ORDER BY c.position;

SELECT c.name AS name, c.type AS type
FROM mz_catalog.mz_columns AS c
JOIN mz_catalog.mz_objects AS o ON o.id = c.id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'mobile_no_recent_activity' AND d.name = current_database()
ORDER BY c.position;

SELECT c.name AS name, c.type AS type
FROM mz_catalog.mz_columns AS c
JOIN mz_catalog.mz_objects AS o ON o.id = c.id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'pageview_sessions' AND d.name = current_database()
ORDER BY c.position;

SELECT c.name AS name, c.type AS type
FROM mz_catalog.mz_columns AS c
JOIN mz_catalog.mz_objects AS o ON o.id = c.id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'segment_members' AND d.name = current_database()
ORDER BY c.position;

SELECT c.name AS name, c.type AS type
FROM mz_catalog.mz_columns AS c
JOIN mz_catalog.mz_objects AS o ON o.id = c.id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'segment_memberships' AND d.name = current_database()
ORDER BY c.position;

SELECT c.name AS name, c.type AS type
FROM mz_catalog.mz_columns AS c
JOIN mz_catalog.mz_objects AS o ON o.id = c.id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'segment_sizes' AND d.name = current_database()
ORDER BY c.position;

SELECT c.name AS name, c.type AS type
FROM mz_catalog.mz_columns AS c
JOIN mz_catalog.mz_objects AS o ON o.id = c.id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'segment_toggles' AND d.name = current_database()
ORDER BY c.position;

SELECT c.name AS name, c.type AS type
FROM mz_catalog.mz_columns AS c
JOIN mz_catalog.mz_objects AS o ON o.id = c.id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'user_activity' AND d.name = current_database()
ORDER BY c.position;

SELECT c.name AS name, c.type AS type
FROM mz_catalog.mz_columns AS c
JOIN mz_catalog.mz_objects AS o ON o.id = c.id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'user_alerts' AND d.name = current_database()
ORDER BY c.position;

SELECT c.name AS name, c.type AS type
FROM mz_catalog.mz_columns AS c
JOIN mz_catalog.mz_objects AS o ON o.id = c.id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'user_event_names' AND d.name = current_database()
ORDER BY c.position;

SELECT c.name AS name, c.type AS type
FROM mz_catalog.mz_columns AS c
JOIN mz_catalog.mz_objects AS o ON o.id = c.id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'user_events' AND d.name = current_database()
ORDER BY c.position;

SELECT c.name AS name, c.type AS type
FROM mz_catalog.mz_columns AS c
JOIN mz_catalog.mz_objects AS o ON o.id = c.id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'user_mql_score' AND d.name = current_database()
ORDER BY c.position;

SELECT c.name AS name, c.type AS type
FROM mz_catalog.mz_columns AS c
JOIN mz_catalog.mz_objects AS o ON o.id = c.id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'user_profiles' AND d.name = current_database()
ORDER BY c.position;

SELECT c.name AS name, c.type AS type
FROM mz_catalog.mz_columns AS c
JOIN mz_catalog.mz_objects AS o ON o.id = c.id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'visitor_sessions' AND d.name = current_database()
ORDER BY c.position;

SELECT c.name AS name, c.type AS type
FROM mz_catalog.mz_columns AS c
JOIN mz_catalog.mz_objects AS o ON o.id = c.id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation_dbt_test__audit' AND o.name = 'linked_identities_share_a_user' AND d.name = current_database()
ORDER BY c.position;

SELECT c0, c1, c2, c3, c4, c5, c6, c7, sum(w)::text AS w FROM (
SELECT "event_id"::text AS c0, "event_at"::text AS c1, "user_id"::text AS c2, "vendor"::text AS c3, "segment"::text AS c4, "remove"::text AS c5, "value"::text AS c6, "previous"::text AS c7, 1 AS w FROM (
-- added_before is 1 when any earlier event of the same (vendor, segment, user) is an add, and NULL on the first event.
with events as (

    select
        event_id,
        event_at,
        user_id,
        vendor,
        segment,
        remove,
        value,
        lag(remove) over (partition by vendor, segment, user_id order by "position") as previous_remove,
        lag(payload) over (partition by vendor, segment, user_id order by "position") as previous,
        max(case when remove then 0 else 1 end) over (
            partition by vendor, segment, user_id order by "position"
            rows between unbounded preceding and 1 preceding
        ) as added_before
    from "segmentation"."stg_segment_events"

)

select
    event_id,
    event_at,
    user_id,
    vendor,
    segment,
    remove,
    value,
    previous
from events
where added_before = 1 and remove <> previous_remove
) AS recomputed
UNION ALL
SELECT "event_id"::text AS c0, "event_at"::text AS c1, "user_id"::text AS c2, "vendor"::text AS c3, "segment"::text AS c4, "remove"::text AS c5, "value"::text AS c6, "previous"::text AS c7, -1 AS w FROM "segmentation"."segment_toggles"
) AS both_sides GROUP BY c0, c1, c2, c3, c4, c5, c6, c7 HAVING sum(w) <> 0;

SELECT c0, c1, c2, c3, c4, c5, c6, sum(w)::text AS w FROM (
SELECT "user_id"::text AS c0, "activities"::text AS c1, "page_views"::text AS c2, "last_activity_at"::text AS c3, "last_purchase_at"::text AS c4, "region"::text AS c5, "device_type"::text AS c6, 1 AS w FROM (
select
    identities.user_id,
    count(*) as activities,
    count(*) filter (where events.activity_type = 'page_viewed') as page_views,
    max(events.created_at) as last_activity_at,
    max(events.created_at) filter (where events.activity_type = 'product_purchased') as last_purchase_at,
    (array_agg(events.region order by events.created_at desc, events."position" desc) filter (where events.region is not null))[1] as region,
    (array_agg(events.device_type order by events.created_at desc, events."position" desc) filter (where events.device_type is not null))[1] as device_type
from "segmentation"."stg_activity_events" as events
inner join "segmentation"."identities" as identities
    on identities.id_type = events.id_type and identities.id = events.id
group by identities.user_id
) AS recomputed
UNION ALL
SELECT "user_id"::text AS c0, "activities"::text AS c1, "page_views"::text AS c2, "last_activity_at"::text AS c3, "last_purchase_at"::text AS c4, "region"::text AS c5, "device_type"::text AS c6, -1 AS w FROM "segmentation"."user_activity"
) AS both_sides GROUP BY c0, c1, c2, c3, c4, c5, c6 HAVING sum(w) <> 0;

SELECT c0, c1, c2, c3, c4, c5, c6, sum(w)::text AS w FROM (
SELECT "vendor"::text AS c0, "segment"::text AS c1, "user_id"::text AS c2, "first_added_at"::text AS c3, "last_event_at"::text AS c4, "is_member"::text AS c5, "value"::text AS c6, 1 AS w FROM (
-- The latest arrived event is an add when the last position of all events is the last position of an add. This form,
-- rather than a comparison of two ordered arrays, is two maxima that can be merged.
select
    vendor,
    segment,
    user_id,
    min(event_at) filter (where not remove) as first_added_at,
    max(event_at) as last_event_at,
    coalesce(max("position") filter (where not remove) = max("position"), false) as is_member,
    (array_agg(value order by "position" desc) filter (where value is not null))[1] as value
from "segmentation"."stg_segment_events"
group by vendor, segment, user_id

-- changed
having count(*) > 0
) AS recomputed
UNION ALL
SELECT "vendor"::text AS c0, "segment"::text AS c1, "user_id"::text AS c2, "first_added_at"::text AS c3, "last_event_at"::text AS c4, "is_member"::text AS c5, "value"::text AS c6, -1 AS w FROM "segmentation"."segment_memberships"
) AS both_sides GROUP BY c0, c1, c2, c3, c4, c5, c6 HAVING sum(w) <> 0;

SELECT c0, c1, c2, c3, c4, c5, c6, sum(w)::text AS w FROM (
SELECT "vendor"::text AS c0, "segment"::text AS c1, "user_id"::text AS c2, "first_added_at"::text AS c3, "last_event_at"::text AS c4, "is_member"::text AS c5, "value"::text AS c6, 1 AS w FROM (
-- The latest arrived event is an add when the last position of all events is the last position of an add. This form,
-- rather than a comparison of two ordered arrays, is two maxima that can be merged.
select
    vendor,
    segment,
    user_id,
    min(event_at) filter (where not remove) as first_added_at,
    max(event_at) as last_event_at,
    coalesce(max("position") filter (where not remove) = max("position"), false) as is_member,
    (array_agg(value order by "position" desc) filter (where value is not null))[1] as value
from "segmentation"."stg_segment_events"
group by vendor, segment, user_id
) AS recomputed
UNION ALL
SELECT "vendor"::text AS c0, "segment"::text AS c1, "user_id"::text AS c2, "first_added_at"::text AS c3, "last_event_at"::text AS c4, "is_member"::text AS c5, "value"::text AS c6, -1 AS w FROM "segmentation"."segment_memberships"
) AS both_sides GROUP BY c0, c1, c2, c3, c4, c5, c6 HAVING sum(w) <> 0;

SELECT c0, c1, c2, c3, c4, c5, sum(w)::text AS w FROM (
SELECT "id_type"::text AS c0, "id"::text AS c1, "linked_id_type"::text AS c2, "linked_id"::text AS c3, "user_id"::text AS c4, "linked_user_id"::text AS c5, 1 AS w FROM (
-- Fails when somebody's links are more steps long than the project var `identity_hops`: raise it. The failing rows are
-- kept as a view, so that it can be watched.


select
    links.id_type,
    links.id,
    links.linked_id_type,
    links.linked_id,
    one.user_id,
    other.user_id as linked_user_id
from "segmentation"."stg_identity_links" as links
left join "segmentation"."identities" as one on one.id_type = links.id_type and one.id = links.id
left join "segmentation"."identities" as other
    on other.id_type = links.linked_id_type and other.id = links.linked_id
where one.user_id is distinct from other.user_id
) AS recomputed
UNION ALL
SELECT "id_type"::text AS c0, "id"::text AS c1, "linked_id_type"::text AS c2, "linked_id"::text AS c3, "user_id"::text AS c4, "linked_user_id"::text AS c5, -1 AS w FROM "segmentation_dbt_test__audit"."linked_identities_share_a_user"
) AS both_sides GROUP BY c0, c1, c2, c3, c4, c5 HAVING sum(w) <> 0;

SELECT c0, c1, c2, c3, c4, c5, sum(w)::text AS w FROM (
SELECT "vendor"::text AS c0, "segment"::text AS c1, "user_id"::text AS c2, "first_added_at"::text AS c3, "last_event_at"::text AS c4, "value"::text AS c5, 1 AS w FROM (
select
    vendor,
    segment,
    user_id,
    first_added_at,
    last_event_at,
    value
from "segmentation"."segment_memberships"
where is_member
) AS recomputed
UNION ALL
SELECT "vendor"::text AS c0, "segment"::text AS c1, "user_id"::text AS c2, "first_added_at"::text AS c3, "last_event_at"::text AS c4, "value"::text AS c5, -1 AS w FROM "segmentation"."segment_members"
) AS both_sides GROUP BY c0, c1, c2, c3, c4, c5 HAVING sum(w) <> 0;

SELECT c0, c1, c2, c3, c4, sum(w)::text AS w FROM (
SELECT "alert_condition"::text AS c0, "email"::text AS c1, "alert_labels"::text AS c2, "alert_value"::text AS c3, "mql_score"::text AS c4, 1 AS w FROM (

select
    'mql_threshold_20' as alert_condition,
    email,
    jsonb_build_object('email', email) as alert_labels,
    20 as alert_value,
    mql_score
from "segmentation"."user_mql_score"
where mql_score >= 20
) AS recomputed
UNION ALL
SELECT "alert_condition"::text AS c0, "email"::text AS c1, "alert_labels"::text AS c2, "alert_value"::text AS c3, "mql_score"::text AS c4, -1 AS w FROM "segmentation"."user_alerts"
) AS both_sides GROUP BY c0, c1, c2, c3, c4 HAVING sum(w) <> 0;

SELECT c0, c1, c2, c3, c4, sum(w)::text AS w FROM (
SELECT "email"::text AS c0, "event_name"::text AS c1, "first_position"::text AS c2, "events"::text AS c3, "last_event_received_at"::text AS c4, 1 AS w FROM (
select
    email,
    event_name,
    min("position") as first_position,
    count(*) as events,
    max(received_at) as last_event_received_at
from "segmentation"."stg_track_events"
where email is not null and event_name is not null
group by email, event_name
) AS recomputed
UNION ALL
SELECT "email"::text AS c0, "event_name"::text AS c1, "first_position"::text AS c2, "events"::text AS c3, "last_event_received_at"::text AS c4, -1 AS w FROM "segmentation"."user_event_names"
) AS both_sides GROUP BY c0, c1, c2, c3, c4 HAVING sum(w) <> 0;

SELECT c0, c1, c2, c3, c4, sum(w)::text AS w FROM (
SELECT "vendor"::text AS c0, "segment"::text AS c1, "members"::text AS c2, "adds"::text AS c3, "removes"::text AS c4, 1 AS w FROM (
-- Members and events are added up side by side, so that one event costs one sum and no join.
with counted as (

    select vendor, segment, 1 as members, 0 as adds, 0 as removes
    from "segmentation"."segment_members"

    union all

    select
        vendor,
        segment,
        0 as members,
        case when remove then 0 else 1 end as adds,
        case when remove then 1 else 0 end as removes
    from "segmentation"."stg_segment_events"

)

select
    vendor,
    segment,
    sum(members) as members,
    sum(adds) as adds,
    sum(removes) as removes
from counted
group by vendor, segment
) AS recomputed
UNION ALL
SELECT "vendor"::text AS c0, "segment"::text AS c1, "members"::text AS c2, "adds"::text AS c3, "removes"::text AS c4, -1 AS w FROM "segmentation"."segment_sizes"
) AS both_sides GROUP BY c0, c1, c2, c3, c4 HAVING sum(w) <> 0;

SELECT c0, c1, c2, c3, c4, sum(w)::text AS w FROM (
SELECT "visitor_id"::text AS c0, "started_at"::text AS c1, "ended_at"::text AS c2, "pageviews"::text AS c3, "is_open"::text AS c4, 1 AS w FROM (
-- Open and closed sessions apart, because the streaming engines know the time in WHERE only.
select visitor_id, started_at, ended_at, pageviews, true as is_open
from "segmentation"."visitor_sessions"
where mz_now() <= ended_at + interval '5 minutes'

union all

select visitor_id, started_at, ended_at, pageviews, false as is_open
from "segmentation"."visitor_sessions"
where mz_now() > ended_at + interval '5 minutes'
) AS recomputed
UNION ALL
SELECT "visitor_id"::text AS c0, "started_at"::text AS c1, "ended_at"::text AS c2, "pageviews"::text AS c3, "is_open"::text AS c4, -1 AS w FROM "segmentation"."pageview_sessions"
) AS both_sides GROUP BY c0, c1, c2, c3, c4 HAVING sum(w) <> 0;

SELECT c0, c1, c2, c3, sum(w)::text AS w FROM (
SELECT "email"::text AS c0, "event_names"::text AS c1, "events"::text AS c2, "last_event_received_at"::text AS c3, 1 AS w FROM (
select
    email,
    jsonb_agg(event_name order by first_position) as event_names,
    sum(events)::bigint as events,
    max(last_event_received_at) as last_event_received_at
from "segmentation"."user_event_names"
group by email
) AS recomputed
UNION ALL
SELECT "email"::text AS c0, "event_names"::text AS c1, "events"::text AS c2, "last_event_received_at"::text AS c3, -1 AS w FROM "segmentation"."user_events"
) AS both_sides GROUP BY c0, c1, c2, c3 HAVING sum(w) <> 0;

SELECT c0, c1, c2, c3, sum(w)::text AS w FROM (
SELECT "email"::text AS c0, "mql_score"::text AS c1, "mql_events"::text AS c2, "last_event_received_at"::text AS c3, 1 AS w FROM (
select
    done.email,
    sum(scored.mql_score) as mql_score,
    jsonb_agg(done.event_name order by done.first_position) as mql_events,
    max(done.last_event_received_at) as last_event_received_at
from "segmentation"."user_event_names" as done
inner join "segmentation"."mql_score" as scored on scored.event_name = done.event_name
group by done.email
) AS recomputed
UNION ALL
SELECT "email"::text AS c0, "mql_score"::text AS c1, "mql_events"::text AS c2, "last_event_received_at"::text AS c3, -1 AS w FROM "segmentation"."user_mql_score"
) AS both_sides GROUP BY c0, c1, c2, c3 HAVING sum(w) <> 0;

SELECT c0, c1, c2, c3, sum(w)::text AS w FROM (
SELECT "visitor_id"::text AS c0, "started_at"::text AS c1, "ended_at"::text AS c2, "pageviews"::text AS c3, 1 AS w FROM (
with views as (

    select visitor_id, viewed_at, "position"
    from "segmentation"."stg_pageviews"
    where event = 'pageview'

),

views_flagged as (

    select
        *,
        case
            when viewed_at <= lag(viewed_at) over (partition by visitor_id order by viewed_at, "position") + interval '5 minutes'
            then 0
            else 1
        end as starts_session
    from views

),

views_numbered as (

    select
        *,
        sum(starts_session) over (
            partition by visitor_id order by viewed_at, "position"
            rows between unbounded preceding and current row
        ) as session_number
    from views_flagged

)

select
    visitor_id,
    min(viewed_at) as started_at,
    max(viewed_at) as ended_at,
    count(*) as pageviews
from views_numbered
group by visitor_id, session_number
) AS recomputed
UNION ALL
SELECT "visitor_id"::text AS c0, "started_at"::text AS c1, "ended_at"::text AS c2, "pageviews"::text AS c3, -1 AS w FROM "segmentation"."visitor_sessions"
) AS both_sides GROUP BY c0, c1, c2, c3 HAVING sum(w) <> 0;

SELECT c0, c1, c2, sum(w)::text AS w FROM (
SELECT "id_type"::text AS c0, "id"::text AS c1, "user_id"::text AS c2, 1 AS w FROM (
-- A reference's user id is the least arrival position among the references it is connected with. Positions travel along
-- the links, one step for every round: `identity_hops` rounds reach as many links far, without recursion. The test
-- linked_identities_share_a_user fails when somebody's links are longer than that.

with sightings as (

    select id_type, id, min("position") as user_id
    from "segmentation"."stg_activity_events"
    group by id_type, id

),

-- Each link in both directions, and each end with itself, so that a round can only lower an id.
edges as (

    select id_type, id, linked_id_type, linked_id from "segmentation"."stg_identity_links"
    union
    select linked_id_type as id_type, linked_id as id, id_type as linked_id_type, id as linked_id
    from "segmentation"."stg_identity_links"
    union
    select id_type, id, id_type as linked_id_type, id as linked_id
    from "segmentation"."stg_identity_links"
    union
    select linked_id_type as id_type, linked_id as id, linked_id_type, linked_id
    from "segmentation"."stg_identity_links"

),

hop_1 as (

    select edges.id_type, edges.id, min(reached.user_id) as user_id
    from edges
    inner join sightings as reached
        on reached.id_type = edges.linked_id_type and reached.id = edges.linked_id
    group by edges.id_type, edges.id

),

hop_2 as (

    select edges.id_type, edges.id, min(reached.user_id) as user_id
    from edges
    inner join hop_1 as reached
        on reached.id_type = edges.linked_id_type and reached.id = edges.linked_id
    group by edges.id_type, edges.id

),

hop_3 as (

    select edges.id_type, edges.id, min(reached.user_id) as user_id
    from edges
    inner join hop_2 as reached
        on reached.id_type = edges.linked_id_type and reached.id = edges.linked_id
    group by edges.id_type, edges.id

),

hop_4 as (

    select edges.id_type, edges.id, min(reached.user_id) as user_id
    from edges
    inner join hop_3 as reached
        on reached.id_type = edges.linked_id_type and reached.id = edges.linked_id
    group by edges.id_type, edges.id

),

assigned as (

    select id_type, id, user_id from sightings
    union all
    select id_type, id, user_id from hop_4

)

select id_type, id, min(user_id) as user_id
from assigned
group by id_type, id
) AS recomputed
UNION ALL
SELECT "id_type"::text AS c0, "id"::text AS c1, "user_id"::text AS c2, -1 AS w FROM "segmentation"."identities"
) AS both_sides GROUP BY c0, c1, c2 HAVING sum(w) <> 0;

SELECT c0, c1, c2, sum(w)::text AS w FROM (
SELECT "user_id"::text AS c0, "page_views"::text AS c1, "last_activity_at"::text AS c2, 1 AS w FROM (
select user_id, page_views, last_activity_at
from "segmentation"."user_activity"
where device_type = 'mobile'
    and page_views >= 10
    and mz_now() >= last_activity_at + interval '7 days'
) AS recomputed
UNION ALL
SELECT "user_id"::text AS c0, "page_views"::text AS c1, "last_activity_at"::text AS c2, -1 AS w FROM "segmentation"."mobile_no_recent_activity"
) AS both_sides GROUP BY c0, c1, c2 HAVING sum(w) <> 0;

SELECT c0, c1, count(*)::text AS n FROM (SELECT "event_name"::text AS c0, "mql_score"::text AS c1 FROM "segmentation"."mql_score") AS printed GROUP BY c0, c1;

SELECT c0, c1, count(*)::text AS n FROM (SELECT "event_name"::text AS c0, "mql_score"::text AS c1 FROM (VALUES ('demo_requested'::text, '30'::integer), ('meetup_attended'::text, '5'::integer), ('community_joined'::text, '5'::integer), ('newsletter_subscribed'::text, '10'::integer), ('whitepaper_downloaded'::text, '20'::integer)) AS written ("event_name", "mql_score")) AS printed GROUP BY c0, c1;

SELECT c0, c1, sum(w)::text AS w FROM (
SELECT "user_id"::text AS c0, "last_activity_at"::text AS c1, 1 AS w FROM (
select user_id, last_activity_at
from "segmentation"."user_activity"
where mz_now() < last_activity_at + interval '30 minutes'
) AS recomputed
UNION ALL
SELECT "user_id"::text AS c0, "last_activity_at"::text AS c1, -1 AS w FROM "segmentation"."active_visitor"
) AS both_sides GROUP BY c0, c1 HAVING sum(w) <> 0;

SELECT c0, c1, sum(w)::text AS w FROM (
SELECT "user_id"::text AS c0, "last_purchase_at"::text AS c1, 1 AS w FROM (
-- Who never bought, bought at the beginning of time: so the rule is one condition on one timestamp, on every engine.
select user_id, last_purchase_at
from "segmentation"."user_activity"
where region = 'California'
    and mz_now() >= coalesce(last_purchase_at, cast('2026-01-01T00:00:00.000Z' as timestamptz)) + interval '30 days'
) AS recomputed
UNION ALL
SELECT "user_id"::text AS c0, "last_purchase_at"::text AS c1, -1 AS w FROM "segmentation"."area_no_buyers"
) AS both_sides GROUP BY c0, c1 HAVING sum(w) <> 0;

SELECT c0, c1, sum(w)::text AS w FROM (
SELECT "user_id"::text AS c0, "segment"::text AS c1, 1 AS w FROM (
select user_id, 'active_visitor' as segment
from "segmentation"."active_visitor"
union all
select user_id, 'area_no_buyers' as segment
from "segmentation"."area_no_buyers"
union all
select user_id, 'mobile_no_recent_activity' as segment
from "segmentation"."mobile_no_recent_activity"
) AS recomputed
UNION ALL
SELECT "user_id"::text AS c0, "segment"::text AS c1, -1 AS w FROM "segmentation"."behavior_memberships"
) AS both_sides GROUP BY c0, c1 HAVING sum(w) <> 0;

SELECT c0, c1, sum(w)::text AS w FROM (
SELECT "user_id"::text AS c0, "segments"::text AS c1, 1 AS w FROM (
select
    user_id,
    jsonb_agg(jsonb_build_object('segment', jsonb_build_object('vendor', vendor, 'name', segment), 'first', first_added_at, 'last', last_event_at, 'member', is_member, 'value', value) order by segment, vendor) as segments
from "segmentation"."segment_memberships"
group by user_id
) AS recomputed
UNION ALL
SELECT "user_id"::text AS c0, "segments"::text AS c1, -1 AS w FROM "segmentation"."user_profiles"
) AS both_sides GROUP BY c0, c1 HAVING sum(w) <> 0;

SELECT coalesce(bool_or(h.hydrated), false) AS ready
FROM mz_internal.mz_hydration_statuses AS h
JOIN mz_catalog.mz_objects AS o ON o.id = h.object_id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'active_visitor' AND d.name = current_database();

SELECT coalesce(bool_or(h.hydrated), false) AS ready
FROM mz_internal.mz_hydration_statuses AS h
JOIN mz_catalog.mz_objects AS o ON o.id = h.object_id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'area_no_buyers' AND d.name = current_database();

SELECT coalesce(bool_or(h.hydrated), false) AS ready
FROM mz_internal.mz_hydration_statuses AS h
JOIN mz_catalog.mz_objects AS o ON o.id = h.object_id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'behavior_memberships' AND d.name = current_database();

SELECT coalesce(bool_or(h.hydrated), false) AS ready
FROM mz_internal.mz_hydration_statuses AS h
JOIN mz_catalog.mz_objects AS o ON o.id = h.object_id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'identities' AND d.name = current_database();

SELECT coalesce(bool_or(h.hydrated), false) AS ready
FROM mz_internal.mz_hydration_statuses AS h
JOIN mz_catalog.mz_objects AS o ON o.id = h.object_id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'mobile_no_recent_activity' AND d.name = current_database();

SELECT coalesce(bool_or(h.hydrated), false) AS ready
FROM mz_internal.mz_hydration_statuses AS h
JOIN mz_catalog.mz_objects AS o ON o.id = h.object_id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'pageview_sessions' AND d.name = current_database();

SELECT coalesce(bool_or(h.hydrated), false) AS ready
FROM mz_internal.mz_hydration_statuses AS h
JOIN mz_catalog.mz_objects AS o ON o.id = h.object_id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'segment_members' AND d.name = current_database();

SELECT coalesce(bool_or(h.hydrated), false) AS ready
FROM mz_internal.mz_hydration_statuses AS h
JOIN mz_catalog.mz_objects AS o ON o.id = h.object_id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'segment_members__seg_00000000' AND d.name = current_database();

SELECT coalesce(bool_or(h.hydrated), false) AS ready
FROM mz_internal.mz_hydration_statuses AS h
JOIN mz_catalog.mz_objects AS o ON o.id = h.object_id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'segment_memberships' AND d.name = current_database();

SELECT coalesce(bool_or(h.hydrated), false) AS ready
FROM mz_internal.mz_hydration_statuses AS h
JOIN mz_catalog.mz_objects AS o ON o.id = h.object_id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'segment_memberships__seg_00000000' AND d.name = current_database();

SELECT coalesce(bool_or(h.hydrated), false) AS ready
FROM mz_internal.mz_hydration_statuses AS h
JOIN mz_catalog.mz_objects AS o ON o.id = h.object_id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'segment_sizes' AND d.name = current_database();

SELECT coalesce(bool_or(h.hydrated), false) AS ready
FROM mz_internal.mz_hydration_statuses AS h
JOIN mz_catalog.mz_objects AS o ON o.id = h.object_id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'segment_sizes__seg_00000000' AND d.name = current_database();

SELECT coalesce(bool_or(h.hydrated), false) AS ready
FROM mz_internal.mz_hydration_statuses AS h
JOIN mz_catalog.mz_objects AS o ON o.id = h.object_id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'segment_toggles' AND d.name = current_database();

SELECT coalesce(bool_or(h.hydrated), false) AS ready
FROM mz_internal.mz_hydration_statuses AS h
JOIN mz_catalog.mz_objects AS o ON o.id = h.object_id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'user_activity' AND d.name = current_database();

SELECT coalesce(bool_or(h.hydrated), false) AS ready
FROM mz_internal.mz_hydration_statuses AS h
JOIN mz_catalog.mz_objects AS o ON o.id = h.object_id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'user_alerts' AND d.name = current_database();

SELECT coalesce(bool_or(h.hydrated), false) AS ready
FROM mz_internal.mz_hydration_statuses AS h
JOIN mz_catalog.mz_objects AS o ON o.id = h.object_id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'user_event_names' AND d.name = current_database();

SELECT coalesce(bool_or(h.hydrated), false) AS ready
FROM mz_internal.mz_hydration_statuses AS h
JOIN mz_catalog.mz_objects AS o ON o.id = h.object_id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'user_events' AND d.name = current_database();

SELECT coalesce(bool_or(h.hydrated), false) AS ready
FROM mz_internal.mz_hydration_statuses AS h
JOIN mz_catalog.mz_objects AS o ON o.id = h.object_id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'user_mql_score' AND d.name = current_database();

SELECT coalesce(bool_or(h.hydrated), false) AS ready
FROM mz_internal.mz_hydration_statuses AS h
JOIN mz_catalog.mz_objects AS o ON o.id = h.object_id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'user_profiles' AND d.name = current_database();

SELECT coalesce(bool_or(h.hydrated), false) AS ready
FROM mz_internal.mz_hydration_statuses AS h
JOIN mz_catalog.mz_objects AS o ON o.id = h.object_id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'user_profiles__seg_00000000' AND d.name = current_database();

SELECT coalesce(bool_or(h.hydrated), false) AS ready
FROM mz_internal.mz_hydration_statuses AS h
JOIN mz_catalog.mz_objects AS o ON o.id = h.object_id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND o.name = 'visitor_sessions' AND d.name = current_database();

SELECT coalesce(bool_or(h.hydrated), false) AS ready
FROM mz_internal.mz_hydration_statuses AS h
JOIN mz_catalog.mz_objects AS o ON o.id = h.object_id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation_dbt_test__audit' AND o.name = 'linked_identities_share_a_user' AND d.name = current_database();

SELECT count(*)::text AS n FROM "segmentation"."active_visitor";

SELECT count(*)::text AS n FROM "segmentation"."area_no_buyers";

SELECT count(*)::text AS n FROM "segmentation"."behavior_memberships";

SELECT count(*)::text AS n FROM "segmentation"."identities";

SELECT count(*)::text AS n FROM "segmentation"."mobile_no_recent_activity";

SELECT count(*)::text AS n FROM "segmentation"."pageview_sessions";

SELECT count(*)::text AS n FROM "segmentation"."segment_members";

SELECT count(*)::text AS n FROM "segmentation"."segment_memberships";

SELECT count(*)::text AS n FROM "segmentation"."segment_sizes";

SELECT count(*)::text AS n FROM "segmentation"."segment_toggles";

SELECT count(*)::text AS n FROM "segmentation"."user_activity";

SELECT count(*)::text AS n FROM "segmentation"."user_alerts";

SELECT count(*)::text AS n FROM "segmentation"."user_event_names";

SELECT count(*)::text AS n FROM "segmentation"."user_events";

SELECT count(*)::text AS n FROM "segmentation"."user_mql_score";

SELECT count(*)::text AS n FROM "segmentation"."user_profiles";

SELECT count(*)::text AS n FROM "segmentation"."visitor_sessions";

SELECT count(*)::text AS n FROM "segmentation_dbt_test__audit"."linked_identities_share_a_user";

SELECT max("position") AS last FROM "segmentation"."activity_events";

SELECT max("position") AS last FROM "segmentation"."pageviews";

SELECT max("position") AS last FROM "segmentation"."segment_events__log";

SELECT max("position") AS last FROM "segmentation"."track_events__log";

SELECT max("version") AS last FROM "_seg"."node";

SELECT o.name AS name, CASE o.type WHEN 'materialized-view' THEN 'materialized_view' ELSE o.type END AS kind
FROM mz_catalog.mz_objects AS o
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = '_seg' AND d.name = current_database() AND o.type <> 'index';

SELECT o.name AS name, CASE o.type WHEN 'materialized-view' THEN 'materialized_view' ELSE o.type END AS kind
FROM mz_catalog.mz_objects AS o
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation' AND d.name = current_database() AND o.type <> 'index';

SELECT o.name AS name, CASE o.type WHEN 'materialized-view' THEN 'materialized_view' ELSE o.type END AS kind
FROM mz_catalog.mz_objects AS o
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = 'segmentation_dbt_test__audit' AND d.name = current_database() AND o.type <> 'index';

SELECT version() AS version;

SET cluster = 'quickstart';

SET search_path = 'segmentation';

select * from (
select * from "segmentation"."segment_sizes"
) as seg_query limit 3;

select * from (
select * from "segmentation"."segment_sizes"
) as seg_query limit 5;

select * from (
select/**/1/**/as/**/one
) as seg_query limit 5;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select "position" as unique_field, count(*) as n_records
from "segmentation"."stg_activity_events"
where "position" is not null
group by "position"
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select "position" as unique_field, count(*) as n_records
from "segmentation"."stg_pageviews"
where "position" is not null
group by "position"
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select "position" as unique_field, count(*) as n_records
from "segmentation"."stg_segment_events"
where "position" is not null
group by "position"
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select "position" as unique_field, count(*) as n_records
from "segmentation"."stg_track_events"
where "position" is not null
group by "position"
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."active_visitor"
where last_activity_at is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."active_visitor"
where user_id is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."area_no_buyers"
where user_id is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."behavior_memberships"
where user_id is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."identities"
where id is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."identities"
where id_type is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."identities"
where user_id is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."mobile_no_recent_activity"
where last_activity_at is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."mobile_no_recent_activity"
where not (page_views >= 10)
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."mobile_no_recent_activity"
where user_id is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."mql_score"
where event_name is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."mql_score"
where mql_score is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."mql_score"
where not (mql_score >= 0)
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."pageview_sessions"
where ended_at is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."pageview_sessions"
where is_open is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."pageview_sessions"
where pageviews is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."pageview_sessions"
where started_at is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."pageview_sessions"
where visitor_id is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_events"
where not (segment <> '')
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_events"
where not (user_id <> '')
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_members"
where first_added_at is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_members"
where last_event_at is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_members"
where segment is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_members"
where user_id is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_members"
where vendor is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_memberships"
where is_member is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_memberships"
where last_event_at is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_memberships"
where not (first_added_at is null or first_added_at <= last_event_at)
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_memberships"
where not (not is_member or first_added_at is not null)
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_memberships"
where segment is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_memberships"
where user_id is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_memberships"
where vendor is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_sizes"
where adds is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_sizes"
where members is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_sizes"
where not (members <= adds)
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_sizes"
where not (members >= 0)
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_sizes"
where removes is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_sizes"
where segment is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_sizes"
where vendor is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_toggles"
where event_at is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_toggles"
where event_id is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_toggles"
where not (remove <> coalesce((previous ->> 'remove')::boolean, false))
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_toggles"
where previous is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_toggles"
where remove is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_toggles"
where segment is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_toggles"
where user_id is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."segment_toggles"
where vendor is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."stg_activity_events"
where "position" is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."stg_activity_events"
where created_at is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."stg_activity_events"
where id is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."stg_activity_events"
where id_type is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."stg_identity_links"
where id is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."stg_identity_links"
where id_type is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."stg_identity_links"
where linked_id is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."stg_identity_links"
where linked_id_type is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."stg_pageviews"
where "position" is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."stg_pageviews"
where viewed_at is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."stg_pageviews"
where visitor_id is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."stg_segment_events"
where "position" is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."stg_segment_events"
where event_at is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."stg_segment_events"
where event_id is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."stg_segment_events"
where not (not (remove and value is not null))
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."stg_segment_events"
where not (vendor >= 1)
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."stg_segment_events"
where payload is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."stg_segment_events"
where remove is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."stg_segment_events"
where segment is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."stg_segment_events"
where user_id is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."stg_segment_events"
where vendor is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."stg_track_events"
where "position" is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."stg_track_events"
where event_id is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."stg_track_events"
where event_name is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."user_activity"
where activities is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."user_activity"
where last_activity_at is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."user_activity"
where page_views is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."user_activity"
where user_id is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."user_alerts"
where alert_condition is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."user_alerts"
where alert_labels is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."user_alerts"
where alert_value is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."user_alerts"
where email is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."user_alerts"
where mql_score is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."user_alerts"
where not (mql_score >= alert_value)
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."user_event_names"
where email is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."user_event_names"
where event_name is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."user_event_names"
where events is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."user_event_names"
where first_position is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."user_events"
where email is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."user_events"
where event_names is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."user_events"
where events is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."user_mql_score"
where email is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."user_mql_score"
where mql_events is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."user_mql_score"
where mql_score is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."user_profiles"
where not (segments is not null and jsonb_array_length(segments) > 0)
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."user_profiles"
where segments is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."user_profiles"
where user_id is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."visitor_sessions"
where ended_at is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."visitor_sessions"
where not (started_at <= ended_at and (pageviews > 1 or started_at = ended_at))
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."visitor_sessions"
where pageviews is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."visitor_sessions"
where started_at is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select *
from "segmentation"."visitor_sessions"
where visitor_id is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select alert_condition, email, count(*) as n_records
from "segmentation"."user_alerts"
group by alert_condition, email
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select child.from_field
from (select email as from_field from "segmentation"."user_alerts" where email is not null) as child
left join (select email as to_field from "segmentation"."user_mql_score") as parent
    on child.from_field = parent.to_field
where parent.to_field is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select child.from_field
from (select event_id as from_field from "segmentation"."segment_toggles" where event_id is not null) as child
left join (select event_id as to_field from "segmentation"."stg_segment_events") as parent
    on child.from_field = parent.to_field
where parent.to_field is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select child.from_field
from (select user_id as from_field from "segmentation"."behavior_memberships" where user_id is not null) as child
left join (select user_id as to_field from "segmentation"."user_activity") as parent
    on child.from_field = parent.to_field
where parent.to_field is null
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select email
from "segmentation"."stg_track_events"
where email <> btrim(email, E' \t\r\n') or email = ''
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select email as unique_field, count(*) as n_records
from "segmentation"."user_events"
where email is not null
group by email
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select email as unique_field, count(*) as n_records
from "segmentation"."user_mql_score"
where email is not null
group by email
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select email, event_name, count(*) as n_records
from "segmentation"."user_event_names"
group by email, event_name
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select event_id as unique_field, count(*) as n_records
from "segmentation"."segment_toggles"
where event_id is not null
group by event_id
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select event_id as unique_field, count(*) as n_records
from "segmentation"."stg_segment_events"
where event_id is not null
group by event_id
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select event_id as unique_field, count(*) as n_records
from "segmentation"."stg_track_events"
where event_id is not null
group by event_id
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select event_name as unique_field, count(*) as n_records
from "segmentation"."mql_score"
where event_name is not null
group by event_name
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select first_position as unique_field, count(*) as n_records
from "segmentation"."user_event_names"
where first_position is not null
group by first_position
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select id
from "segmentation"."stg_activity_events"
where id <> btrim(id, E' \t\r\n') or id = ''
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select id_type
from "segmentation"."stg_activity_events"
where id_type <> btrim(id_type, E' \t\r\n') or id_type = ''
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select id_type, id, count(*) as n_records
from "segmentation"."identities"
group by id_type, id
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select id_type, id, linked_id_type, linked_id, count(*) as n_records
from "segmentation"."stg_identity_links"
group by id_type, id, linked_id_type, linked_id
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select segment
from "segmentation"."stg_segment_events"
where segment <> btrim(segment, E' \t\r\n') or segment = ''
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select user_id
from "segmentation"."stg_segment_events"
where user_id <> btrim(user_id, E' \t\r\n') or user_id = ''
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select user_id as unique_field, count(*) as n_records
from "segmentation"."active_visitor"
where user_id is not null
group by user_id
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select user_id as unique_field, count(*) as n_records
from "segmentation"."area_no_buyers"
where user_id is not null
group by user_id
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select user_id as unique_field, count(*) as n_records
from "segmentation"."mobile_no_recent_activity"
where user_id is not null
group by user_id
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select user_id as unique_field, count(*) as n_records
from "segmentation"."user_activity"
where user_id is not null
group by user_id
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select user_id as unique_field, count(*) as n_records
from "segmentation"."user_profiles"
where user_id is not null
group by user_id
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select user_id, segment, count(*) as n_records
from "segmentation"."behavior_memberships"
group by user_id, segment
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select value_field, n_records
from (
    select activity_type as value_field, count(*) as n_records
    from "segmentation"."stg_activity_events"
    group by activity_type
) as all_values
where value_field not in (
    'page_viewed',
    'page_element_clicked',
    'product_purchased'
)
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select value_field, n_records
from (
    select event as value_field, count(*) as n_records
    from "segmentation"."stg_pageviews"
    group by event
) as all_values
where value_field not in (
    'pageview'
)
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select value_field, n_records
from (
    select segment as value_field, count(*) as n_records
    from "segmentation"."behavior_memberships"
    group by segment
) as all_values
where value_field not in (
    'active_visitor',
    'area_no_buyers',
    'mobile_no_recent_activity'
)
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select vendor, segment, count(*) as n_records
from "segmentation"."segment_sizes"
group by vendor, segment
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select vendor, segment, user_id, count(*) as n_records
from "segmentation"."segment_members"
group by vendor, segment, user_id
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select vendor, segment, user_id, count(*) as n_records
from "segmentation"."segment_memberships"
group by vendor, segment, user_id
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select visitor_id
from "segmentation"."stg_pageviews"
where visitor_id <> btrim(visitor_id, E' \t\r\n') or visitor_id = ''
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select visitor_id, started_at, count(*) as n_records
from "segmentation"."pageview_sessions"
group by visitor_id, started_at
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (

select visitor_id, started_at, count(*) as n_records
from "segmentation"."visitor_sessions"
group by visitor_id, started_at
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (
-- A segment's size is the number of users whose latest arrived event is an add, counted here from the events.
with latest as (

    select distinct on (vendor, segment, user_id) vendor, segment, user_id, remove
    from "segmentation"."stg_segment_events"
    order by vendor, segment, user_id, "position" desc

),

counted as (

    select vendor, segment, count(*) filter (where not remove) as members
    from latest
    group by vendor, segment

)

select
    coalesce(sizes.vendor, counted.vendor) as vendor,
    coalesce(sizes.segment, counted.segment) as segment,
    sizes.members,
    counted.members as counted
from "segmentation"."segment_sizes" as sizes
full join counted on counted.vendor = sizes.vendor and counted.segment = sizes.segment
where sizes.members is distinct from counted.members
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (
-- A user is an active visitor exactly while there is an activity younger than 30 minutes.
select user_id, 'is no active visitor' as problem
from "segmentation"."user_activity"
where mz_now() < last_activity_at + interval '30 minutes'
    and user_id not in (
        select user_id from "segmentation"."behavior_memberships" where segment = 'active_visitor'
    )

union all

select user_id, 'active and long inactive at once' as problem
from "segmentation"."behavior_memberships"
where segment in ('active_visitor', 'mobile_no_recent_activity')
group by user_id
having count(*) > 1
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (
-- Between two sessions of a visitor lies more than the gap, and no pageview is lost or counted twice.

with neighbours as (

    select
        visitor_id,
        started_at,
        lag(ended_at) over (partition by visitor_id order by started_at) as earlier_ended_at
    from "segmentation"."pageview_sessions"

)

select visitor_id, started_at, 'too close to the session before' as problem
from neighbours
where started_at <= earlier_ended_at + interval '5 minutes'

union all

select visitor_id, cast(null as timestamptz) as started_at, 'pageviews do not add up' as problem
from (
    select visitor_id, pageviews from "segmentation"."pageview_sessions"
    union all
    select visitor_id, -1 as pageviews from "segmentation"."stg_pageviews" where event = 'pageview'
) as both_sides
group by visitor_id
having sum(pageviews) <> 0
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (
-- Each user's score, added up here from the raw events instead of the distinct ones.
with done as (

    select distinct email, event_name
    from "segmentation"."stg_track_events"
    where email is not null

),

summed as (

    select done.email, sum(scored.mql_score) as mql_score, count(*) as events
    from done
    inner join "segmentation"."mql_score" as scored on scored.event_name = done.event_name
    group by done.email

)

select coalesce(stored.email, summed.email) as email, stored.mql_score, summed.mql_score as summed
from "segmentation"."user_mql_score" as stored
full join summed on summed.email = stored.email
where stored.mql_score is distinct from summed.mql_score
    or jsonb_array_length(stored.mql_events) is distinct from summed.events
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (
-- Fails when somebody's links are more steps long than the project var `identity_hops`: raise it. The failing rows are
-- kept as a view, so that it can be watched.


select
    links.id_type,
    links.id,
    links.linked_id_type,
    links.linked_id,
    one.user_id,
    other.user_id as linked_user_id
from "segmentation"."stg_identity_links" as links
left join "segmentation"."identities" as one on one.id_type = links.id_type and one.id = links.id
left join "segmentation"."identities" as other
    on other.id_type = links.linked_id_type and other.id = links.linked_id
where one.user_id is distinct from other.user_id
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (
-- For one vendor, segment and user, two toggles that follow each other never have the same status: whoever left, left
-- after having been in. Toggles are compared in the order of their events' arrival.
with ordered as (

    select
        toggles.event_id,
        toggles.remove,
        lag(toggles.remove) over (
            partition by toggles.vendor, toggles.segment, toggles.user_id order by events."position"
        ) as earlier
    from "segmentation"."segment_toggles" as toggles
    inner join "segmentation"."stg_segment_events" as events on events.event_id = toggles.event_id

)

select event_id, remove
from ordered
where remove = earlier
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (
-- Unfolding the profiles gives the memberships again. Each side counts, because not every engine knows EXCEPT ALL, and the
-- elements are unfolded in the select list, because not every engine knows LATERAL with a function.
with elements as (

    select user_id, jsonb_array_elements(segments) as element
    from "segmentation"."user_profiles"

),

both_sides as (

    select
        user_id,
        (element -> 'segment' ->> 'vendor')::integer as vendor,
        element -> 'segment' ->> 'name' as segment,
        (element ->> 'member')::boolean as is_member,
        element ->> 'value' as value,
        1 as weight
    from elements

    union all

    select user_id, vendor, segment, is_member, value, -1 as weight
    from "segmentation"."segment_memberships"

)

select user_id, vendor, segment, is_member, value, sum(weight) as weight
from both_sides
group by user_id, vendor, segment, is_member, value
having sum(weight) <> 0
) dbt_internal_test;

select count(*) as failures, count(*) != 0 as should_warn, count(*) != 0 as should_error
from (
select * from "segmentation_dbt_test__audit"."linked_identities_share_a_user"
) dbt_internal_test;

select version() as version;
