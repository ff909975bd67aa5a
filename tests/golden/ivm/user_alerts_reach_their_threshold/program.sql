== when "segmentation"."track_events" changes

-- step 3: test "user_alerts_reach_their_threshold", after a change by step 2
WITH "_seg_sum" AS MATERIALIZED (
  SELECT "alert_condition", "email", "alert_labels", "alert_value", "mql_score", sum("_seg_w")::integer AS "_seg_w" FROM (
    SELECT _s1."alert_condition" AS "alert_condition", _s1."email" AS "email", _s1."alert_labels" AS "alert_labels", _s1."alert_value" AS "alert_value", _s1."mql_score" AS "mql_score", _s1."_seg_w" AS "_seg_w" FROM (SELECT "alert_condition", "email", "alert_labels", "alert_value", "mql_score", 1 AS "_seg_w" FROM unnest(_seg_n2) UNION ALL SELECT "alert_condition", "email", "alert_labels", "alert_value", "mql_score", -1 AS "_seg_w" FROM unnest(_seg_o2)) AS _s1 WHERE (NOT (_s1."mql_score" >= _s1."alert_value"))
  ) AS "_seg_terms" GROUP BY "alert_condition", "email", "alert_labels", "alert_value", "mql_score" HAVING sum("_seg_w") <> 0
),
"_seg_delta" AS MATERIALIZED (
  SELECT "_seg_s"."alert_condition", "_seg_s"."email", "_seg_s"."alert_labels", "_seg_s"."alert_value", "_seg_s"."mql_score", "_seg_s"."_seg_w", CASE WHEN "_seg_s"."_seg_w" < 0 THEN ARRAY(
    SELECT "_seg_t".ctid FROM "_seg"."segmentation_dbt_test__audit.user_alerts_reach_their_threshold" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."alert_condition", "_seg_t"."email", "_seg_t"."alert_labels", "_seg_t"."alert_value", "_seg_t"."mql_score"), 0) = hash_record_extended(ROW("_seg_s"."alert_condition", "_seg_s"."email", "_seg_s"."alert_labels", "_seg_s"."alert_value", "_seg_s"."mql_score"), 0) AND "_seg_t"."alert_condition" IS NOT DISTINCT FROM "_seg_s"."alert_condition" AND "_seg_t"."email" IS NOT DISTINCT FROM "_seg_s"."email" AND "_seg_t"."alert_labels" IS NOT DISTINCT FROM "_seg_s"."alert_labels" AND "_seg_t"."alert_value" IS NOT DISTINCT FROM "_seg_s"."alert_value" AND "_seg_t"."mql_score" IS NOT DISTINCT FROM "_seg_s"."mql_score"
    LIMIT -"_seg_s"."_seg_w") END AS "_seg_at"
  FROM "_seg_sum" AS "_seg_s"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation_dbt_test__audit.user_alerts_reach_their_threshold" WHERE ctid = ANY (ARRAY(
    SELECT unnest("_seg_at"[1:-"_seg_w"]) FROM "_seg_delta" WHERE "_seg_w" < 0))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation_dbt_test__audit.user_alerts_reach_their_threshold" ("alert_condition", "email", "alert_labels", "alert_value", "mql_score")
  SELECT "_seg_d"."alert_condition", "_seg_d"."email", "_seg_d"."alert_labels", "_seg_d"."alert_value", "_seg_d"."mql_score" FROM "_seg_delta" AS "_seg_d", generate_series(1, "_seg_d"."_seg_w") WHERE "_seg_d"."_seg_w" > 0
)
SELECT count(*) FROM "_seg_delta"

== when "segmentation"."mql_score" changes

-- step 2: test "user_alerts_reach_their_threshold", after a change by step 1
WITH "_seg_sum" AS MATERIALIZED (
  SELECT "alert_condition", "email", "alert_labels", "alert_value", "mql_score", sum("_seg_w")::integer AS "_seg_w" FROM (
    SELECT _s1."alert_condition" AS "alert_condition", _s1."email" AS "email", _s1."alert_labels" AS "alert_labels", _s1."alert_value" AS "alert_value", _s1."mql_score" AS "mql_score", _s1."_seg_w" AS "_seg_w" FROM (SELECT "alert_condition", "email", "alert_labels", "alert_value", "mql_score", 1 AS "_seg_w" FROM unnest(_seg_n1) UNION ALL SELECT "alert_condition", "email", "alert_labels", "alert_value", "mql_score", -1 AS "_seg_w" FROM unnest(_seg_o1)) AS _s1 WHERE (NOT (_s1."mql_score" >= _s1."alert_value"))
  ) AS "_seg_terms" GROUP BY "alert_condition", "email", "alert_labels", "alert_value", "mql_score" HAVING sum("_seg_w") <> 0
),
"_seg_delta" AS MATERIALIZED (
  SELECT "_seg_s"."alert_condition", "_seg_s"."email", "_seg_s"."alert_labels", "_seg_s"."alert_value", "_seg_s"."mql_score", "_seg_s"."_seg_w", CASE WHEN "_seg_s"."_seg_w" < 0 THEN ARRAY(
    SELECT "_seg_t".ctid FROM "_seg"."segmentation_dbt_test__audit.user_alerts_reach_their_threshold" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."alert_condition", "_seg_t"."email", "_seg_t"."alert_labels", "_seg_t"."alert_value", "_seg_t"."mql_score"), 0) = hash_record_extended(ROW("_seg_s"."alert_condition", "_seg_s"."email", "_seg_s"."alert_labels", "_seg_s"."alert_value", "_seg_s"."mql_score"), 0) AND "_seg_t"."alert_condition" IS NOT DISTINCT FROM "_seg_s"."alert_condition" AND "_seg_t"."email" IS NOT DISTINCT FROM "_seg_s"."email" AND "_seg_t"."alert_labels" IS NOT DISTINCT FROM "_seg_s"."alert_labels" AND "_seg_t"."alert_value" IS NOT DISTINCT FROM "_seg_s"."alert_value" AND "_seg_t"."mql_score" IS NOT DISTINCT FROM "_seg_s"."mql_score"
    LIMIT -"_seg_s"."_seg_w") END AS "_seg_at"
  FROM "_seg_sum" AS "_seg_s"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation_dbt_test__audit.user_alerts_reach_their_threshold" WHERE ctid = ANY (ARRAY(
    SELECT unnest("_seg_at"[1:-"_seg_w"]) FROM "_seg_delta" WHERE "_seg_w" < 0))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation_dbt_test__audit.user_alerts_reach_their_threshold" ("alert_condition", "email", "alert_labels", "alert_value", "mql_score")
  SELECT "_seg_d"."alert_condition", "_seg_d"."email", "_seg_d"."alert_labels", "_seg_d"."alert_value", "_seg_d"."mql_score" FROM "_seg_delta" AS "_seg_d", generate_series(1, "_seg_d"."_seg_w") WHERE "_seg_d"."_seg_w" > 0
)
SELECT count(*) FROM "_seg_delta"
