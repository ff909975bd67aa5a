== when "segmentation"."segment_events" changes

-- step 2: model "segment_sizes", always
WITH "_seg_rows" AS (
    SELECT "k0", "k1", "p1_i", "p2_i", "p3_i", "p4_i", "p5_i", "p6_i", "_seg_w" FROM (SELECT "k0" AS "k0", "k1" AS "k1", "p1_i" AS "p1_i", "p2_i" AS "p2_i", "p3_i" AS "p3_i", "p4_i" AS "p4_i", "p5_i" AS "p5_i", "p6_i" AS "p6_i", "_w_1" AS "_seg_w" FROM (SELECT ("vendor_44")::integer AS "k0", ("segment_45")::text AS "k1", (("members_46") IS NOT NULL) AS "p1_i", "members_46" AS "p2_i", (("adds_47") IS NOT NULL) AS "p3_i", "adds_47" AS "p4_i", (("removes_48") IS NOT NULL) AS "p5_i", "removes_48" AS "p6_i", "_w_1" AS "_w_1" FROM (SELECT "vendor_7" AS "vendor_44", "segment_8" AS "segment_45", "members_9" AS "members_46", "adds_10" AS "adds_47", "removes_11" AS "removes_48", "_w_1" AS "_w_1" FROM (SELECT "vendor_1" AS "vendor_7", "segment_2" AS "segment_8", 1 AS "members_9", 0 AS "adds_10", 0 AS "removes_11", "_w_1" AS "_w_1" FROM (SELECT "_s"."vendor" AS "vendor_1", "_s"."segment" AS "segment_2", "_s"."_seg_w" AS "_w_1" FROM (SELECT "vendor", "segment", 1 AS "_seg_w" FROM unnest(_seg_n1) UNION ALL SELECT "vendor", "segment", -1 AS "_seg_w" FROM unnest(_seg_o1)) AS "_s") AS _q) AS _q) AS _q) AS _q) AS _q
    UNION ALL
    SELECT "k0", "k1", "p1_i", "p2_i", "p3_i", "p4_i", "p5_i", "p6_i", "_seg_w" FROM (SELECT "k0" AS "k0", "k1" AS "k1", "p1_i" AS "p1_i", "p2_i" AS "p2_i", "p3_i" AS "p3_i", "p4_i" AS "p4_i", "p5_i" AS "p5_i", "p6_i" AS "p6_i", "_w_2" AS "_seg_w" FROM (SELECT ("vendor_44")::integer AS "k0", ("segment_45")::text AS "k1", (("members_46") IS NOT NULL) AS "p1_i", "members_46" AS "p2_i", (("adds_47") IS NOT NULL) AS "p3_i", "adds_47" AS "p4_i", (("removes_48") IS NOT NULL) AS "p5_i", "removes_48" AS "p6_i", "_w_2" AS "_w_2" FROM (SELECT "vendor_39" AS "vendor_44", "segment_40" AS "segment_45", "members_41" AS "members_46", "adds_42" AS "adds_47", "removes_43" AS "removes_48", "_w_2" AS "_w_2" FROM (SELECT "vendor_34" AS "vendor_39", "segment_35" AS "segment_40", 0 AS "members_41", (CASE WHEN "remove_37" THEN 0 ELSE 1 END) AS "adds_42", (CASE WHEN "remove_37" THEN 1 ELSE 0 END) AS "removes_43", "_w_2" AS "_w_2" FROM (SELECT "vendor_25" AS "vendor_34", "segment_26" AS "segment_35", "remove_28" AS "remove_37", "_w_2" AS "_w_2" FROM (SELECT * FROM (SELECT NULLIF("btrim"("user_id_15", (' 	
')::"text"), ('')::"text") AS "user_id_24", "vendor_16" AS "vendor_25", NULLIF("btrim"("segment_17", (' 	
')::"text"), ('')::"text") AS "segment_26", COALESCE("remove_19", false) AS "remove_28", "_w_2" AS "_w_2" FROM (SELECT "_s"."event_id" AS "event_id_13", "_s"."user_id" AS "user_id_15", "_s"."vendor" AS "vendor_16", "_s"."segment" AS "segment_17", "_s"."remove" AS "remove_19", "_s"."_seg_w" AS "_w_2" FROM (SELECT "event_id", "user_id", "vendor", "segment", "remove", 1 AS "_seg_w" FROM _seg_new UNION ALL SELECT "event_id", "user_id", "vendor", "segment", "remove", -1 AS "_seg_w" FROM _seg_old) AS "_s") AS _q) AS _q WHERE (("user_id_24" IS NOT NULL) AND ("segment_26" IS NOT NULL))) AS _q) AS _q) AS _q) AS _q) AS _q) AS _q
),
"_seg_change" AS MATERIALIZED (
  SELECT k0, k1, sum("_seg_w") AS p0_c, sum("_seg_w") FILTER (WHERE p1_i) AS p1_c, sum(p2_i) FILTER (WHERE "_seg_w" > 0) AS p2_a, sum(p2_i) FILTER (WHERE "_seg_w" < 0) AS p2_r, sum("_seg_w") FILTER (WHERE p3_i) AS p3_c, sum(p4_i) FILTER (WHERE "_seg_w" > 0) AS p4_a, sum(p4_i) FILTER (WHERE "_seg_w" < 0) AS p4_r, sum("_seg_w") FILTER (WHERE p5_i) AS p5_c, sum(p6_i) FILTER (WHERE "_seg_w" > 0) AS p6_a, sum(p6_i) FILTER (WHERE "_seg_w" < 0) AS p6_r
  FROM "_seg_rows" AS "_seg_r" GROUP BY k0, k1
),
"_seg_pair" AS MATERIALIZED (
  SELECT "_seg_k".*, "_seg_o".*
  FROM "_seg_change" AS "_seg_k" LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", "_seg_t"."vendor" AS o0, "_seg_t"."segment" AS o1, "_seg_t"."members" AS o2, "_seg_t"."adds" AS o3, "_seg_t"."removes" AS o4, "_seg_t"."_seg_count_66" AS o5, "_seg_t"."_seg_count_67" AS o6, "_seg_t"."_seg_count_69" AS o7, "_seg_t"."_seg_count_71" AS o8 FROM "_seg"."segmentation.segment_sizes" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."vendor", "_seg_t"."segment"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0) AND "_seg_t"."vendor" IS NOT DISTINCT FROM "_seg_k".k0 AND "_seg_t"."segment" IS NOT DISTINCT FROM "_seg_k".k1
    OFFSET 0) AS "_seg_o" ON true
),
"_seg_state" AS MATERIALIZED (
  SELECT "_seg_place", o0, o1, o2, o3, o4, o5, o6, o7, o8, k0, k1, (coalesce(o5, 0) + coalesce(p0_c, 0))::bigint AS n5, (coalesce(o6, 0) + coalesce(p1_c, 0))::bigint AS n6, (CASE WHEN (coalesce(o6, 0) + coalesce(p1_c, 0)) > 0 THEN coalesce(o2, 0) + coalesce(p2_a, 0) - coalesce(p2_r, 0) END)::bigint AS n2, (coalesce(o7, 0) + coalesce(p3_c, 0))::bigint AS n7, (CASE WHEN (coalesce(o7, 0) + coalesce(p3_c, 0)) > 0 THEN coalesce(o3, 0) + coalesce(p4_a, 0) - coalesce(p4_r, 0) END)::bigint AS n3, (coalesce(o8, 0) + coalesce(p5_c, 0))::bigint AS n8, (CASE WHEN (coalesce(o8, 0) + coalesce(p5_c, 0)) > 0 THEN coalesce(o4, 0) + coalesce(p6_a, 0) - coalesce(p6_r, 0) END)::bigint AS n4
  FROM "_seg_pair" AS "_seg_k"
),
"_seg_next" AS MATERIALIZED (
  SELECT "_seg_place", o0, o1, o2, o3, o4, o5, o6, o7, o8, n2, n3, n4, n5, n6, n7, n8, k0 AS n0, k1 AS n1, coalesce(n5 > 0, false) AS "_seg_kept" FROM "_seg_state"
),
"_seg_pairs" AS MATERIALIZED (
  SELECT n0 AS "vendor", n1 AS "segment", n2 AS "members", n3 AS "adds", n4 AS "removes", n5 AS "_seg_count_66", n6 AS "_seg_count_67", n7 AS "_seg_count_69", n8 AS "_seg_count_71", o0 AS _seg_o0, o1 AS _seg_o1, o2 AS _seg_o2, o3 AS _seg_o3, o4 AS _seg_o4, o5 AS _seg_o5, o6 AS _seg_o6, o7 AS _seg_o7, o8 AS _seg_o8, "_seg_place", nullif("_seg_kept", false) AS "_seg_new" FROM "_seg_next"
  WHERE CASE WHEN NOT "_seg_kept" THEN "_seg_place" IS NOT NULL ELSE "_seg_place" IS NULL OR n2 IS DISTINCT FROM o2 OR n3 IS DISTINCT FROM o3 OR n4 IS DISTINCT FROM o4 OR n5 IS DISTINCT FROM o5 OR n6 IS DISTINCT FROM o6 OR n7 IS DISTINCT FROM o7 OR n8 IS DISTINCT FROM o8 END
),
"_seg_changed" AS (
  UPDATE "_seg"."segmentation.segment_sizes" AS "_seg_t" SET "vendor" = "_seg_p"."vendor", "segment" = "_seg_p"."segment", "members" = "_seg_p"."members", "adds" = "_seg_p"."adds", "removes" = "_seg_p"."removes", "_seg_count_66" = "_seg_p"."_seg_count_66", "_seg_count_67" = "_seg_p"."_seg_count_67", "_seg_count_69" = "_seg_p"."_seg_count_69", "_seg_count_71" = "_seg_p"."_seg_count_71" FROM "_seg_pairs" AS "_seg_p"
  WHERE "_seg_t".ctid = "_seg_p"."_seg_place" AND "_seg_p"."_seg_new"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.segment_sizes" WHERE ctid = ANY (ARRAY(
    SELECT "_seg_place" FROM "_seg_pairs" WHERE "_seg_new" IS NULL))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.segment_sizes" ("vendor", "segment", "members", "adds", "removes", "_seg_count_66", "_seg_count_67", "_seg_count_69", "_seg_count_71") SELECT "_seg_p"."vendor", "_seg_p"."segment", "_seg_p"."members", "_seg_p"."adds", "_seg_p"."removes", "_seg_p"."_seg_count_66", "_seg_p"."_seg_count_67", "_seg_p"."_seg_count_69", "_seg_p"."_seg_count_71" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NULL
)
SELECT count(*) FROM "_seg_pairs"
