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

CREATE TABLE "segmentation"."identity_links__log" (
  "id_type" text,
  "id" text,
  "linked_id_type" text,
  "linked_id" text,
  "_seg_position" bigint NOT NULL
);

CREATE MATERIALIZED VIEW "segmentation"."identity_links" WITH (RETAIN HISTORY FOR '1h') AS
SELECT DISTINCT ON ("id_type", "id", "linked_id_type", "linked_id") "id_type", "id", "linked_id_type", "linked_id"
FROM "segmentation"."identity_links__log" ORDER BY "id_type", "id", "linked_id_type", "linked_id", "_seg_position";

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

CREATE MATERIALIZED VIEW "segmentation"."segment_events" WITH (RETAIN HISTORY FOR '1h') AS
SELECT DISTINCT ON ("event_id") "position", "event_id", "event_at", "user_id", "vendor", "segment", "value", "remove", "payload"
FROM "segmentation"."segment_events__log" ORDER BY "event_id", "_seg_position";

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

CREATE MATERIALIZED VIEW "segmentation"."track_events" WITH (RETAIN HISTORY FOR '1h') AS
SELECT DISTINCT ON ("message_id") "position", "message_id", "event", "user_id", "anonymous_id", "traits_email", "properties_email", "properties", "event_at", "received_at"
FROM "segmentation"."track_events__log" ORDER BY "message_id", "_seg_position";

CREATE TABLE "segmentation"."pageviews" (
  "position" bigint,
  "visitor_id" text NOT NULL,
  "viewed_at" timestamptz NOT NULL,
  "event" text,
  "url" text
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

CREATE MATERIALIZED VIEW "segmentation"."identities" WITH (RETAIN HISTORY FOR '1h') AS
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

CREATE MATERIALIZED VIEW "segmentation"."user_activity" WITH (RETAIN HISTORY FOR '1h') AS
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

CREATE MATERIALIZED VIEW "segmentation"."active_visitor" WITH (RETAIN HISTORY FOR '1h') AS
select user_id, last_activity_at
from "segmentation"."user_activity"
where mz_now() < last_activity_at + interval '30 minutes';

CREATE MATERIALIZED VIEW "segmentation"."area_no_buyers" WITH (RETAIN HISTORY FOR '1h') AS
-- Who never bought, bought at the beginning of time: so the rule is one condition on one timestamp, on every engine.
select user_id, last_purchase_at
from "segmentation"."user_activity"
where region = 'California'
    and mz_now() >= coalesce(last_purchase_at, cast('1970-01-01 00:00:00+00' as timestamptz)) + interval '30 days';

CREATE MATERIALIZED VIEW "segmentation"."mobile_no_recent_activity" WITH (RETAIN HISTORY FOR '1h') AS
select user_id, page_views, last_activity_at
from "segmentation"."user_activity"
where device_type = 'mobile'
    and page_views >= 10
    and mz_now() >= last_activity_at + interval '7 days';

CREATE MATERIALIZED VIEW "segmentation"."behavior_memberships" WITH (RETAIN HISTORY FOR '1h') AS
select user_id, 'active_visitor' as segment
from "segmentation"."active_visitor"
union all
select user_id, 'area_no_buyers' as segment
from "segmentation"."area_no_buyers"
union all
select user_id, 'mobile_no_recent_activity' as segment
from "segmentation"."mobile_no_recent_activity";

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

CREATE MATERIALIZED VIEW "segmentation"."segment_memberships" WITH (RETAIN HISTORY FOR '1h') AS
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

CREATE MATERIALIZED VIEW "segmentation"."segment_members" WITH (RETAIN HISTORY FOR '1h') AS
select
    vendor,
    segment,
    user_id,
    first_added_at,
    last_event_at,
    value
from "segmentation"."segment_memberships"
where is_member;

CREATE MATERIALIZED VIEW "segmentation"."segment_sizes" WITH (RETAIN HISTORY FOR '1h') AS
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

CREATE MATERIALIZED VIEW "segmentation"."user_event_names" WITH (RETAIN HISTORY FOR '1h') AS
select
    email,
    event_name,
    min("position") as first_position,
    count(*) as events,
    max(received_at) as last_event_received_at
from "segmentation"."stg_track_events"
where email is not null and event_name is not null
group by email, event_name;

CREATE TABLE "segmentation"."mql_score__log" (
  "event_name" text,
  "mql_score" integer,
  "_seg_position" bigint NOT NULL
);

CREATE MATERIALIZED VIEW "segmentation"."mql_score" WITH (RETAIN HISTORY FOR '1h') AS
SELECT DISTINCT ON ("event_name") "event_name", "mql_score"
FROM "segmentation"."mql_score__log" ORDER BY "event_name", "_seg_position" DESC;

CREATE MATERIALIZED VIEW "segmentation"."user_mql_score" WITH (RETAIN HISTORY FOR '1h') AS
select
    done.email,
    sum(scored.mql_score) as mql_score,
    jsonb_agg(done.event_name order by done.first_position) as mql_events,
    max(done.last_event_received_at) as last_event_received_at
from "segmentation"."user_event_names" as done
inner join "segmentation"."mql_score" as scored on scored.event_name = done.event_name
group by done.email;

CREATE MATERIALIZED VIEW "segmentation"."user_alerts" WITH (RETAIN HISTORY FOR '1h') AS

select
    'mql_threshold_20' as alert_condition,
    email,
    jsonb_build_object('email', email) as alert_labels,
    20 as alert_value,
    mql_score
from "segmentation"."user_mql_score"
where mql_score >= 20;

CREATE MATERIALIZED VIEW "segmentation"."user_events" WITH (RETAIN HISTORY FOR '1h') AS
select
    email,
    jsonb_agg(event_name order by first_position) as event_names,
    sum(events)::bigint as events,
    max(last_event_received_at) as last_event_received_at
from "segmentation"."user_event_names"
group by email;

CREATE MATERIALIZED VIEW "segmentation"."user_profiles" WITH (RETAIN HISTORY FOR '1h') AS
select
    user_id,
    jsonb_agg(jsonb_build_object('segment', jsonb_build_object('vendor', vendor, 'name', segment), 'first', first_added_at, 'last', last_event_at, 'member', is_member, 'value', value) order by segment, vendor) as segments
from "segmentation"."segment_memberships"
group by user_id;

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

CREATE MATERIALIZED VIEW "segmentation"."visitor_sessions" WITH (RETAIN HISTORY FOR '1h') AS
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

CREATE MATERIALIZED VIEW "segmentation"."pageview_sessions" WITH (RETAIN HISTORY FOR '1h') AS
-- Open and closed sessions apart, because the streaming engines know the time in WHERE only.
select visitor_id, started_at, ended_at, pageviews, true as is_open
from "segmentation"."visitor_sessions"
where mz_now() <= ended_at + interval '5 minutes'

union all

select visitor_id, started_at, ended_at, pageviews, false as is_open
from "segmentation"."visitor_sessions"
where mz_now() > ended_at + interval '5 minutes';

CREATE MATERIALIZED VIEW "segmentation"."segment_toggles" WITH (RETAIN HISTORY FOR '1h') AS
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

CREATE MATERIALIZED VIEW "segmentation_dbt_test__audit"."linked_identities_share_a_user" WITH (RETAIN HISTORY FOR '1h') AS
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

CREATE MATERIALIZED VIEW "segmentation_dbt_test__audit"."user_alerts_reach_their_threshold" WITH (RETAIN HISTORY FOR '1h') AS

select *
from "segmentation"."user_alerts"
where not (mql_score >= alert_value);
