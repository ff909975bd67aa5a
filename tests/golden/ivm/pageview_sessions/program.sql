== when "segmentation"."pageviews" changes

-- step 2: model "pageview_sessions", after a change by step 1
WITH "_seg_sum" AS MATERIALIZED (
  SELECT "visitor_id", "started_at", "ended_at", "pageviews", "is_open", sum("_seg_w")::integer AS "_seg_w" FROM (
    SELECT _s1."visitor_id" AS "visitor_id", _s1."started_at" AS "started_at", _s1."ended_at" AS "ended_at", _s1."pageviews" AS "pageviews", true AS "is_open", _s1."_seg_w" AS "_seg_w" FROM (SELECT "visitor_id", "started_at", "ended_at", "pageviews", 1 AS "_seg_w" FROM unnest(_seg_n1) UNION ALL SELECT "visitor_id", "started_at", "ended_at", "pageviews", -1 AS "_seg_w" FROM unnest(_seg_o1)) AS _s1 WHERE (_s1."ended_at" >= ((SELECT "now" FROM "_seg"."clock") - ('00:05:00')::"pg_catalog"."interval"))
    UNION ALL
    SELECT _s1."visitor_id" AS "visitor_id", _s1."started_at" AS "started_at", _s1."ended_at" AS "ended_at", _s1."pageviews" AS "pageviews", false AS "is_open", _s1."_seg_w" AS "_seg_w" FROM (SELECT "visitor_id", "started_at", "ended_at", "pageviews", 1 AS "_seg_w" FROM unnest(_seg_n1) UNION ALL SELECT "visitor_id", "started_at", "ended_at", "pageviews", -1 AS "_seg_w" FROM unnest(_seg_o1)) AS _s1 WHERE (_s1."ended_at" < ((SELECT "now" FROM "_seg"."clock") - ('00:05:00')::"pg_catalog"."interval"))
  ) AS "_seg_terms" GROUP BY "visitor_id", "started_at", "ended_at", "pageviews", "is_open" HAVING sum("_seg_w") <> 0
),
"_seg_delta" AS MATERIALIZED (
  SELECT "_seg_s"."visitor_id", "_seg_s"."started_at", "_seg_s"."ended_at", "_seg_s"."pageviews", "_seg_s"."is_open", "_seg_s"."_seg_w", CASE WHEN "_seg_s"."_seg_w" < 0 THEN ARRAY(
    SELECT "_seg_t".ctid FROM "_seg"."segmentation.pageview_sessions" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."visitor_id", "_seg_t"."started_at", "_seg_t"."ended_at", "_seg_t"."pageviews", "_seg_t"."is_open"), 0) = hash_record_extended(ROW("_seg_s"."visitor_id", "_seg_s"."started_at", "_seg_s"."ended_at", "_seg_s"."pageviews", "_seg_s"."is_open"), 0) AND "_seg_t"."visitor_id" IS NOT DISTINCT FROM "_seg_s"."visitor_id" AND "_seg_t"."started_at" IS NOT DISTINCT FROM "_seg_s"."started_at" AND "_seg_t"."ended_at" IS NOT DISTINCT FROM "_seg_s"."ended_at" AND "_seg_t"."pageviews" IS NOT DISTINCT FROM "_seg_s"."pageviews" AND "_seg_t"."is_open" IS NOT DISTINCT FROM "_seg_s"."is_open"
    LIMIT -"_seg_s"."_seg_w") END AS "_seg_at"
  FROM "_seg_sum" AS "_seg_s"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.pageview_sessions" WHERE ctid = ANY (ARRAY(
    SELECT unnest("_seg_at"[1:-"_seg_w"]) FROM "_seg_delta" WHERE "_seg_w" < 0))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.pageview_sessions" ("visitor_id", "started_at", "ended_at", "pageviews", "is_open")
  SELECT "_seg_d"."visitor_id", "_seg_d"."started_at", "_seg_d"."ended_at", "_seg_d"."pageviews", "_seg_d"."is_open" FROM "_seg_delta" AS "_seg_d", generate_series(1, "_seg_d"."_seg_w") WHERE "_seg_d"."_seg_w" > 0
)
SELECT count(*) FROM "_seg_delta"

== when the clock changes

-- step 0: model "pageview_sessions", always
WITH "_seg_sum" AS MATERIALIZED (
  SELECT "visitor_id", "started_at", "ended_at", "pageviews", "is_open", sum("_seg_w")::integer AS "_seg_w" FROM (
    SELECT _q1."visitor_id_1" AS "visitor_id", _q1."started_at_2" AS "started_at", _q1."ended_at_3" AS "ended_at", _q1."pageviews_4" AS "pageviews", true AS "is_open", _q1."_w_1" AS "_seg_w" FROM (SELECT _s2."visitor_id" AS "visitor_id_1", _s2."started_at" AS "started_at_2", _s2."ended_at" AS "ended_at_3", _s2."pageviews" AS "pageviews_4", 1 AS "_w_1" FROM "_seg"."segmentation.visitor_sessions" AS _s2 WHERE (_s2."ended_at" >= LEAST((_seg_t0 - ('00:05:00')::"pg_catalog"."interval"), (_seg_t1 - ('00:05:00')::"pg_catalog"."interval")) AND _s2."ended_at" <= GREATEST((_seg_t0 - ('00:05:00')::"pg_catalog"."interval"), (_seg_t1 - ('00:05:00')::"pg_catalog"."interval")))) AS _q1 WHERE (_q1."ended_at_3" >= (_seg_t1 - ('00:05:00')::"pg_catalog"."interval"))
    UNION ALL
    SELECT _q1."visitor_id_1" AS "visitor_id", _q1."started_at_2" AS "started_at", _q1."ended_at_3" AS "ended_at", _q1."pageviews_4" AS "pageviews", true AS "is_open", _q1."_w_1" AS "_seg_w" FROM (SELECT _s2."visitor_id" AS "visitor_id_1", _s2."started_at" AS "started_at_2", _s2."ended_at" AS "ended_at_3", _s2."pageviews" AS "pageviews_4", -1 AS "_w_1" FROM "_seg"."segmentation.visitor_sessions" AS _s2 WHERE (_s2."ended_at" >= LEAST((_seg_t0 - ('00:05:00')::"pg_catalog"."interval"), (_seg_t1 - ('00:05:00')::"pg_catalog"."interval")) AND _s2."ended_at" <= GREATEST((_seg_t0 - ('00:05:00')::"pg_catalog"."interval"), (_seg_t1 - ('00:05:00')::"pg_catalog"."interval")))) AS _q1 WHERE (_q1."ended_at_3" >= (_seg_t0 - ('00:05:00')::"pg_catalog"."interval"))
    UNION ALL
    SELECT _q1."visitor_id_10" AS "visitor_id", _q1."started_at_11" AS "started_at", _q1."ended_at_12" AS "ended_at", _q1."pageviews_13" AS "pageviews", false AS "is_open", _q1."_w_2" AS "_seg_w" FROM (SELECT _s2."visitor_id" AS "visitor_id_10", _s2."started_at" AS "started_at_11", _s2."ended_at" AS "ended_at_12", _s2."pageviews" AS "pageviews_13", 1 AS "_w_2" FROM "_seg"."segmentation.visitor_sessions" AS _s2 WHERE (_s2."ended_at" >= LEAST((_seg_t0 - ('00:05:00')::"pg_catalog"."interval"), (_seg_t1 - ('00:05:00')::"pg_catalog"."interval")) AND _s2."ended_at" <= GREATEST((_seg_t0 - ('00:05:00')::"pg_catalog"."interval"), (_seg_t1 - ('00:05:00')::"pg_catalog"."interval")))) AS _q1 WHERE (_q1."ended_at_12" < (_seg_t1 - ('00:05:00')::"pg_catalog"."interval"))
    UNION ALL
    SELECT _q1."visitor_id_10" AS "visitor_id", _q1."started_at_11" AS "started_at", _q1."ended_at_12" AS "ended_at", _q1."pageviews_13" AS "pageviews", false AS "is_open", _q1."_w_2" AS "_seg_w" FROM (SELECT _s2."visitor_id" AS "visitor_id_10", _s2."started_at" AS "started_at_11", _s2."ended_at" AS "ended_at_12", _s2."pageviews" AS "pageviews_13", -1 AS "_w_2" FROM "_seg"."segmentation.visitor_sessions" AS _s2 WHERE (_s2."ended_at" >= LEAST((_seg_t0 - ('00:05:00')::"pg_catalog"."interval"), (_seg_t1 - ('00:05:00')::"pg_catalog"."interval")) AND _s2."ended_at" <= GREATEST((_seg_t0 - ('00:05:00')::"pg_catalog"."interval"), (_seg_t1 - ('00:05:00')::"pg_catalog"."interval")))) AS _q1 WHERE (_q1."ended_at_12" < (_seg_t0 - ('00:05:00')::"pg_catalog"."interval"))
  ) AS "_seg_terms" GROUP BY "visitor_id", "started_at", "ended_at", "pageviews", "is_open" HAVING sum("_seg_w") <> 0
),
"_seg_delta" AS MATERIALIZED (
  SELECT "_seg_s"."visitor_id", "_seg_s"."started_at", "_seg_s"."ended_at", "_seg_s"."pageviews", "_seg_s"."is_open", "_seg_s"."_seg_w", CASE WHEN "_seg_s"."_seg_w" < 0 THEN ARRAY(
    SELECT "_seg_t".ctid FROM "_seg"."segmentation.pageview_sessions" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."visitor_id", "_seg_t"."started_at", "_seg_t"."ended_at", "_seg_t"."pageviews", "_seg_t"."is_open"), 0) = hash_record_extended(ROW("_seg_s"."visitor_id", "_seg_s"."started_at", "_seg_s"."ended_at", "_seg_s"."pageviews", "_seg_s"."is_open"), 0) AND "_seg_t"."visitor_id" IS NOT DISTINCT FROM "_seg_s"."visitor_id" AND "_seg_t"."started_at" IS NOT DISTINCT FROM "_seg_s"."started_at" AND "_seg_t"."ended_at" IS NOT DISTINCT FROM "_seg_s"."ended_at" AND "_seg_t"."pageviews" IS NOT DISTINCT FROM "_seg_s"."pageviews" AND "_seg_t"."is_open" IS NOT DISTINCT FROM "_seg_s"."is_open"
    LIMIT -"_seg_s"."_seg_w") END AS "_seg_at"
  FROM "_seg_sum" AS "_seg_s"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.pageview_sessions" WHERE ctid = ANY (ARRAY(
    SELECT unnest("_seg_at"[1:-"_seg_w"]) FROM "_seg_delta" WHERE "_seg_w" < 0))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.pageview_sessions" ("visitor_id", "started_at", "ended_at", "pageviews", "is_open")
  SELECT "_seg_d"."visitor_id", "_seg_d"."started_at", "_seg_d"."ended_at", "_seg_d"."pageviews", "_seg_d"."is_open" FROM "_seg_delta" AS "_seg_d", generate_series(1, "_seg_d"."_seg_w") WHERE "_seg_d"."_seg_w" > 0
)
SELECT count(*) FROM "_seg_delta"
