== when "segmentation"."segment_events" changes

-- step 1: model "segment_members", after a change by step 0
WITH "_seg_sum" AS MATERIALIZED (
  SELECT "vendor", "segment", "user_id", "first_added_at", "last_event_at", "value", sum("_seg_w")::integer AS "_seg_w" FROM (
    SELECT _s1."vendor" AS "vendor", _s1."segment" AS "segment", _s1."user_id" AS "user_id", _s1."first_added_at" AS "first_added_at", _s1."last_event_at" AS "last_event_at", _s1."value" AS "value", _s1."_seg_w" AS "_seg_w" FROM (SELECT "vendor", "segment", "user_id", "first_added_at", "last_event_at", "is_member", "value", 1 AS "_seg_w" FROM unnest(_seg_n0) UNION ALL SELECT "vendor", "segment", "user_id", "first_added_at", "last_event_at", "is_member", "value", -1 AS "_seg_w" FROM unnest(_seg_o0)) AS _s1 WHERE _s1."is_member"
  ) AS "_seg_terms" GROUP BY "vendor", "segment", "user_id", "first_added_at", "last_event_at", "value" HAVING sum("_seg_w") <> 0
),
"_seg_delta" AS MATERIALIZED (
  SELECT "_seg_s"."vendor", "_seg_s"."segment", "_seg_s"."user_id", "_seg_s"."first_added_at", "_seg_s"."last_event_at", "_seg_s"."value", "_seg_s"."_seg_w", CASE WHEN "_seg_s"."_seg_w" < 0 THEN ARRAY(
    SELECT "_seg_t".ctid FROM "_seg"."segmentation.segment_members" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."vendor", "_seg_t"."segment", "_seg_t"."user_id", "_seg_t"."first_added_at", "_seg_t"."last_event_at", "_seg_t"."value"), 0) = hash_record_extended(ROW("_seg_s"."vendor", "_seg_s"."segment", "_seg_s"."user_id", "_seg_s"."first_added_at", "_seg_s"."last_event_at", "_seg_s"."value"), 0) AND "_seg_t"."vendor" IS NOT DISTINCT FROM "_seg_s"."vendor" AND "_seg_t"."segment" IS NOT DISTINCT FROM "_seg_s"."segment" AND "_seg_t"."user_id" IS NOT DISTINCT FROM "_seg_s"."user_id" AND "_seg_t"."first_added_at" IS NOT DISTINCT FROM "_seg_s"."first_added_at" AND "_seg_t"."last_event_at" IS NOT DISTINCT FROM "_seg_s"."last_event_at" AND "_seg_t"."value" IS NOT DISTINCT FROM "_seg_s"."value"
    LIMIT -"_seg_s"."_seg_w") END AS "_seg_at"
  FROM "_seg_sum" AS "_seg_s"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.segment_members" WHERE ctid = ANY (ARRAY(
    SELECT unnest("_seg_at"[1:-"_seg_w"]) FROM "_seg_delta" WHERE "_seg_w" < 0))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.segment_members" ("vendor", "segment", "user_id", "first_added_at", "last_event_at", "value")
  SELECT "_seg_d"."vendor", "_seg_d"."segment", "_seg_d"."user_id", "_seg_d"."first_added_at", "_seg_d"."last_event_at", "_seg_d"."value" FROM "_seg_delta" AS "_seg_d", generate_series(1, "_seg_d"."_seg_w") WHERE "_seg_d"."_seg_w" > 0
)
SELECT count(*) FROM "_seg_delta"
