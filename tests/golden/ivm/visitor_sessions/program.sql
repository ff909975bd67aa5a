== when "segmentation"."pageviews" changes

-- step 0: model "visitor_sessions", intermediate result 1, always
WITH "_seg_start" AS MATERIALIZED (
  SELECT DISTINCT ON (k0) k0, p0, p1 FROM (
    SELECT (k0)::text AS k0, p0, p1 FROM (
    SELECT "visitor_id_16" AS "k0", "viewed_at_17" AS "p0", "position_18" AS "p1" FROM (SELECT "visitor_id_12" AS "visitor_id_16", "viewed_at_13" AS "viewed_at_17", "position_11" AS "position_18" FROM (SELECT * FROM (SELECT "position_6" AS "position_11", "visitor_id_7" AS "visitor_id_12", "viewed_at_8" AS "viewed_at_13", "event_9" AS "event_14" FROM (SELECT * FROM (SELECT "position_1" AS "position_6", NULLIF("btrim"("visitor_id_2", (' 	
')::"text"), ('')::"text") AS "visitor_id_7", "viewed_at_3" AS "viewed_at_8", NULLIF("btrim"("event_4", (' 	
')::"text"), ('')::"text") AS "event_9" FROM (SELECT "_s"."position" AS "position_1", "_s"."visitor_id" AS "visitor_id_2", "_s"."viewed_at" AS "viewed_at_3", "_s"."event" AS "event_4" FROM (SELECT "position", "visitor_id", "viewed_at", "event" FROM _seg_new UNION ALL SELECT "position", "visitor_id", "viewed_at", "event" FROM _seg_old) AS "_s") AS _q) AS _q WHERE ("visitor_id_7" IS NOT NULL)) AS _q) AS _q WHERE ("event_14" = ('pageview')::"text")) AS _q) AS _q
    ) AS "_seg_touched"
  ) AS "_seg_typed" ORDER BY k0, p0 NULLS LAST, p1 NULLS LAST
),
"_seg_both" AS (
  SELECT "_seg_q".*, 1 AS "_seg_w", NULL::tid AS "_seg_place"
  FROM "_seg_start" AS "_seg_k" LEFT JOIN LATERAL (
    SELECT true AS found, "_seg_t"."session_number_29" AS c0 FROM "_seg"."segmentation.visitor_sessions#1" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."visitor_id_25"), 0) = hash_record_extended(ROW("_seg_k".k0), 0) AND CASE WHEN "_seg_t"."visitor_id_25" IS NOT DISTINCT FROM "_seg_k".k0 THEN true ELSE false END AND (ROW("_seg_t"."viewed_at_26", "_seg_t"."_seg_position_22") < ROW("_seg_k".p0, "_seg_k".p1))
    ORDER BY "_seg_t"."viewed_at_26" DESC NULLS FIRST, "_seg_t"."_seg_position_22" DESC NULLS FIRST LIMIT 1
  ) AS "_seg_c" ON true CROSS JOIN LATERAL (
    SELECT "visitor_id_25" AS "visitor_id_25", "viewed_at_26" AS "viewed_at_26", "session_number_29" AS "session_number_29", "position_22" AS "_seg_position_22" FROM (SELECT "visitor_id_20" AS "visitor_id_25", "viewed_at_21" AS "viewed_at_26", "sum_24" AS "session_number_29", "position_22" AS "position_22" FROM (SELECT * FROM (SELECT *, (coalesce("sum"("starts_session_23") FILTER (WHERE "_seg_d" <= 0) OVER (ORDER BY "viewed_at_21", "position_22" ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) + "_seg_c".c0, "_seg_c".c0, "sum"("starts_session_23") FILTER (WHERE "_seg_d" <= 0) OVER (ORDER BY "viewed_at_21", "position_22" ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW))) AS "sum_24" FROM (SELECT "visitor_id_16" AS "visitor_id_20", "viewed_at_17" AS "viewed_at_21", "position_18" AS "position_22", (CASE WHEN ("viewed_at_17" <= ("lag_19" + ('00:05:00')::"pg_catalog"."interval")) THEN 0 ELSE 1 END) AS "starts_session_23", "_seg_d" AS "_seg_d" FROM (SELECT *, "lag"("viewed_at_17") OVER (ORDER BY "viewed_at_17", "position_18") AS "lag_19" FROM (SELECT "visitor_id_r1" AS "visitor_id_16", "viewed_at_r2" AS "viewed_at_17", "position_r3" AS "position_18", "d_r16" AS "_seg_d" FROM (SELECT "visitor_id_r1" AS "visitor_id_r1", "viewed_at_r2" AS "viewed_at_r2", "position_r3" AS "position_r3", 1 AS "d_r16" FROM (SELECT * FROM (SELECT * FROM (SELECT "visitor_id_r5" AS "visitor_id_r1", "viewed_at_r6" AS "viewed_at_r2", "position_r4" AS "position_r3" FROM (SELECT * FROM (SELECT "position_r8" AS "position_r4", "visitor_id_r9" AS "visitor_id_r5", "viewed_at_r10" AS "viewed_at_r6", "event_r11" AS "event_r7" FROM (SELECT * FROM (SELECT "position_r12" AS "position_r8", NULLIF("btrim"("visitor_id_r13", (' 	
')::"text"), ('')::"text") AS "visitor_id_r9", "viewed_at_r14" AS "viewed_at_r10", NULLIF("btrim"("event_r15", (' 	
')::"text"), ('')::"text") AS "event_r11" FROM (SELECT * FROM (SELECT "_s"."position" AS "position_r12", "_s"."visitor_id" AS "visitor_id_r13", "_s"."viewed_at" AS "viewed_at_r14", "_s"."event" AS "event_r15" FROM "segmentation"."pageviews" AS "_s") AS _q WHERE ((hash_record_extended(ROW(NULLIF("btrim"("visitor_id_r13", (' 	
')::"text"), ('')::"text")), 0) = hash_record_extended(ROW("_seg_k".k0), 0)) AND (CASE WHEN (NULLIF("btrim"("visitor_id_r13", (' 	
')::"text"), ('')::"text") IS NOT DISTINCT FROM "_seg_k".k0) THEN true ELSE false END))) AS _q) AS _q WHERE ("visitor_id_r9" IS NOT NULL)) AS _q) AS _q WHERE ("event_r7" = ('pageview')::"text")) AS _q) AS _q WHERE (ROW("viewed_at_r2", "position_r3") < ROW("_seg_k".p0, "_seg_k".p1))) AS _q ORDER BY "viewed_at_r2" DESC NULLS FIRST, "position_r3" DESC NULLS FIRST LIMIT 1) AS _q) AS _q UNION ALL SELECT "visitor_id_r17", "viewed_at_r18", "position_r19", "d_r32" FROM (SELECT "visitor_id_r17" AS "visitor_id_r17", "viewed_at_r18" AS "viewed_at_r18", "position_r19" AS "position_r19", 0 AS "d_r32" FROM (SELECT * FROM (SELECT "visitor_id_r21" AS "visitor_id_r17", "viewed_at_r22" AS "viewed_at_r18", "position_r20" AS "position_r19" FROM (SELECT * FROM (SELECT "position_r24" AS "position_r20", "visitor_id_r25" AS "visitor_id_r21", "viewed_at_r26" AS "viewed_at_r22", "event_r27" AS "event_r23" FROM (SELECT * FROM (SELECT "position_r28" AS "position_r24", NULLIF("btrim"("visitor_id_r29", (' 	
')::"text"), ('')::"text") AS "visitor_id_r25", "viewed_at_r30" AS "viewed_at_r26", NULLIF("btrim"("event_r31", (' 	
')::"text"), ('')::"text") AS "event_r27" FROM (SELECT * FROM (SELECT "_s"."position" AS "position_r28", "_s"."visitor_id" AS "visitor_id_r29", "_s"."viewed_at" AS "viewed_at_r30", "_s"."event" AS "event_r31" FROM "segmentation"."pageviews" AS "_s") AS _q WHERE ((hash_record_extended(ROW(NULLIF("btrim"("visitor_id_r29", (' 	
')::"text"), ('')::"text")), 0) = hash_record_extended(ROW("_seg_k".k0), 0)) AND (NULLIF("btrim"("visitor_id_r29", (' 	
')::"text"), ('')::"text") IS NOT DISTINCT FROM "_seg_k".k0))) AS _q) AS _q WHERE ("visitor_id_r25" IS NOT NULL)) AS _q) AS _q WHERE ("event_r23" = ('pageview')::"text")) AS _q) AS _q WHERE (ROW("viewed_at_r18", "position_r19") >= ROW("_seg_k".p0, "_seg_k".p1))) AS _q) AS _q) AS _q) AS _q) AS _q) AS _q WHERE "_seg_d" = 0) AS _q) AS _q
  ) AS "_seg_q"
  UNION ALL
  SELECT "_seg_t"."visitor_id_25", "_seg_t"."viewed_at_26", "_seg_t"."session_number_29", "_seg_t"."_seg_position_22", -1, "_seg_t".ctid
  FROM "_seg_start" AS "_seg_k" CROSS JOIN LATERAL (
    SELECT "_seg_t".ctid, "_seg_t"."visitor_id_25", "_seg_t"."viewed_at_26", "_seg_t"."session_number_29", "_seg_t"."_seg_position_22" FROM "_seg"."segmentation.visitor_sessions#1" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."visitor_id_25"), 0) = hash_record_extended(ROW("_seg_k".k0), 0) AND "_seg_t"."visitor_id_25" IS NOT DISTINCT FROM "_seg_k".k0 AND (ROW("_seg_t"."viewed_at_26", "_seg_t"."_seg_position_22") >= ROW("_seg_k".p0, "_seg_k".p1))
    OFFSET 0) AS "_seg_t"
),
"_seg_delta" AS MATERIALIZED (
  SELECT "visitor_id_25", "viewed_at_26", "session_number_29", "_seg_position_22", sum("_seg_w")::integer AS "_seg_w", array_agg("_seg_place") FILTER (WHERE "_seg_w" < 0) AS "_seg_at"
  FROM "_seg_both" GROUP BY "visitor_id_25", "viewed_at_26", "session_number_29", "_seg_position_22" HAVING sum("_seg_w") <> 0
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.visitor_sessions#1" WHERE ctid = ANY (ARRAY(
    SELECT unnest("_seg_at"[1:-"_seg_w"]) FROM "_seg_delta" WHERE "_seg_w" < 0))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.visitor_sessions#1" ("visitor_id_25", "viewed_at_26", "session_number_29", "_seg_position_22")
  SELECT "_seg_d"."visitor_id_25", "_seg_d"."viewed_at_26", "_seg_d"."session_number_29", "_seg_d"."_seg_position_22" FROM "_seg_delta" AS "_seg_d", generate_series(1, "_seg_d"."_seg_w") WHERE "_seg_d"."_seg_w" > 0
)
SELECT ARRAY(SELECT ROW("_seg_d"."visitor_id_25", "_seg_d"."viewed_at_26", "_seg_d"."session_number_29", "_seg_d"."_seg_position_22")::"_seg"."segmentation.visitor_sessions#1"
    FROM "_seg_delta" AS "_seg_d", generate_series(1, -"_seg_d"."_seg_w") WHERE "_seg_d"."_seg_w" < 0), ARRAY(SELECT ROW("_seg_d"."visitor_id_25", "_seg_d"."viewed_at_26", "_seg_d"."session_number_29", "_seg_d"."_seg_position_22")::"_seg"."segmentation.visitor_sessions#1"
    FROM "_seg_delta" AS "_seg_d", generate_series(1, "_seg_d"."_seg_w") WHERE "_seg_d"."_seg_w" > 0)

-- step 1: model "visitor_sessions", after a change by step 0
WITH "_seg_rows" AS (
    SELECT "k0", "k1", "p1_i", "p2_i", "_seg_w" FROM (SELECT "k0" AS "k0", "k1" AS "k1", "p1_i" AS "p1_i", "p2_i" AS "p2_i", "_w_2" AS "_seg_w" FROM (SELECT ("visitor_id_25")::text AS "k0", ("session_number_29")::bigint AS "k1", "viewed_at_26" AS "p1_i", "viewed_at_26" AS "p2_i", "_w_2" AS "_w_2" FROM (SELECT "_s"."visitor_id_25" AS "visitor_id_25", "_s"."viewed_at_26" AS "viewed_at_26", "_s"."session_number_29" AS "session_number_29", "_s"."_seg_w" AS "_w_2" FROM (SELECT "visitor_id_25", "viewed_at_26", "session_number_29", 1 AS "_seg_w" FROM unnest(_seg_n0) UNION ALL SELECT "visitor_id_25", "viewed_at_26", "session_number_29", -1 AS "_seg_w" FROM unnest(_seg_o0)) AS "_s") AS _q) AS _q) AS _q
),
"_seg_net" AS (
  SELECT k0, k1, p1_i, p2_i, sign("_seg_n")::integer AS "_seg_w" FROM (
    SELECT k0, k1, p1_i, p2_i, sum("_seg_w") AS "_seg_n" FROM "_seg_rows" GROUP BY k0, k1, p1_i, p2_i HAVING sum("_seg_w") <> 0
  ) AS "_seg_s", generate_series(1, abs("_seg_n"))
),
"_seg_pairs" AS MATERIALIZED (
  SELECT n0 AS "visitor_id", n1 AS "started_at", n2 AS "ended_at", n3 AS "pageviews", n4 AS "_seg_session_number_31", o0 AS _seg_o0, o1 AS _seg_o1, o2 AS _seg_o2, o3 AS _seg_o3, o4 AS _seg_o4, "_seg_place", nullif("_seg_kept", false) AS "_seg_new", "_seg_seen" FROM (
  SELECT *, NOT "_seg_kept" OR "_seg_place" IS NULL OR n1 IS DISTINCT FROM o1 OR n2 IS DISTINCT FROM o2 OR n3 IS DISTINCT FROM o3 AS "_seg_seen" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, o4, n1, n2, n3, k0 AS n0, k1 AS n4, coalesce(n3 > 0, false) AS "_seg_kept" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, o4, k0, k1, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a3 ELSE coalesce(o3, 0) + coalesce(p0_c, 0) END)::bigint AS n3, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a1 ELSE least(o1, p1_a) END)::timestamp with time zone AS n1, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a2 ELSE greatest(o2, p2_a) END)::timestamp with time zone AS n2
  FROM (
  SELECT "_seg_k".*, "_seg_o".*, _seg_again OR (((p1_r IS NOT NULL AND NOT coalesce(p1_r > o1, false) AND NOT coalesce(p1_a <= o1, false)) OR (p2_r IS NOT NULL AND NOT coalesce(p2_r < o2, false) AND NOT coalesce(p2_a >= o2, false))) AND coalesce((coalesce(o3, 0) + coalesce(p0_c, 0)) > 0, false)) AS "_seg_reread"
  FROM (SELECT k0, k1, sum("_seg_w") AS p0_c, min(p1_i) FILTER (WHERE "_seg_w" > 0) AS p1_a, min(p1_i) FILTER (WHERE "_seg_w" < 0) AS p1_r, max(p2_i) FILTER (WHERE "_seg_w" > 0) AS p2_a, max(p2_i) FILTER (WHERE "_seg_w" < 0) AS p2_r
  FROM "_seg_net" AS "_seg_r" GROUP BY k0, k1 OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", "_seg_t"."visitor_id" AS o0, "_seg_t"."started_at" AS o1, "_seg_t"."ended_at" AS o2, "_seg_t"."pageviews" AS o3, "_seg_t"."_seg_session_number_31" AS o4 FROM "_seg"."segmentation.visitor_sessions" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."visitor_id", "_seg_t"."_seg_session_number_31"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0) AND "_seg_t"."visitor_id" IS NOT DISTINCT FROM "_seg_k".k0 AND "_seg_t"."_seg_session_number_31" IS NOT DISTINCT FROM "_seg_k".k1
    OFFSET 0) AS "_seg_o" ON true OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT * FROM (
      SELECT "pageviews_38" AS "a3", "started_at_36" AS "a1", "ended_at_37" AS "a2" FROM (SELECT "visitor_id_30" AS "visitor_id_35", "min_43" AS "started_at_36", "max_44" AS "ended_at_37", "count_42" AS "pageviews_38", "session_number_31" AS "session_number_31" FROM (SELECT "visitor_id_25" AS "visitor_id_30", "session_number_29" AS "session_number_31", count(*) AS "count_42", min("viewed_at_26") AS "min_43", max("viewed_at_26") AS "max_44" FROM (SELECT * FROM (SELECT "_s"."visitor_id_25" AS "visitor_id_25", "_s"."viewed_at_26" AS "viewed_at_26", "_s"."session_number_29" AS "session_number_29" FROM "_seg"."segmentation.visitor_sessions#1" AS "_s") AS _q WHERE ((hash_record_extended(ROW("visitor_id_25", "session_number_29"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0)) AND ("visitor_id_25" IS NOT DISTINCT FROM "_seg_k".k0) AND ("session_number_29" IS NOT DISTINCT FROM "_seg_k".k1))) AS _q GROUP BY "visitor_id_25", "session_number_29") AS _q) AS _q
    ) AS "_seg_q" WHERE "_seg_k"."_seg_reread" OFFSET 0) AS "_seg_a" ON true OFFSET 0) AS "_seg_s" OFFSET 0) AS "_seg_n" OFFSET 0) AS "_seg_v"
  WHERE CASE WHEN NOT "_seg_kept" THEN "_seg_place" IS NOT NULL ELSE "_seg_seen" END
),
"_seg_changed" AS (
  UPDATE "_seg"."segmentation.visitor_sessions" AS "_seg_t" SET "visitor_id" = "_seg_p"."visitor_id", "started_at" = "_seg_p"."started_at", "ended_at" = "_seg_p"."ended_at", "pageviews" = "_seg_p"."pageviews", "_seg_session_number_31" = "_seg_p"."_seg_session_number_31" FROM "_seg_pairs" AS "_seg_p"
  WHERE "_seg_t".ctid = "_seg_p"."_seg_place" AND "_seg_p"."_seg_place" IS NOT NULL AND "_seg_p"."_seg_new"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.visitor_sessions" WHERE ctid = ANY (ARRAY(
    SELECT "_seg_place" FROM "_seg_pairs" WHERE "_seg_new" IS NULL))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.visitor_sessions" ("visitor_id", "started_at", "ended_at", "pageviews", "_seg_session_number_31") SELECT "_seg_p"."visitor_id", "_seg_p"."started_at", "_seg_p"."ended_at", "_seg_p"."pageviews", "_seg_p"."_seg_session_number_31" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NULL
)
SELECT count(*) FROM "_seg_pairs"
