== when "segmentation"."segment_events" changes

-- step 1: model "user_profiles", after a change by step 0
WITH "_seg_keys" AS MATERIALIZED (
  SELECT DISTINCT (k0)::text AS k0 FROM (
    SELECT "user_id_10" AS "k0" FROM (SELECT "user_id_8" AS "user_id_10" FROM (SELECT "user_id_3" AS "user_id_8" FROM (SELECT "_s"."vendor" AS "vendor_1", "_s"."segment" AS "segment_2", "_s"."user_id" AS "user_id_3", "_s"."first_added_at" AS "first_added_at_4", "_s"."last_event_at" AS "last_event_at_5", "_s"."is_member" AS "is_member_6", "_s"."value" AS "value_7" FROM (SELECT "vendor", "segment", "user_id", "first_added_at", "last_event_at", "is_member", "value" FROM unnest(_seg_n0) UNION ALL SELECT "vendor", "segment", "user_id", "first_added_at", "last_event_at", "is_member", "value" FROM unnest(_seg_o0)) AS "_s") AS _q) AS _q) AS _q
  ) AS "_seg_touched"
),
"_seg_pairs" AS MATERIALIZED (
  SELECT "_seg_q".*, "_seg_t".*
  FROM "_seg_keys" AS "_seg_k" LEFT JOIN LATERAL (
    SELECT *, true AS "_seg_new" FROM (
    SELECT "user_id_10" AS "user_id", "segments_11" AS "segments" FROM (SELECT "user_id_8" AS "user_id_10", "jsonb_agg_9" AS "segments_11" FROM (SELECT "user_id_3" AS "user_id_8", "jsonb_agg"("jsonb_build_object"('segment', "jsonb_build_object"('vendor', "vendor_1", 'name', "segment_2"), 'first', "first_added_at_4", 'last', "last_event_at_5", 'member', "is_member_6", 'value', "value_7") ORDER BY ("segment_2" COLLATE "C"), "vendor_1") AS "jsonb_agg_9" FROM (SELECT * FROM (SELECT "_s"."vendor" AS "vendor_1", "_s"."segment" AS "segment_2", "_s"."user_id" AS "user_id_3", "_s"."first_added_at" AS "first_added_at_4", "_s"."last_event_at" AS "last_event_at_5", "_s"."is_member" AS "is_member_6", "_s"."value" AS "value_7" FROM "_seg"."segmentation.segment_memberships" AS "_s") AS _q WHERE ((hash_record_extended(ROW("user_id_3"), 0) = hash_record_extended(ROW("_seg_k".k0), 0)) AND ("user_id_3" IS NOT DISTINCT FROM "_seg_k".k0))) AS _q GROUP BY "user_id_3") AS _q) AS _q
    ) AS "_seg_q"
  ) AS "_seg_q" ON true LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", "_seg_t"."user_id" AS _seg_o0, "_seg_t"."segments" AS _seg_o1 FROM "_seg"."segmentation.user_profiles" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."user_id"), 0) = hash_record_extended(ROW("_seg_k".k0), 0) AND "_seg_t"."user_id" IS NOT DISTINCT FROM "_seg_k".k0
    OFFSET 0) AS "_seg_t" ON true
  WHERE "_seg_new" IS NULL AND "_seg_place" IS NOT NULL OR "_seg_new" AND ("_seg_place" IS NULL OR "_seg_q"."user_id" IS DISTINCT FROM "_seg_t"._seg_o0 OR "_seg_q"."segments" IS DISTINCT FROM "_seg_t"._seg_o1)
),
"_seg_changed" AS (
  UPDATE "_seg"."segmentation.user_profiles" AS "_seg_t" SET "user_id" = "_seg_p"."user_id", "segments" = "_seg_p"."segments" FROM "_seg_pairs" AS "_seg_p"
  WHERE "_seg_t".ctid = "_seg_p"."_seg_place" AND "_seg_p"."_seg_new"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.user_profiles" WHERE ctid = ANY (ARRAY(
    SELECT "_seg_place" FROM "_seg_pairs" WHERE "_seg_new" IS NULL))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.user_profiles" ("user_id", "segments") SELECT "_seg_p"."user_id", "_seg_p"."segments" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NULL
),
"_seg_logged" AS (
  INSERT INTO "_seg"."changelog" (epoch, node, weight, "row")
  SELECT _seg_epoch, 20, "_seg_w", "row" FROM (SELECT -1 AS "_seg_w", jsonb_build_object('user_id', "_seg_p"._seg_o0, 'segments', "_seg_p"._seg_o1) AS "row" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NOT NULL
  UNION ALL
  SELECT 1, jsonb_build_object('user_id', "_seg_p"."user_id", 'segments', "_seg_p"."segments") FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_new") AS "_seg_v"
)
SELECT count(*) FROM "_seg_pairs"
