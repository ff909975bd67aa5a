== when "segmentation"."segment_events" changes

-- step 1: model "user_profiles", after a change by step 0
WITH "_seg_rows" AS (
    SELECT _q2."k0" AS "k0", CASE WHEN _q2."_w_1" > 0 THEN _q2."p1_i" END AS "p1_i", _q2."p1_k0" AS "p1_k0", _q2."p1_k1" AS "p1_k1", _q2."_w_1" AS "_seg_w" FROM (SELECT (_s1."user_id")::text AS "k0", coalesce("jsonb_build_object"('segment', "jsonb_build_object"('vendor', _s1."vendor", 'name', _s1."segment"), 'first', _s1."first_added_at", 'last', _s1."last_event_at", 'member', _s1."is_member", 'value', _s1."value"), 'null'::jsonb) AS "p1_i", (_s1."segment" COLLATE "C") AS "p1_k0", _s1."vendor" AS "p1_k1", _s1."_seg_w" AS "_w_1" FROM (SELECT "vendor", "segment", "user_id", "first_added_at", "last_event_at", "is_member", "value", 1 AS "_seg_w" FROM unnest(_seg_n0) UNION ALL SELECT "vendor", "segment", "user_id", "first_added_at", "last_event_at", "is_member", "value", -1 AS "_seg_w" FROM unnest(_seg_o0)) AS _s1) AS _q2
),
"_seg_pairs" AS MATERIALIZED (
  SELECT n0 AS "user_id", n1 AS "segments", n2 AS "_seg_count_14", o0 AS _seg_o0, o1 AS _seg_o1, o2 AS _seg_o2, "_seg_place", nullif("_seg_kept", false) AS "_seg_new", "_seg_seen" FROM (
  SELECT *, NOT "_seg_kept" OR "_seg_place" IS NULL OR n1 IS DISTINCT FROM o1 AS "_seg_seen" FROM (
  SELECT "_seg_place", o0, o1, o2, n1, n2, k0 AS n0, coalesce(n2 > 0, false) AS "_seg_kept" FROM (
  SELECT "_seg_place", o0, o1, o2, k0, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a2 ELSE coalesce(o2, 0) + coalesce(p0_c, 0) END)::bigint AS n2, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a1 ELSE CASE WHEN (coalesce(o2, 0) + coalesce(p0_c, 0)) = 0 THEN NULL WHEN p1_a = 0 THEN o1 - p1_l::integer WHEN p1_r = 1 THEN jsonb_set(o1, ARRAY[p1_l::text], p1_ae) ELSE jsonb_insert(coalesce(o1, '[]'), ARRAY[p1_l::text], p1_ae) END END)::jsonb AS n1
  FROM (
  SELECT "_seg_k".*, "_seg_o".*, "_seg_n0".*, _seg_again OR ((NOT coalesce(p1_a <= 1 AND p1_r <= 1 AND NOT (p1_a = 1 AND p1_r = 1 AND p1_m) AND p1_s = p1_a AND p1_t = coalesce(jsonb_array_length(o1), 0) + p1_a - p1_r, false)) AND coalesce((coalesce(o2, 0) + coalesce(p0_c, 0)) > 0, false)) AS "_seg_reread"
  FROM (SELECT k0, sum("_seg_w") AS p0_c, count(*) FILTER (WHERE "_seg_w" > 0) AS p1_a, (array_agg(p1_i) FILTER (WHERE "_seg_w" > 0))[1] AS p1_ae, count(*) FILTER (WHERE "_seg_w" < 0) AS p1_r, (array_agg(p1_k0) FILTER (WHERE "_seg_w" > 0))[1] IS DISTINCT FROM (array_agg(p1_k0) FILTER (WHERE "_seg_w" < 0))[1] OR (array_agg(p1_k1) FILTER (WHERE "_seg_w" > 0))[1] IS DISTINCT FROM (array_agg(p1_k1) FILTER (WHERE "_seg_w" < 0))[1] AS p1_m, CASE WHEN count(*) FILTER (WHERE "_seg_w" > 0) > 0 THEN (array_agg(p1_k0) FILTER (WHERE "_seg_w" > 0))[1] ELSE (array_agg(p1_k0) FILTER (WHERE "_seg_w" < 0))[1] END AS p1_x0, CASE WHEN count(*) FILTER (WHERE "_seg_w" > 0) > 0 THEN (array_agg(p1_k1) FILTER (WHERE "_seg_w" > 0))[1] ELSE (array_agg(p1_k1) FILTER (WHERE "_seg_w" < 0))[1] END AS p1_x1
  FROM "_seg_rows" AS "_seg_r" GROUP BY k0 OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", "_seg_t"."user_id" AS o0, "_seg_t"."segments" AS o1, "_seg_t"."_seg_count_14" AS o2 FROM "_seg"."segmentation.user_profiles" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."user_id"), 0) = hash_record_extended(ROW("_seg_k".k0), 0) AND "_seg_t"."user_id" IS NOT DISTINCT FROM "_seg_k".k0
    OFFSET 0) AS "_seg_o" ON true LEFT JOIN LATERAL (
    SELECT * FROM (SELECT _q1."p1_l" AS "p1_l", _q1."p1_s" AS "p1_s", _q1."p1_t" AS "p1_t" FROM (SELECT _q2."user_id_3" AS "user_id_8", count(*) FILTER (WHERE (coalesce(p1_o0 < "_seg_k".p1_x0, false) OR (p1_o0 IS NOT NULL AND "_seg_k".p1_x0 IS NULL) OR (p1_o0 IS NOT DISTINCT FROM "_seg_k".p1_x0 AND (coalesce(p1_o1 < "_seg_k".p1_x1, false) OR (p1_o1 IS NOT NULL AND "_seg_k".p1_x1 IS NULL))))) AS "p1_l", count(*) FILTER (WHERE p1_o0 IS NOT DISTINCT FROM "_seg_k".p1_x0 AND p1_o1 IS NOT DISTINCT FROM "_seg_k".p1_x1) AS "p1_s", count(*) AS "p1_t" FROM (SELECT _s3."vendor" AS "vendor_1", _s3."segment" AS "segment_2", _s3."user_id" AS "user_id_3", _s3."first_added_at" AS "first_added_at_4", _s3."last_event_at" AS "last_event_at_5", _s3."is_member" AS "is_member_6", _s3."value" AS "value_7", (_s3."segment" COLLATE "C") AS "p1_o0", _s3."vendor" AS "p1_o1" FROM "_seg"."segmentation.segment_memberships" AS _s3 WHERE ((hash_record_extended(ROW(_s3."user_id"), 0) = hash_record_extended(ROW("_seg_k".k0), 0)) AND (_s3."user_id" IS NOT DISTINCT FROM "_seg_k".k0))) AS _q2 GROUP BY _q2."user_id_3") AS _q1) AS "_seg_q" WHERE p1_a <= 1 AND p1_r <= 1 OFFSET 0) AS "_seg_n0" ON true OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT * FROM (
      SELECT _q1."count_14" AS "a2", _q1."list_15" AS "a1" FROM (SELECT _q2."user_id_3" AS "user_id_8", count(*) AS "count_14", "jsonb_agg"("jsonb_build_object"('segment', "jsonb_build_object"('vendor', _q2."vendor_1", 'name', _q2."segment_2"), 'first', _q2."first_added_at_4", 'last', _q2."last_event_at_5", 'member', _q2."is_member_6", 'value', _q2."value_7") ORDER BY (_q2."segment_2" COLLATE "C"), _q2."vendor_1") AS "list_15" FROM (SELECT _s3."vendor" AS "vendor_1", _s3."segment" AS "segment_2", _s3."user_id" AS "user_id_3", _s3."first_added_at" AS "first_added_at_4", _s3."last_event_at" AS "last_event_at_5", _s3."is_member" AS "is_member_6", _s3."value" AS "value_7" FROM "_seg"."segmentation.segment_memberships" AS _s3 WHERE ((hash_record_extended(ROW(_s3."user_id"), 0) = hash_record_extended(ROW("_seg_k".k0), 0)) AND (_s3."user_id" IS NOT DISTINCT FROM "_seg_k".k0))) AS _q2 GROUP BY _q2."user_id_3") AS _q1
    ) AS "_seg_q" WHERE "_seg_k"."_seg_reread" OFFSET 0) AS "_seg_a" ON true OFFSET 0) AS "_seg_s" OFFSET 0) AS "_seg_n" OFFSET 0) AS "_seg_v"
  WHERE CASE WHEN NOT "_seg_kept" THEN "_seg_place" IS NOT NULL ELSE "_seg_seen" OR n2 IS DISTINCT FROM o2 END
),
"_seg_changed" AS (
  UPDATE "_seg"."segmentation.user_profiles" AS "_seg_t" SET "user_id" = "_seg_p"."user_id", "segments" = "_seg_p"."segments", "_seg_count_14" = "_seg_p"."_seg_count_14" FROM "_seg_pairs" AS "_seg_p"
  WHERE "_seg_t".ctid = "_seg_p"."_seg_place" AND "_seg_p"."_seg_place" IS NOT NULL AND "_seg_p"."_seg_new"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.user_profiles" WHERE ctid = ANY (ARRAY(
    SELECT "_seg_place" FROM "_seg_pairs" WHERE "_seg_new" IS NULL))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.user_profiles" ("user_id", "segments", "_seg_count_14") SELECT "_seg_p"."user_id", "_seg_p"."segments", "_seg_p"."_seg_count_14" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NULL
),
"_seg_logged" AS (
  INSERT INTO "_seg"."changelog" (epoch, node, weight, "row")
  SELECT _seg_epoch, 20, "_seg_w", "row" FROM (SELECT -1 AS "_seg_w", jsonb_build_object('user_id', "_seg_p"._seg_o0, 'segments', "_seg_p"._seg_o1) AS "row" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NOT NULL AND "_seg_seen"
  UNION ALL
  SELECT 1, jsonb_build_object('user_id', "_seg_p"."user_id", 'segments', "_seg_p"."segments") FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_new" AND "_seg_seen") AS "_seg_v"
)
SELECT count(*) FROM "_seg_pairs"
