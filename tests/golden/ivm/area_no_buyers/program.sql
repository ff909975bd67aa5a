== when "segmentation"."identity_links" changes

-- step 7: model "area_no_buyers", after a change by step 6
WITH "_seg_sum" AS MATERIALIZED (
  SELECT "user_id", "last_purchase_at", sum("_seg_w")::integer AS "_seg_w" FROM (
    SELECT _s1."user_id" AS "user_id", _s1."last_purchase_at" AS "last_purchase_at", _s1."_seg_w" AS "_seg_w" FROM (SELECT "user_id", "last_purchase_at", "region", 1 AS "_seg_w" FROM unnest(_seg_n6) UNION ALL SELECT "user_id", "last_purchase_at", "region", -1 AS "_seg_w" FROM unnest(_seg_o6)) AS _s1 WHERE ((_s1."region" = ('California')::"text") AND (COALESCE(_s1."last_purchase_at", ('1970-01-01 00:00:00+00')::"pg_catalog"."timestamptz") <= ((SELECT "now" FROM "_seg"."clock") - ('30 days')::"pg_catalog"."interval")))
  ) AS "_seg_terms" GROUP BY "user_id", "last_purchase_at" HAVING sum("_seg_w") <> 0
),
"_seg_delta" AS MATERIALIZED (
  SELECT "_seg_s"."user_id", "_seg_s"."last_purchase_at", "_seg_s"."_seg_w", CASE WHEN "_seg_s"."_seg_w" < 0 THEN ARRAY(
    SELECT "_seg_t".ctid FROM "_seg"."segmentation.area_no_buyers" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."user_id", "_seg_t"."last_purchase_at"), 0) = hash_record_extended(ROW("_seg_s"."user_id", "_seg_s"."last_purchase_at"), 0) AND "_seg_t"."user_id" IS NOT DISTINCT FROM "_seg_s"."user_id" AND "_seg_t"."last_purchase_at" IS NOT DISTINCT FROM "_seg_s"."last_purchase_at"
    LIMIT -"_seg_s"."_seg_w") END AS "_seg_at"
  FROM "_seg_sum" AS "_seg_s"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.area_no_buyers" WHERE ctid = ANY (ARRAY(
    SELECT unnest("_seg_at"[1:-"_seg_w"]) FROM "_seg_delta" WHERE "_seg_w" < 0))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.area_no_buyers" ("user_id", "last_purchase_at")
  SELECT "_seg_d"."user_id", "_seg_d"."last_purchase_at" FROM "_seg_delta" AS "_seg_d", generate_series(1, "_seg_d"."_seg_w") WHERE "_seg_d"."_seg_w" > 0
)
SELECT count(*) FROM "_seg_delta"

== when "segmentation"."activity_events" changes

-- step 8: model "area_no_buyers", after a change by step 7
WITH "_seg_sum" AS MATERIALIZED (
  SELECT "user_id", "last_purchase_at", sum("_seg_w")::integer AS "_seg_w" FROM (
    SELECT _s1."user_id" AS "user_id", _s1."last_purchase_at" AS "last_purchase_at", _s1."_seg_w" AS "_seg_w" FROM (SELECT "user_id", "last_purchase_at", "region", 1 AS "_seg_w" FROM unnest(_seg_n7) UNION ALL SELECT "user_id", "last_purchase_at", "region", -1 AS "_seg_w" FROM unnest(_seg_o7)) AS _s1 WHERE ((_s1."region" = ('California')::"text") AND (COALESCE(_s1."last_purchase_at", ('1970-01-01 00:00:00+00')::"pg_catalog"."timestamptz") <= ((SELECT "now" FROM "_seg"."clock") - ('30 days')::"pg_catalog"."interval")))
  ) AS "_seg_terms" GROUP BY "user_id", "last_purchase_at" HAVING sum("_seg_w") <> 0
),
"_seg_delta" AS MATERIALIZED (
  SELECT "_seg_s"."user_id", "_seg_s"."last_purchase_at", "_seg_s"."_seg_w", CASE WHEN "_seg_s"."_seg_w" < 0 THEN ARRAY(
    SELECT "_seg_t".ctid FROM "_seg"."segmentation.area_no_buyers" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."user_id", "_seg_t"."last_purchase_at"), 0) = hash_record_extended(ROW("_seg_s"."user_id", "_seg_s"."last_purchase_at"), 0) AND "_seg_t"."user_id" IS NOT DISTINCT FROM "_seg_s"."user_id" AND "_seg_t"."last_purchase_at" IS NOT DISTINCT FROM "_seg_s"."last_purchase_at"
    LIMIT -"_seg_s"."_seg_w") END AS "_seg_at"
  FROM "_seg_sum" AS "_seg_s"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.area_no_buyers" WHERE ctid = ANY (ARRAY(
    SELECT unnest("_seg_at"[1:-"_seg_w"]) FROM "_seg_delta" WHERE "_seg_w" < 0))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.area_no_buyers" ("user_id", "last_purchase_at")
  SELECT "_seg_d"."user_id", "_seg_d"."last_purchase_at" FROM "_seg_delta" AS "_seg_d", generate_series(1, "_seg_d"."_seg_w") WHERE "_seg_d"."_seg_w" > 0
)
SELECT count(*) FROM "_seg_delta"

== when the clock changes

-- step 0: model "area_no_buyers", always
WITH "_seg_sum" AS MATERIALIZED (
  SELECT "user_id", "last_purchase_at", sum("_seg_w")::integer AS "_seg_w" FROM (
    SELECT _q1."user_id_1" AS "user_id", _q1."last_purchase_at_5" AS "last_purchase_at", _q1."_w_1" AS "_seg_w" FROM (SELECT _s2."user_id" AS "user_id_1", _s2."last_purchase_at" AS "last_purchase_at_5", _s2."region" AS "region_6", 1 AS "_w_1" FROM "_seg"."segmentation.user_activity" AS _s2 WHERE (COALESCE(_s2."last_purchase_at", ('1970-01-01 00:00:00+00')::"pg_catalog"."timestamptz") >= LEAST((_seg_t0 - ('30 days')::"pg_catalog"."interval"), (_seg_t1 - ('30 days')::"pg_catalog"."interval")) AND COALESCE(_s2."last_purchase_at", ('1970-01-01 00:00:00+00')::"pg_catalog"."timestamptz") <= GREATEST((_seg_t0 - ('30 days')::"pg_catalog"."interval"), (_seg_t1 - ('30 days')::"pg_catalog"."interval")))) AS _q1 WHERE ((_q1."region_6" = ('California')::"text") AND (COALESCE(_q1."last_purchase_at_5", ('1970-01-01 00:00:00+00')::"pg_catalog"."timestamptz") <= (_seg_t1 - ('30 days')::"pg_catalog"."interval")))
    UNION ALL
    SELECT _q1."user_id_1" AS "user_id", _q1."last_purchase_at_5" AS "last_purchase_at", _q1."_w_1" AS "_seg_w" FROM (SELECT _s2."user_id" AS "user_id_1", _s2."last_purchase_at" AS "last_purchase_at_5", _s2."region" AS "region_6", -1 AS "_w_1" FROM "_seg"."segmentation.user_activity" AS _s2 WHERE (COALESCE(_s2."last_purchase_at", ('1970-01-01 00:00:00+00')::"pg_catalog"."timestamptz") >= LEAST((_seg_t0 - ('30 days')::"pg_catalog"."interval"), (_seg_t1 - ('30 days')::"pg_catalog"."interval")) AND COALESCE(_s2."last_purchase_at", ('1970-01-01 00:00:00+00')::"pg_catalog"."timestamptz") <= GREATEST((_seg_t0 - ('30 days')::"pg_catalog"."interval"), (_seg_t1 - ('30 days')::"pg_catalog"."interval")))) AS _q1 WHERE ((_q1."region_6" = ('California')::"text") AND (COALESCE(_q1."last_purchase_at_5", ('1970-01-01 00:00:00+00')::"pg_catalog"."timestamptz") <= (_seg_t0 - ('30 days')::"pg_catalog"."interval")))
  ) AS "_seg_terms" GROUP BY "user_id", "last_purchase_at" HAVING sum("_seg_w") <> 0
),
"_seg_delta" AS MATERIALIZED (
  SELECT "_seg_s"."user_id", "_seg_s"."last_purchase_at", "_seg_s"."_seg_w", CASE WHEN "_seg_s"."_seg_w" < 0 THEN ARRAY(
    SELECT "_seg_t".ctid FROM "_seg"."segmentation.area_no_buyers" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."user_id", "_seg_t"."last_purchase_at"), 0) = hash_record_extended(ROW("_seg_s"."user_id", "_seg_s"."last_purchase_at"), 0) AND "_seg_t"."user_id" IS NOT DISTINCT FROM "_seg_s"."user_id" AND "_seg_t"."last_purchase_at" IS NOT DISTINCT FROM "_seg_s"."last_purchase_at"
    LIMIT -"_seg_s"."_seg_w") END AS "_seg_at"
  FROM "_seg_sum" AS "_seg_s"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.area_no_buyers" WHERE ctid = ANY (ARRAY(
    SELECT unnest("_seg_at"[1:-"_seg_w"]) FROM "_seg_delta" WHERE "_seg_w" < 0))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.area_no_buyers" ("user_id", "last_purchase_at")
  SELECT "_seg_d"."user_id", "_seg_d"."last_purchase_at" FROM "_seg_delta" AS "_seg_d", generate_series(1, "_seg_d"."_seg_w") WHERE "_seg_d"."_seg_w" > 0
)
SELECT count(*) FROM "_seg_delta"
