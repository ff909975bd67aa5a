== when "segmentation"."segment_events" changes

-- step 0: model "segment_toggles", always
WITH "_seg_start" AS MATERIALIZED (
  SELECT DISTINCT ON (k0, k1, k2) k0, k1, k2, p0 FROM (
    SELECT (k0)::integer AS k0, (k1)::text AS k1, (k2)::text AS k2, p0 FROM (
    SELECT _q2."vendor_14" AS "k0", _q2."segment_15" AS "k1", _q2."user_id_13" AS "k2", _q2."position_11" AS "p0" FROM (SELECT _s1."position" AS "position_11", NULLIF("btrim"(_s1."user_id", (' 	
')::"text"), ('')::"text") AS "user_id_13", _s1."vendor" AS "vendor_14", NULLIF("btrim"(_s1."segment", (' 	
')::"text"), ('')::"text") AS "segment_15" FROM (SELECT "position", "event_id", "event_at", "user_id", "vendor", "segment", "value", "remove", "payload" FROM _seg_new UNION ALL SELECT "position", "event_id", "event_at", "user_id", "vendor", "segment", "value", "remove", "payload" FROM _seg_old) AS _s1) AS _q2 WHERE ((_q2."user_id_13" IS NOT NULL) AND (_q2."segment_15" IS NOT NULL))
    ) AS "_seg_touched"
  ) AS "_seg_typed" ORDER BY k0, k1, k2, p0 NULLS LAST
),
"_seg_both" AS (
  SELECT "_seg_q".*, 1 AS "_seg_w", NULL::tid AS "_seg_place"
  FROM "_seg_start" AS "_seg_k" LEFT JOIN LATERAL (
    SELECT true AS found, "_seg_r".c AS c0 FROM (SELECT _q1."c" AS "c" FROM (SELECT * FROM (SELECT _q5."c" AS "c" FROM (SELECT (CASE WHEN _q4."remove_r17" THEN 0 ELSE 1 END) AS "c" FROM (SELECT _s3."event_id" AS "event_id_r10", _s3."position" AS "position_r11", _s3."event_at" AS "event_at_r12", NULLIF("btrim"(_s3."user_id", (' 	
')::"text"), ('')::"text") AS "user_id_r13", _s3."vendor" AS "vendor_r14", NULLIF("btrim"(_s3."segment", (' 	
')::"text"), ('')::"text") AS "segment_r15", NULLIF("btrim"(_s3."value", (' 	
')::"text"), ('')::"text") AS "value_r16", COALESCE(_s3."remove", false) AS "remove_r17", _s3."payload" AS "payload_r18" FROM "segmentation"."segment_events" AS _s3 WHERE ((hash_record_extended(ROW(_s3."vendor", NULLIF("btrim"(_s3."segment", (' 	
')::"text"), ('')::"text"), NULLIF("btrim"(_s3."user_id", (' 	
')::"text"), ('')::"text")), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1, "_seg_k".k2), 0)) AND (CASE WHEN ((_s3."vendor" IS NOT DISTINCT FROM "_seg_k".k0) AND (NULLIF("btrim"(_s3."segment", (' 	
')::"text"), ('')::"text") IS NOT DISTINCT FROM "_seg_k".k1) AND (NULLIF("btrim"(_s3."user_id", (' 	
')::"text"), ('')::"text") IS NOT DISTINCT FROM "_seg_k".k2)) THEN true ELSE false END))) AS _q4 WHERE ((_q4."user_id_r13" IS NOT NULL) AND (_q4."segment_r15" IS NOT NULL)) AND (CASE WHEN _q4."position_r11" < "_seg_k".p0 THEN true ELSE false END)) AS _q5 WHERE _q5."c" IS NOT NULL) AS _q2 ORDER BY "c" DESC NULLS FIRST LIMIT 1) AS _q1) AS "_seg_r"
  ) AS "_seg_c0" ON true CROSS JOIN LATERAL (
    SELECT _q1."event_id_19" AS "event_id", _q1."event_at_21" AS "event_at", _q1."user_id_22" AS "user_id", _q1."vendor_23" AS "vendor", _q1."segment_24" AS "segment", _q1."remove_26" AS "remove", _q1."value_25" AS "value", _q1."lag_29" AS "previous", _q1."position_20" AS "_seg_position_20" FROM (SELECT *, "lag"(_q2."remove_26") OVER (ORDER BY _q2."position_20") AS "lag_28", "lag"(_q2."payload_27") OVER (ORDER BY _q2."position_20") AS "lag_29", (GREATEST("max"((CASE WHEN _q2."remove_26" THEN 0 ELSE 1 END)) FILTER (WHERE _q2."_seg_d" <= 0) OVER (ORDER BY _q2."position_20" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), "_seg_c0".c0)) AS "max_30" FROM (SELECT _q3."event_id_r1" AS "event_id_19", _q3."position_r2" AS "position_20", _q3."event_at_r3" AS "event_at_21", _q3."user_id_r4" AS "user_id_22", _q3."vendor_r5" AS "vendor_23", _q3."segment_r6" AS "segment_24", _q3."value_r7" AS "value_25", _q3."remove_r8" AS "remove_26", _q3."payload_r9" AS "payload_27", 1 AS "_seg_d" FROM (SELECT * FROM (SELECT _q6."event_id_r10" AS "event_id_r1", _q6."position_r11" AS "position_r2", _q6."event_at_r12" AS "event_at_r3", _q6."user_id_r13" AS "user_id_r4", _q6."vendor_r14" AS "vendor_r5", _q6."segment_r15" AS "segment_r6", _q6."value_r16" AS "value_r7", _q6."remove_r17" AS "remove_r8", COALESCE(_q6."payload_r18", "jsonb_strip_nulls"("jsonb_build_object"('event', _q6."event_id_r10", 'timestamp', _q6."event_at_r12", 'user', _q6."user_id_r13", 'segment', "jsonb_build_object"('vendor', _q6."vendor_r14", 'name', _q6."segment_r15"), 'value', _q6."value_r16", 'remove', (CASE WHEN _q6."remove_r17" THEN true ELSE (NULL)::"pg_catalog"."bool" END)))) AS "payload_r9" FROM (SELECT _s5."event_id" AS "event_id_r10", _s5."position" AS "position_r11", _s5."event_at" AS "event_at_r12", NULLIF("btrim"(_s5."user_id", (' 	
')::"text"), ('')::"text") AS "user_id_r13", _s5."vendor" AS "vendor_r14", NULLIF("btrim"(_s5."segment", (' 	
')::"text"), ('')::"text") AS "segment_r15", NULLIF("btrim"(_s5."value", (' 	
')::"text"), ('')::"text") AS "value_r16", COALESCE(_s5."remove", false) AS "remove_r17", _s5."payload" AS "payload_r18" FROM "segmentation"."segment_events" AS _s5 WHERE ((hash_record_extended(ROW(_s5."vendor", NULLIF("btrim"(_s5."segment", (' 	
')::"text"), ('')::"text"), NULLIF("btrim"(_s5."user_id", (' 	
')::"text"), ('')::"text")), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1, "_seg_k".k2), 0)) AND (CASE WHEN ((_s5."vendor" IS NOT DISTINCT FROM "_seg_k".k0) AND (NULLIF("btrim"(_s5."segment", (' 	
')::"text"), ('')::"text") IS NOT DISTINCT FROM "_seg_k".k1) AND (NULLIF("btrim"(_s5."user_id", (' 	
')::"text"), ('')::"text") IS NOT DISTINCT FROM "_seg_k".k2)) THEN true ELSE false END))) AS _q6 WHERE ((_q6."user_id_r13" IS NOT NULL) AND (_q6."segment_r15" IS NOT NULL)) AND (_q6."position_r11" < "_seg_k".p0)) AS _q4 ORDER BY "position_r2" DESC NULLS FIRST LIMIT 1) AS _q3 UNION ALL SELECT _q8."event_id_r38" AS "event_id_19", _q8."position_r39" AS "position_20", _q8."event_at_r40" AS "event_at_21", _q8."user_id_r41" AS "user_id_22", _q8."vendor_r42" AS "vendor_23", _q8."segment_r43" AS "segment_24", _q8."value_r44" AS "value_25", _q8."remove_r45" AS "remove_26", COALESCE(_q8."payload_r46", "jsonb_strip_nulls"("jsonb_build_object"('event', _q8."event_id_r38", 'timestamp', _q8."event_at_r40", 'user', _q8."user_id_r41", 'segment', "jsonb_build_object"('vendor', _q8."vendor_r42", 'name', _q8."segment_r43"), 'value', _q8."value_r44", 'remove', (CASE WHEN _q8."remove_r45" THEN true ELSE (NULL)::"pg_catalog"."bool" END)))) AS "payload_27", 0 AS "_seg_d" FROM (SELECT _s7."event_id" AS "event_id_r38", _s7."position" AS "position_r39", _s7."event_at" AS "event_at_r40", NULLIF("btrim"(_s7."user_id", (' 	
')::"text"), ('')::"text") AS "user_id_r41", _s7."vendor" AS "vendor_r42", NULLIF("btrim"(_s7."segment", (' 	
')::"text"), ('')::"text") AS "segment_r43", NULLIF("btrim"(_s7."value", (' 	
')::"text"), ('')::"text") AS "value_r44", COALESCE(_s7."remove", false) AS "remove_r45", _s7."payload" AS "payload_r46" FROM "segmentation"."segment_events" AS _s7 WHERE ((hash_record_extended(ROW(_s7."vendor", NULLIF("btrim"(_s7."segment", (' 	
')::"text"), ('')::"text"), NULLIF("btrim"(_s7."user_id", (' 	
')::"text"), ('')::"text")), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1, "_seg_k".k2), 0)) AND (_s7."vendor" IS NOT DISTINCT FROM "_seg_k".k0) AND (NULLIF("btrim"(_s7."segment", (' 	
')::"text"), ('')::"text") IS NOT DISTINCT FROM "_seg_k".k1) AND (NULLIF("btrim"(_s7."user_id", (' 	
')::"text"), ('')::"text") IS NOT DISTINCT FROM "_seg_k".k2))) AS _q8 WHERE ((_q8."user_id_r41" IS NOT NULL) AND (_q8."segment_r43" IS NOT NULL)) AND (_q8."position_r39" >= "_seg_k".p0)) AS _q2) AS _q1 WHERE _q1."_seg_d" = 0 AND ((_q1."max_30" = 1) AND (_q1."remove_26" <> _q1."lag_28"))
  ) AS "_seg_q"
  UNION ALL
  SELECT "_seg_t"."event_id", "_seg_t"."event_at", "_seg_t"."user_id", "_seg_t"."vendor", "_seg_t"."segment", "_seg_t"."remove", "_seg_t"."value", "_seg_t"."previous", "_seg_t"."_seg_position_20", -1, "_seg_t".ctid
  FROM "_seg_start" AS "_seg_k" CROSS JOIN LATERAL (
    SELECT "_seg_t".ctid, "_seg_t"."event_id", "_seg_t"."event_at", "_seg_t"."user_id", "_seg_t"."vendor", "_seg_t"."segment", "_seg_t"."remove", "_seg_t"."value", "_seg_t"."previous", "_seg_t"."_seg_position_20" FROM "_seg"."segmentation.segment_toggles" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."vendor", "_seg_t"."segment", "_seg_t"."user_id"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1, "_seg_k".k2), 0) AND "_seg_t"."vendor" IS NOT DISTINCT FROM "_seg_k".k0 AND "_seg_t"."segment" IS NOT DISTINCT FROM "_seg_k".k1 AND "_seg_t"."user_id" IS NOT DISTINCT FROM "_seg_k".k2 AND ("_seg_t"."_seg_position_20" >= "_seg_k".p0)
    OFFSET 0) AS "_seg_t"
),
"_seg_delta" AS MATERIALIZED (
  SELECT "event_id", "event_at", "user_id", "vendor", "segment", "remove", "value", "previous", "_seg_position_20", sum("_seg_w")::integer AS "_seg_w", array_agg("_seg_place") FILTER (WHERE "_seg_w" < 0) AS "_seg_at"
  FROM "_seg_both" GROUP BY "event_id", "event_at", "user_id", "vendor", "segment", "remove", "value", "previous", "_seg_position_20" HAVING sum("_seg_w") <> 0
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.segment_toggles" WHERE ctid = ANY (ARRAY(
    SELECT unnest("_seg_at"[1:-"_seg_w"]) FROM "_seg_delta" WHERE "_seg_w" < 0))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.segment_toggles" ("event_id", "event_at", "user_id", "vendor", "segment", "remove", "value", "previous", "_seg_position_20")
  SELECT "_seg_d"."event_id", "_seg_d"."event_at", "_seg_d"."user_id", "_seg_d"."vendor", "_seg_d"."segment", "_seg_d"."remove", "_seg_d"."value", "_seg_d"."previous", "_seg_d"."_seg_position_20" FROM "_seg_delta" AS "_seg_d", generate_series(1, "_seg_d"."_seg_w") WHERE "_seg_d"."_seg_w" > 0
),
"_seg_logged" AS (
  INSERT INTO "_seg"."changelog" (epoch, node, weight, "row")
  SELECT _seg_epoch, 14, sum("_seg_w"), "row" FROM (SELECT "_seg_d"."_seg_w", jsonb_build_object('event_id', "_seg_d"."event_id", 'event_at', "_seg_d"."event_at", 'user_id', "_seg_d"."user_id", 'vendor', "_seg_d"."vendor", 'segment', "_seg_d"."segment", 'remove', "_seg_d"."remove", 'value', "_seg_d"."value", 'previous', "_seg_d"."previous") AS "row" FROM "_seg_delta" AS "_seg_d") AS "_seg_v" GROUP BY "row" HAVING sum("_seg_w") <> 0
)
SELECT count(*) FROM "_seg_delta"
