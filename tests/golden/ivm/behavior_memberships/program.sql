== when "segmentation"."identity_links" changes

-- step 10: model "behavior_memberships", after a change by step 7 or 8 or 9
WITH "_seg_sum" AS MATERIALIZED (
  SELECT "user_id", "segment", sum("_seg_w")::integer AS "_seg_w" FROM (
    SELECT _s1."user_id" AS "user_id", ('active_visitor')::"text" AS "segment", _s1."_seg_w" AS "_seg_w" FROM (SELECT "user_id", 1 AS "_seg_w" FROM unnest(_seg_n7) UNION ALL SELECT "user_id", -1 AS "_seg_w" FROM unnest(_seg_o7)) AS _s1
    UNION ALL
    SELECT _s1."user_id" AS "user_id", ('area_no_buyers')::"text" AS "segment", _s1."_seg_w" AS "_seg_w" FROM (SELECT "user_id", 1 AS "_seg_w" FROM unnest(_seg_n8) UNION ALL SELECT "user_id", -1 AS "_seg_w" FROM unnest(_seg_o8)) AS _s1
    UNION ALL
    SELECT _s1."user_id" AS "user_id", ('mobile_no_recent_activity')::"text" AS "segment", _s1."_seg_w" AS "_seg_w" FROM (SELECT "user_id", 1 AS "_seg_w" FROM unnest(_seg_n9) UNION ALL SELECT "user_id", -1 AS "_seg_w" FROM unnest(_seg_o9)) AS _s1
  ) AS "_seg_terms" GROUP BY "user_id", "segment" HAVING sum("_seg_w") <> 0
),
"_seg_delta" AS MATERIALIZED (
  SELECT "_seg_s"."user_id", "_seg_s"."segment", "_seg_s"."_seg_w", CASE WHEN "_seg_s"."_seg_w" < 0 THEN ARRAY(
    SELECT "_seg_t".ctid FROM "_seg"."segmentation.behavior_memberships" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."user_id", "_seg_t"."segment"), 0) = hash_record_extended(ROW("_seg_s"."user_id", "_seg_s"."segment"), 0) AND "_seg_t"."user_id" IS NOT DISTINCT FROM "_seg_s"."user_id" AND "_seg_t"."segment" IS NOT DISTINCT FROM "_seg_s"."segment"
    LIMIT -"_seg_s"."_seg_w") END AS "_seg_at"
  FROM "_seg_sum" AS "_seg_s"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.behavior_memberships" WHERE ctid = ANY (ARRAY(
    SELECT unnest("_seg_at"[1:-"_seg_w"]) FROM "_seg_delta" WHERE "_seg_w" < 0))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.behavior_memberships" ("user_id", "segment")
  SELECT "_seg_d"."user_id", "_seg_d"."segment" FROM "_seg_delta" AS "_seg_d", generate_series(1, "_seg_d"."_seg_w") WHERE "_seg_d"."_seg_w" > 0
),
"_seg_logged" AS (
  INSERT INTO "_seg"."changelog" (epoch, node, weight, "row")
  SELECT _seg_epoch, 29, "_seg_w", "row" FROM (SELECT "_seg_d"."_seg_w", jsonb_build_object('user_id', "_seg_d"."user_id", 'segment', "_seg_d"."segment") AS "row" FROM "_seg_delta" AS "_seg_d") AS "_seg_v"
)
SELECT count(*) FROM "_seg_delta"

== when "segmentation"."activity_events" changes

-- step 11: model "behavior_memberships", after a change by step 8 or 9 or 10
WITH "_seg_sum" AS MATERIALIZED (
  SELECT "user_id", "segment", sum("_seg_w")::integer AS "_seg_w" FROM (
    SELECT _s1."user_id" AS "user_id", ('active_visitor')::"text" AS "segment", _s1."_seg_w" AS "_seg_w" FROM (SELECT "user_id", 1 AS "_seg_w" FROM unnest(_seg_n8) UNION ALL SELECT "user_id", -1 AS "_seg_w" FROM unnest(_seg_o8)) AS _s1
    UNION ALL
    SELECT _s1."user_id" AS "user_id", ('area_no_buyers')::"text" AS "segment", _s1."_seg_w" AS "_seg_w" FROM (SELECT "user_id", 1 AS "_seg_w" FROM unnest(_seg_n9) UNION ALL SELECT "user_id", -1 AS "_seg_w" FROM unnest(_seg_o9)) AS _s1
    UNION ALL
    SELECT _s1."user_id" AS "user_id", ('mobile_no_recent_activity')::"text" AS "segment", _s1."_seg_w" AS "_seg_w" FROM (SELECT "user_id", 1 AS "_seg_w" FROM unnest(_seg_n10) UNION ALL SELECT "user_id", -1 AS "_seg_w" FROM unnest(_seg_o10)) AS _s1
  ) AS "_seg_terms" GROUP BY "user_id", "segment" HAVING sum("_seg_w") <> 0
),
"_seg_delta" AS MATERIALIZED (
  SELECT "_seg_s"."user_id", "_seg_s"."segment", "_seg_s"."_seg_w", CASE WHEN "_seg_s"."_seg_w" < 0 THEN ARRAY(
    SELECT "_seg_t".ctid FROM "_seg"."segmentation.behavior_memberships" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."user_id", "_seg_t"."segment"), 0) = hash_record_extended(ROW("_seg_s"."user_id", "_seg_s"."segment"), 0) AND "_seg_t"."user_id" IS NOT DISTINCT FROM "_seg_s"."user_id" AND "_seg_t"."segment" IS NOT DISTINCT FROM "_seg_s"."segment"
    LIMIT -"_seg_s"."_seg_w") END AS "_seg_at"
  FROM "_seg_sum" AS "_seg_s"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.behavior_memberships" WHERE ctid = ANY (ARRAY(
    SELECT unnest("_seg_at"[1:-"_seg_w"]) FROM "_seg_delta" WHERE "_seg_w" < 0))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.behavior_memberships" ("user_id", "segment")
  SELECT "_seg_d"."user_id", "_seg_d"."segment" FROM "_seg_delta" AS "_seg_d", generate_series(1, "_seg_d"."_seg_w") WHERE "_seg_d"."_seg_w" > 0
),
"_seg_logged" AS (
  INSERT INTO "_seg"."changelog" (epoch, node, weight, "row")
  SELECT _seg_epoch, 29, "_seg_w", "row" FROM (SELECT "_seg_d"."_seg_w", jsonb_build_object('user_id', "_seg_d"."user_id", 'segment', "_seg_d"."segment") AS "row" FROM "_seg_delta" AS "_seg_d") AS "_seg_v"
)
SELECT count(*) FROM "_seg_delta"

== when the clock changes

-- step 3: model "behavior_memberships", after a change by step 0 or 1 or 2
WITH "_seg_sum" AS MATERIALIZED (
  SELECT "user_id", "segment", sum("_seg_w")::integer AS "_seg_w" FROM (
    SELECT _s1."user_id" AS "user_id", ('active_visitor')::"text" AS "segment", _s1."_seg_w" AS "_seg_w" FROM (SELECT "user_id", 1 AS "_seg_w" FROM unnest(_seg_n0) UNION ALL SELECT "user_id", -1 AS "_seg_w" FROM unnest(_seg_o0)) AS _s1
    UNION ALL
    SELECT _s1."user_id" AS "user_id", ('area_no_buyers')::"text" AS "segment", _s1."_seg_w" AS "_seg_w" FROM (SELECT "user_id", 1 AS "_seg_w" FROM unnest(_seg_n1) UNION ALL SELECT "user_id", -1 AS "_seg_w" FROM unnest(_seg_o1)) AS _s1
    UNION ALL
    SELECT _s1."user_id" AS "user_id", ('mobile_no_recent_activity')::"text" AS "segment", _s1."_seg_w" AS "_seg_w" FROM (SELECT "user_id", 1 AS "_seg_w" FROM unnest(_seg_n2) UNION ALL SELECT "user_id", -1 AS "_seg_w" FROM unnest(_seg_o2)) AS _s1
  ) AS "_seg_terms" GROUP BY "user_id", "segment" HAVING sum("_seg_w") <> 0
),
"_seg_delta" AS MATERIALIZED (
  SELECT "_seg_s"."user_id", "_seg_s"."segment", "_seg_s"."_seg_w", CASE WHEN "_seg_s"."_seg_w" < 0 THEN ARRAY(
    SELECT "_seg_t".ctid FROM "_seg"."segmentation.behavior_memberships" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."user_id", "_seg_t"."segment"), 0) = hash_record_extended(ROW("_seg_s"."user_id", "_seg_s"."segment"), 0) AND "_seg_t"."user_id" IS NOT DISTINCT FROM "_seg_s"."user_id" AND "_seg_t"."segment" IS NOT DISTINCT FROM "_seg_s"."segment"
    LIMIT -"_seg_s"."_seg_w") END AS "_seg_at"
  FROM "_seg_sum" AS "_seg_s"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.behavior_memberships" WHERE ctid = ANY (ARRAY(
    SELECT unnest("_seg_at"[1:-"_seg_w"]) FROM "_seg_delta" WHERE "_seg_w" < 0))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.behavior_memberships" ("user_id", "segment")
  SELECT "_seg_d"."user_id", "_seg_d"."segment" FROM "_seg_delta" AS "_seg_d", generate_series(1, "_seg_d"."_seg_w") WHERE "_seg_d"."_seg_w" > 0
),
"_seg_logged" AS (
  INSERT INTO "_seg"."changelog" (epoch, node, weight, "row")
  SELECT _seg_epoch, 29, "_seg_w", "row" FROM (SELECT "_seg_d"."_seg_w", jsonb_build_object('user_id', "_seg_d"."user_id", 'segment', "_seg_d"."segment") AS "row" FROM "_seg_delta" AS "_seg_d") AS "_seg_v"
)
SELECT count(*) FROM "_seg_delta"
