== when "segmentation"."segment_events" changes

-- step 0: model "segment_toggles", intermediate result 1, always
WITH "_seg_start" AS MATERIALIZED (
  SELECT DISTINCT ON (k0, k1, k2) k0, k1, k2, p0 FROM (
    SELECT (k0)::integer AS k0, (k1)::text AS k1, (k2)::text AS k2, p0 FROM (
    SELECT "vendor_23" AS "k0", "segment_24" AS "k1", "user_id_22" AS "k2", "position_20" AS "p0" FROM (SELECT "position_11" AS "position_20", "user_id_13" AS "user_id_22", "vendor_14" AS "vendor_23", "segment_15" AS "segment_24" FROM (SELECT * FROM (SELECT "position_1" AS "position_11", NULLIF("btrim"("user_id_4", (' 	
')::"text"), ('')::"text") AS "user_id_13", "vendor_5" AS "vendor_14", NULLIF("btrim"("segment_6", (' 	
')::"text"), ('')::"text") AS "segment_15" FROM (SELECT "_s"."position" AS "position_1", "_s"."event_id" AS "event_id_2", "_s"."event_at" AS "event_at_3", "_s"."user_id" AS "user_id_4", "_s"."vendor" AS "vendor_5", "_s"."segment" AS "segment_6", "_s"."value" AS "value_7", "_s"."remove" AS "remove_8", "_s"."payload" AS "payload_9" FROM (SELECT "position", "event_id", "event_at", "user_id", "vendor", "segment", "value", "remove", "payload" FROM _seg_new UNION ALL SELECT "position", "event_id", "event_at", "user_id", "vendor", "segment", "value", "remove", "payload" FROM _seg_old) AS "_s") AS _q) AS _q WHERE (("user_id_13" IS NOT NULL) AND ("segment_15" IS NOT NULL))) AS _q) AS _q
    ) AS "_seg_touched"
  ) AS "_seg_typed" ORDER BY k0, k1, k2, p0 NULLS LAST
),
"_seg_both" AS (
  SELECT "_seg_q".*, 1 AS "_seg_w", NULL::tid AS "_seg_place"
  FROM "_seg_start" AS "_seg_k" LEFT JOIN LATERAL (
    SELECT true AS found, "_seg_r".c AS c0 FROM (SELECT "c" FROM (SELECT * FROM (SELECT * FROM (SELECT (CASE WHEN "remove_r8" THEN 0 ELSE 1 END) AS "c" FROM (SELECT * FROM (SELECT "event_id_r10" AS "event_id_r1", "position_r11" AS "position_r2", "event_at_r12" AS "event_at_r3", "user_id_r13" AS "user_id_r4", "vendor_r14" AS "vendor_r5", "segment_r15" AS "segment_r6", "value_r16" AS "value_r7", "remove_r17" AS "remove_r8", COALESCE("payload_r18", "jsonb_strip_nulls"("jsonb_build_object"('event', "event_id_r10", 'timestamp', "event_at_r12", 'user', "user_id_r13", 'segment', "jsonb_build_object"('vendor', "vendor_r14", 'name', "segment_r15"), 'value', "value_r16", 'remove', (CASE WHEN "remove_r17" THEN true ELSE (NULL)::"pg_catalog"."bool" END)))) AS "payload_r9" FROM (SELECT * FROM (SELECT "event_id_r20" AS "event_id_r10", "position_r19" AS "position_r11", "event_at_r21" AS "event_at_r12", NULLIF("btrim"("user_id_r22", (' 	
')::"text"), ('')::"text") AS "user_id_r13", "vendor_r23" AS "vendor_r14", NULLIF("btrim"("segment_r24", (' 	
')::"text"), ('')::"text") AS "segment_r15", NULLIF("btrim"("value_r25", (' 	
')::"text"), ('')::"text") AS "value_r16", COALESCE("remove_r26", false) AS "remove_r17", "payload_r27" AS "payload_r18" FROM (SELECT * FROM (SELECT "_s"."position" AS "position_r19", "_s"."event_id" AS "event_id_r20", "_s"."event_at" AS "event_at_r21", "_s"."user_id" AS "user_id_r22", "_s"."vendor" AS "vendor_r23", "_s"."segment" AS "segment_r24", "_s"."value" AS "value_r25", "_s"."remove" AS "remove_r26", "_s"."payload" AS "payload_r27" FROM "segmentation"."segment_events" AS "_s") AS _q WHERE ((hash_record_extended(ROW("vendor_r23", NULLIF("btrim"("segment_r24", (' 	
')::"text"), ('')::"text"), NULLIF("btrim"("user_id_r22", (' 	
')::"text"), ('')::"text")), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1, "_seg_k".k2), 0)) AND (CASE WHEN (("vendor_r23" IS NOT DISTINCT FROM "_seg_k".k0) AND (NULLIF("btrim"("segment_r24", (' 	
')::"text"), ('')::"text") IS NOT DISTINCT FROM "_seg_k".k1) AND (NULLIF("btrim"("user_id_r22", (' 	
')::"text"), ('')::"text") IS NOT DISTINCT FROM "_seg_k".k2)) THEN true ELSE false END))) AS _q) AS _q WHERE (("user_id_r13" IS NOT NULL) AND ("segment_r15" IS NOT NULL))) AS _q) AS _q WHERE (CASE WHEN "position_r2" < "_seg_k".p0 THEN true ELSE false END)) AS _q) AS _q WHERE "c" IS NOT NULL) AS _q ORDER BY "c" DESC NULLS FIRST LIMIT 1) AS _q) AS "_seg_r"
  ) AS "_seg_c0" ON true CROSS JOIN LATERAL (
    SELECT "event_id_41" AS "event_id_41", "event_at_42" AS "event_at_42", "user_id_43" AS "user_id_43", "vendor_44" AS "vendor_44", "segment_45" AS "segment_45", "remove_46" AS "remove_46", "value_47" AS "value_47", "previous_48" AS "previous_48", "position_20" AS "_seg_position_20" FROM (SELECT "event_id_31" AS "event_id_41", "event_at_32" AS "event_at_42", "user_id_33" AS "user_id_43", "vendor_34" AS "vendor_44", "segment_35" AS "segment_45", "remove_36" AS "remove_46", "value_37" AS "value_47", "previous_39" AS "previous_48", "position_20" AS "position_20" FROM (SELECT * FROM (SELECT "event_id_19" AS "event_id_31", "event_at_21" AS "event_at_32", "user_id_22" AS "user_id_33", "vendor_23" AS "vendor_34", "segment_24" AS "segment_35", "remove_26" AS "remove_36", "value_25" AS "value_37", "lag_28" AS "previous_remove_38", "lag_29" AS "previous_39", "max_30" AS "added_before_40", "position_20" AS "position_20" FROM (SELECT * FROM (SELECT *, "lag"("remove_26") OVER (ORDER BY "position_20") AS "lag_28", "lag"("payload_27") OVER (ORDER BY "position_20") AS "lag_29", (GREATEST("max"((CASE WHEN "remove_26" THEN 0 ELSE 1 END)) FILTER (WHERE "_seg_d" <= 0) OVER (ORDER BY "position_20" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), "_seg_c0".c0)) AS "max_30" FROM (SELECT "event_id_r1" AS "event_id_19", "position_r2" AS "position_20", "event_at_r3" AS "event_at_21", "user_id_r4" AS "user_id_22", "vendor_r5" AS "vendor_23", "segment_r6" AS "segment_24", "value_r7" AS "value_25", "remove_r8" AS "remove_26", "payload_r9" AS "payload_27", "d_r28" AS "_seg_d" FROM (SELECT "event_id_r1" AS "event_id_r1", "position_r2" AS "position_r2", "event_at_r3" AS "event_at_r3", "user_id_r4" AS "user_id_r4", "vendor_r5" AS "vendor_r5", "segment_r6" AS "segment_r6", "value_r7" AS "value_r7", "remove_r8" AS "remove_r8", "payload_r9" AS "payload_r9", 1 AS "d_r28" FROM (SELECT * FROM (SELECT * FROM (SELECT "event_id_r10" AS "event_id_r1", "position_r11" AS "position_r2", "event_at_r12" AS "event_at_r3", "user_id_r13" AS "user_id_r4", "vendor_r14" AS "vendor_r5", "segment_r15" AS "segment_r6", "value_r16" AS "value_r7", "remove_r17" AS "remove_r8", COALESCE("payload_r18", "jsonb_strip_nulls"("jsonb_build_object"('event', "event_id_r10", 'timestamp', "event_at_r12", 'user', "user_id_r13", 'segment', "jsonb_build_object"('vendor', "vendor_r14", 'name', "segment_r15"), 'value', "value_r16", 'remove', (CASE WHEN "remove_r17" THEN true ELSE (NULL)::"pg_catalog"."bool" END)))) AS "payload_r9" FROM (SELECT * FROM (SELECT "event_id_r20" AS "event_id_r10", "position_r19" AS "position_r11", "event_at_r21" AS "event_at_r12", NULLIF("btrim"("user_id_r22", (' 	
')::"text"), ('')::"text") AS "user_id_r13", "vendor_r23" AS "vendor_r14", NULLIF("btrim"("segment_r24", (' 	
')::"text"), ('')::"text") AS "segment_r15", NULLIF("btrim"("value_r25", (' 	
')::"text"), ('')::"text") AS "value_r16", COALESCE("remove_r26", false) AS "remove_r17", "payload_r27" AS "payload_r18" FROM (SELECT * FROM (SELECT "_s"."position" AS "position_r19", "_s"."event_id" AS "event_id_r20", "_s"."event_at" AS "event_at_r21", "_s"."user_id" AS "user_id_r22", "_s"."vendor" AS "vendor_r23", "_s"."segment" AS "segment_r24", "_s"."value" AS "value_r25", "_s"."remove" AS "remove_r26", "_s"."payload" AS "payload_r27" FROM "segmentation"."segment_events" AS "_s") AS _q WHERE ((hash_record_extended(ROW("vendor_r23", NULLIF("btrim"("segment_r24", (' 	
')::"text"), ('')::"text"), NULLIF("btrim"("user_id_r22", (' 	
')::"text"), ('')::"text")), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1, "_seg_k".k2), 0)) AND (CASE WHEN (("vendor_r23" IS NOT DISTINCT FROM "_seg_k".k0) AND (NULLIF("btrim"("segment_r24", (' 	
')::"text"), ('')::"text") IS NOT DISTINCT FROM "_seg_k".k1) AND (NULLIF("btrim"("user_id_r22", (' 	
')::"text"), ('')::"text") IS NOT DISTINCT FROM "_seg_k".k2)) THEN true ELSE false END))) AS _q) AS _q WHERE (("user_id_r13" IS NOT NULL) AND ("segment_r15" IS NOT NULL))) AS _q) AS _q WHERE ("position_r2" < "_seg_k".p0)) AS _q ORDER BY "position_r2" DESC NULLS FIRST LIMIT 1) AS _q) AS _q UNION ALL SELECT "event_id_r29", "position_r30", "event_at_r31", "user_id_r32", "vendor_r33", "segment_r34", "value_r35", "remove_r36", "payload_r37", "d_r56" FROM (SELECT "event_id_r29" AS "event_id_r29", "position_r30" AS "position_r30", "event_at_r31" AS "event_at_r31", "user_id_r32" AS "user_id_r32", "vendor_r33" AS "vendor_r33", "segment_r34" AS "segment_r34", "value_r35" AS "value_r35", "remove_r36" AS "remove_r36", "payload_r37" AS "payload_r37", 0 AS "d_r56" FROM (SELECT * FROM (SELECT "event_id_r38" AS "event_id_r29", "position_r39" AS "position_r30", "event_at_r40" AS "event_at_r31", "user_id_r41" AS "user_id_r32", "vendor_r42" AS "vendor_r33", "segment_r43" AS "segment_r34", "value_r44" AS "value_r35", "remove_r45" AS "remove_r36", COALESCE("payload_r46", "jsonb_strip_nulls"("jsonb_build_object"('event', "event_id_r38", 'timestamp', "event_at_r40", 'user', "user_id_r41", 'segment', "jsonb_build_object"('vendor', "vendor_r42", 'name', "segment_r43"), 'value', "value_r44", 'remove', (CASE WHEN "remove_r45" THEN true ELSE (NULL)::"pg_catalog"."bool" END)))) AS "payload_r37" FROM (SELECT * FROM (SELECT "event_id_r48" AS "event_id_r38", "position_r47" AS "position_r39", "event_at_r49" AS "event_at_r40", NULLIF("btrim"("user_id_r50", (' 	
')::"text"), ('')::"text") AS "user_id_r41", "vendor_r51" AS "vendor_r42", NULLIF("btrim"("segment_r52", (' 	
')::"text"), ('')::"text") AS "segment_r43", NULLIF("btrim"("value_r53", (' 	
')::"text"), ('')::"text") AS "value_r44", COALESCE("remove_r54", false) AS "remove_r45", "payload_r55" AS "payload_r46" FROM (SELECT * FROM (SELECT "_s"."position" AS "position_r47", "_s"."event_id" AS "event_id_r48", "_s"."event_at" AS "event_at_r49", "_s"."user_id" AS "user_id_r50", "_s"."vendor" AS "vendor_r51", "_s"."segment" AS "segment_r52", "_s"."value" AS "value_r53", "_s"."remove" AS "remove_r54", "_s"."payload" AS "payload_r55" FROM "segmentation"."segment_events" AS "_s") AS _q WHERE ((hash_record_extended(ROW("vendor_r51", NULLIF("btrim"("segment_r52", (' 	
')::"text"), ('')::"text"), NULLIF("btrim"("user_id_r50", (' 	
')::"text"), ('')::"text")), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1, "_seg_k".k2), 0)) AND ("vendor_r51" IS NOT DISTINCT FROM "_seg_k".k0) AND (NULLIF("btrim"("segment_r52", (' 	
')::"text"), ('')::"text") IS NOT DISTINCT FROM "_seg_k".k1) AND (NULLIF("btrim"("user_id_r50", (' 	
')::"text"), ('')::"text") IS NOT DISTINCT FROM "_seg_k".k2))) AS _q) AS _q WHERE (("user_id_r41" IS NOT NULL) AND ("segment_r43" IS NOT NULL))) AS _q) AS _q WHERE ("position_r30" >= "_seg_k".p0)) AS _q) AS _q) AS _q) AS _q WHERE "_seg_d" = 0) AS _q) AS _q WHERE (("added_before_40" = 1) AND ("remove_36" <> "previous_remove_38"))) AS _q) AS _q
  ) AS "_seg_q"
  UNION ALL
  SELECT "_seg_t"."event_id_41", "_seg_t"."event_at_42", "_seg_t"."user_id_43", "_seg_t"."vendor_44", "_seg_t"."segment_45", "_seg_t"."remove_46", "_seg_t"."value_47", "_seg_t"."previous_48", "_seg_t"."_seg_position_20", -1, "_seg_t".ctid
  FROM "_seg_start" AS "_seg_k" CROSS JOIN LATERAL (
    SELECT "_seg_t".ctid, "_seg_t"."event_id_41", "_seg_t"."event_at_42", "_seg_t"."user_id_43", "_seg_t"."vendor_44", "_seg_t"."segment_45", "_seg_t"."remove_46", "_seg_t"."value_47", "_seg_t"."previous_48", "_seg_t"."_seg_position_20" FROM "_seg"."segmentation.segment_toggles#1" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."vendor_44", "_seg_t"."segment_45", "_seg_t"."user_id_43"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1, "_seg_k".k2), 0) AND "_seg_t"."vendor_44" IS NOT DISTINCT FROM "_seg_k".k0 AND "_seg_t"."segment_45" IS NOT DISTINCT FROM "_seg_k".k1 AND "_seg_t"."user_id_43" IS NOT DISTINCT FROM "_seg_k".k2 AND ("_seg_t"."_seg_position_20" >= "_seg_k".p0)
    OFFSET 0) AS "_seg_t"
),
"_seg_delta" AS MATERIALIZED (
  SELECT "event_id_41", "event_at_42", "user_id_43", "vendor_44", "segment_45", "remove_46", "value_47", "previous_48", "_seg_position_20", sum("_seg_w")::integer AS "_seg_w", array_agg("_seg_place") FILTER (WHERE "_seg_w" < 0) AS "_seg_at"
  FROM "_seg_both" GROUP BY "event_id_41", "event_at_42", "user_id_43", "vendor_44", "segment_45", "remove_46", "value_47", "previous_48", "_seg_position_20" HAVING sum("_seg_w") <> 0
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.segment_toggles#1" WHERE ctid = ANY (ARRAY(
    SELECT unnest("_seg_at"[1:-"_seg_w"]) FROM "_seg_delta" WHERE "_seg_w" < 0))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.segment_toggles#1" ("event_id_41", "event_at_42", "user_id_43", "vendor_44", "segment_45", "remove_46", "value_47", "previous_48", "_seg_position_20")
  SELECT "_seg_d"."event_id_41", "_seg_d"."event_at_42", "_seg_d"."user_id_43", "_seg_d"."vendor_44", "_seg_d"."segment_45", "_seg_d"."remove_46", "_seg_d"."value_47", "_seg_d"."previous_48", "_seg_d"."_seg_position_20" FROM "_seg_delta" AS "_seg_d", generate_series(1, "_seg_d"."_seg_w") WHERE "_seg_d"."_seg_w" > 0
)
SELECT ARRAY(SELECT ROW("_seg_d"."event_id_41", "_seg_d"."event_at_42", "_seg_d"."user_id_43", "_seg_d"."vendor_44", "_seg_d"."segment_45", "_seg_d"."remove_46", "_seg_d"."value_47", "_seg_d"."previous_48", "_seg_d"."_seg_position_20")::"_seg"."segmentation.segment_toggles#1"
    FROM "_seg_delta" AS "_seg_d", generate_series(1, -"_seg_d"."_seg_w") WHERE "_seg_d"."_seg_w" < 0), ARRAY(SELECT ROW("_seg_d"."event_id_41", "_seg_d"."event_at_42", "_seg_d"."user_id_43", "_seg_d"."vendor_44", "_seg_d"."segment_45", "_seg_d"."remove_46", "_seg_d"."value_47", "_seg_d"."previous_48", "_seg_d"."_seg_position_20")::"_seg"."segmentation.segment_toggles#1"
    FROM "_seg_delta" AS "_seg_d", generate_series(1, "_seg_d"."_seg_w") WHERE "_seg_d"."_seg_w" > 0)

-- step 1: model "segment_toggles", after a change by step 0
WITH "_seg_sum" AS MATERIALIZED (
  SELECT "event_id", "event_at", "user_id", "vendor", "segment", "remove", "value", "previous", sum("_seg_w")::integer AS "_seg_w" FROM (
    SELECT "event_id", "event_at", "user_id", "vendor", "segment", "remove", "value", "previous", "_seg_w" FROM (SELECT "event_id_41" AS "event_id", "event_at_42" AS "event_at", "user_id_43" AS "user_id", "vendor_44" AS "vendor", "segment_45" AS "segment", "remove_46" AS "remove", "value_47" AS "value", "previous_48" AS "previous", "_w_2" AS "_seg_w" FROM (SELECT "_s"."event_id_41" AS "event_id_41", "_s"."event_at_42" AS "event_at_42", "_s"."user_id_43" AS "user_id_43", "_s"."vendor_44" AS "vendor_44", "_s"."segment_45" AS "segment_45", "_s"."remove_46" AS "remove_46", "_s"."value_47" AS "value_47", "_s"."previous_48" AS "previous_48", "_s"."_seg_w" AS "_w_2" FROM (SELECT "event_id_41", "event_at_42", "user_id_43", "vendor_44", "segment_45", "remove_46", "value_47", "previous_48", 1 AS "_seg_w" FROM unnest(_seg_n0) UNION ALL SELECT "event_id_41", "event_at_42", "user_id_43", "vendor_44", "segment_45", "remove_46", "value_47", "previous_48", -1 AS "_seg_w" FROM unnest(_seg_o0)) AS "_s") AS _q) AS _q
  ) AS "_seg_terms" GROUP BY "event_id", "event_at", "user_id", "vendor", "segment", "remove", "value", "previous" HAVING sum("_seg_w") <> 0
),
"_seg_delta" AS MATERIALIZED (
  SELECT "_seg_s"."event_id", "_seg_s"."event_at", "_seg_s"."user_id", "_seg_s"."vendor", "_seg_s"."segment", "_seg_s"."remove", "_seg_s"."value", "_seg_s"."previous", "_seg_s"."_seg_w", CASE WHEN "_seg_s"."_seg_w" < 0 THEN ARRAY(
    SELECT "_seg_t".ctid FROM "_seg"."segmentation.segment_toggles" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."event_id", "_seg_t"."event_at", "_seg_t"."user_id", "_seg_t"."vendor", "_seg_t"."segment", "_seg_t"."remove", "_seg_t"."value", "_seg_t"."previous"), 0) = hash_record_extended(ROW("_seg_s"."event_id", "_seg_s"."event_at", "_seg_s"."user_id", "_seg_s"."vendor", "_seg_s"."segment", "_seg_s"."remove", "_seg_s"."value", "_seg_s"."previous"), 0) AND "_seg_t"."event_id" IS NOT DISTINCT FROM "_seg_s"."event_id" AND "_seg_t"."event_at" IS NOT DISTINCT FROM "_seg_s"."event_at" AND "_seg_t"."user_id" IS NOT DISTINCT FROM "_seg_s"."user_id" AND "_seg_t"."vendor" IS NOT DISTINCT FROM "_seg_s"."vendor" AND "_seg_t"."segment" IS NOT DISTINCT FROM "_seg_s"."segment" AND "_seg_t"."remove" IS NOT DISTINCT FROM "_seg_s"."remove" AND "_seg_t"."value" IS NOT DISTINCT FROM "_seg_s"."value" AND "_seg_t"."previous" IS NOT DISTINCT FROM "_seg_s"."previous"
    LIMIT -"_seg_s"."_seg_w") END AS "_seg_at"
  FROM "_seg_sum" AS "_seg_s"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.segment_toggles" WHERE ctid = ANY (ARRAY(
    SELECT unnest("_seg_at"[1:-"_seg_w"]) FROM "_seg_delta" WHERE "_seg_w" < 0))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.segment_toggles" ("event_id", "event_at", "user_id", "vendor", "segment", "remove", "value", "previous")
  SELECT "_seg_d"."event_id", "_seg_d"."event_at", "_seg_d"."user_id", "_seg_d"."vendor", "_seg_d"."segment", "_seg_d"."remove", "_seg_d"."value", "_seg_d"."previous" FROM "_seg_delta" AS "_seg_d", generate_series(1, "_seg_d"."_seg_w") WHERE "_seg_d"."_seg_w" > 0
),
"_seg_logged" AS (
  INSERT INTO "_seg"."changelog" (epoch, node, weight, "row")
  SELECT _seg_epoch, 14, "_seg_w", "row" FROM (SELECT "_seg_d"."_seg_w", jsonb_build_object('event_id', "_seg_d"."event_id", 'event_at', "_seg_d"."event_at", 'user_id', "_seg_d"."user_id", 'vendor', "_seg_d"."vendor", 'segment', "_seg_d"."segment", 'remove', "_seg_d"."remove", 'value', "_seg_d"."value", 'previous', "_seg_d"."previous") AS "row" FROM "_seg_delta" AS "_seg_d") AS "_seg_v"
)
SELECT count(*) FROM "_seg_delta"
