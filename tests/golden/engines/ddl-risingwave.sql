CREATE TABLE "segmentation"."activity_events" (
  "position" bigint,
  "id" varchar,
  "id_type" varchar,
  "region" varchar,
  "device_type" varchar,
  "country" varchar,
  "created_at" timestamptz,
  "activity_type" varchar,
  "url" varchar,
  "order_total" varchar,
  "order_id" varchar,
  "element_id" varchar
);

CREATE TABLE "segmentation"."identity_links" (
  "id_type" varchar,
  "id" varchar,
  "linked_id_type" varchar,
  "linked_id" varchar,
  PRIMARY KEY ("id_type", "id", "linked_id_type", "linked_id")
) ON CONFLICT DO NOTHING;

CREATE TABLE "segmentation"."segment_events" (
  "position" bigint,
  "event_id" varchar,
  "event_at" timestamptz,
  "user_id" varchar,
  "vendor" integer,
  "segment" varchar,
  "value" varchar,
  "remove" boolean,
  "payload" jsonb,
  PRIMARY KEY ("event_id")
) ON CONFLICT DO NOTHING;

CREATE TABLE "segmentation"."track_events" (
  "position" bigint,
  "message_id" varchar,
  "event" varchar,
  "user_id" varchar,
  "anonymous_id" varchar,
  "traits_email" varchar,
  "properties_email" varchar,
  "properties" jsonb,
  "event_at" timestamptz,
  "received_at" timestamptz,
  PRIMARY KEY ("message_id")
) ON CONFLICT DO NOTHING;

CREATE TABLE "segmentation"."pageviews" (
  "position" bigint,
  "visitor_id" varchar,
  "viewed_at" timestamptz,
  "event" varchar,
  "url" varchar
);

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
        case when regexp_match(btrim(order_total), '^[+-]?[0-9]+(\.[0-9]+)?$') is not null then btrim(order_total)::numeric end as order_total,
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

CREATE MATERIALIZED VIEW "segmentation"."identities" AS
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

CREATE MATERIALIZED VIEW "segmentation"."user_activity" AS
select
    identities.user_id,
    count(*) as activities,
    count(*) filter (where events.activity_type = 'page_viewed') as page_views,
    max(events.created_at) as last_activity_at,
    max(events.created_at) filter (where events.activity_type = 'product_purchased') as last_purchase_at,
    first_value(events.region order by events.created_at desc, events."position" desc) filter (where events.region is not null) as region,
    first_value(events.device_type order by events.created_at desc, events."position" desc) filter (where events.device_type is not null) as device_type
from "segmentation"."stg_activity_events" as events
inner join "segmentation"."identities" as identities
    on identities.id_type = events.id_type and identities.id = events.id
group by identities.user_id;

CREATE MATERIALIZED VIEW "segmentation"."active_visitor" AS
select user_id, last_activity_at
from "segmentation"."user_activity"
where last_activity_at > now() - interval '30 minutes';

CREATE MATERIALIZED VIEW "segmentation"."area_no_buyers" AS
-- Who never bought, bought at the beginning of time: so the rule is one condition on one timestamp, on every engine.
select user_id, last_purchase_at
from "segmentation"."user_activity"
where region = 'California'
    and coalesce(last_purchase_at, cast('1970-01-01 00:00:00+00' as timestamptz)) <= now() - interval '30 days';

CREATE MATERIALIZED VIEW "segmentation"."mobile_no_recent_activity" AS
select user_id, page_views, last_activity_at
from "segmentation"."user_activity"
where device_type = 'mobile'
    and page_views >= 10
    and last_activity_at <= now() - interval '7 days';

CREATE MATERIALIZED VIEW "segmentation"."behavior_memberships" AS
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

CREATE MATERIALIZED VIEW "segmentation"."segment_memberships" AS
-- The latest arrived event is an add when the last position of all events is the last position of an add. This form,
-- rather than a comparison of two ordered arrays, is two maxima that can be merged.
select
    vendor,
    segment,
    user_id,
    min(event_at) filter (where not remove) as first_added_at,
    max(event_at) as last_event_at,
    coalesce(max("position") filter (where not remove) = max("position"), false) as is_member,
    first_value(value order by "position" desc) filter (where value is not null) as value
from "segmentation"."stg_segment_events"
group by vendor, segment, user_id;

CREATE MATERIALIZED VIEW "segmentation"."segment_members" AS
select
    vendor,
    segment,
    user_id,
    first_added_at,
    last_event_at,
    value
from "segmentation"."segment_memberships"
where is_member;

CREATE MATERIALIZED VIEW "segmentation"."segment_sizes" AS
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

CREATE MATERIALIZED VIEW "segmentation"."user_event_names" AS
select
    email,
    event_name,
    min("position") as first_position,
    count(*) as events,
    max(received_at) as last_event_received_at
from "segmentation"."stg_track_events"
where email is not null and event_name is not null
group by email, event_name;

CREATE TABLE "segmentation"."mql_score" (
  "event_name" varchar,
  "mql_score" integer,
  PRIMARY KEY ("event_name")
) ON CONFLICT OVERWRITE;

CREATE MATERIALIZED VIEW "segmentation"."user_mql_score" AS
select
    done.email,
    sum(scored.mql_score) as mql_score,
    jsonb_agg(done.event_name order by done.first_position) as mql_events,
    max(done.last_event_received_at) as last_event_received_at
from "segmentation"."user_event_names" as done
inner join "segmentation"."mql_score" as scored on scored.event_name = done.event_name
group by done.email;

CREATE MATERIALIZED VIEW "segmentation"."user_alerts" AS

select
    'mql_threshold_20' as alert_condition,
    email,
    jsonb_build_object('email', email) as alert_labels,
    20 as alert_value,
    mql_score
from "segmentation"."user_mql_score"
where mql_score >= 20;

CREATE MATERIALIZED VIEW "segmentation"."user_events" AS
select
    email,
    jsonb_agg(event_name order by first_position) as event_names,
    sum(events)::bigint as events,
    max(last_event_received_at) as last_event_received_at
from "segmentation"."user_event_names"
group by email;

CREATE MATERIALIZED VIEW "segmentation"."user_profiles" AS
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

CREATE MATERIALIZED VIEW "segmentation"."visitor_sessions" AS
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

CREATE MATERIALIZED VIEW "segmentation"."pageview_sessions" AS
-- Open and closed sessions apart, because the streaming engines know the time in WHERE only.
select visitor_id, started_at, ended_at, pageviews, true as is_open
from "segmentation"."visitor_sessions"
where ended_at >= now() - interval '5 minutes'

union all

select visitor_id, started_at, ended_at, pageviews, false as is_open
from "segmentation"."visitor_sessions"
where ended_at < now() - interval '5 minutes';

CREATE MATERIALIZED VIEW "segmentation"."segment_toggles" AS
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

CREATE MATERIALIZED VIEW "segmentation_dbt_test__audit"."linked_identities_share_a_user" AS
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

CREATE MATERIALIZED VIEW "segmentation_dbt_test__audit"."user_alerts_reach_their_threshold" AS

select *
from "segmentation"."user_alerts"
where not (mql_score >= alert_value);
