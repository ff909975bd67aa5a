== when "segmentation"."pageviews" changes

-- step 0: model "visitor_sessions", intermediate result 1, always
WITH "_seg_start" AS MATERIALIZED (
  SELECT DISTINCT ON (k0) k0, p0, p1 FROM (
    SELECT (k0)::text AS k0, p0, p1 FROM (
    SELECT _q2."visitor_id_7" AS "k0", _q2."viewed_at_8" AS "p0", _q2."position_6" AS "p1" FROM (SELECT _s1."position" AS "position_6", NULLIF("btrim"(_s1."visitor_id", (' 	
')::"text"), ('')::"text") AS "visitor_id_7", _s1."viewed_at" AS "viewed_at_8", NULLIF("btrim"(_s1."event", (' 	
')::"text"), ('')::"text") AS "event_9" FROM (SELECT "position", "visitor_id", "viewed_at", "event" FROM _seg_new UNION ALL SELECT "position", "visitor_id", "viewed_at", "event" FROM _seg_old) AS _s1) AS _q2 WHERE (_q2."visitor_id_7" IS NOT NULL) AND (_q2."event_9" = ('pageview')::"text")
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
    SELECT _q1."visitor_id_20" AS "visitor_id_25", _q1."viewed_at_21" AS "viewed_at_26", _q1."sum_24" AS "session_number_29", _q1."position_22" AS "_seg_position_22" FROM (SELECT *, (coalesce("sum"(_q2."starts_session_23") FILTER (WHERE _q2."_seg_d" <= 0) OVER (ORDER BY _q2."viewed_at_21", _q2."position_22" ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) + "_seg_c".c0, "_seg_c".c0, "sum"(_q2."starts_session_23") FILTER (WHERE _q2."_seg_d" <= 0) OVER (ORDER BY _q2."viewed_at_21", _q2."position_22" ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW))) AS "sum_24" FROM (SELECT _q3."visitor_id_16" AS "visitor_id_20", _q3."viewed_at_17" AS "viewed_at_21", _q3."position_18" AS "position_22", (CASE WHEN (_q3."viewed_at_17" <= (_q3."lag_19" + ('00:05:00')::"pg_catalog"."interval")) THEN 0 ELSE 1 END) AS "starts_session_23", _q3."_seg_d" AS "_seg_d" FROM (SELECT *, "lag"(_q4."viewed_at_17") OVER (ORDER BY _q4."viewed_at_17", _q4."position_18") AS "lag_19" FROM (SELECT _q5."visitor_id_r1" AS "visitor_id_16", _q5."viewed_at_r2" AS "viewed_at_17", _q5."position_r3" AS "position_18", 1 AS "_seg_d" FROM (SELECT * FROM (SELECT _q8."visitor_id_r9" AS "visitor_id_r1", _q8."viewed_at_r10" AS "viewed_at_r2", _q8."position_r8" AS "position_r3" FROM (SELECT _s7."position" AS "position_r8", NULLIF("btrim"(_s7."visitor_id", (' 	
')::"text"), ('')::"text") AS "visitor_id_r9", _s7."viewed_at" AS "viewed_at_r10", NULLIF("btrim"(_s7."event", (' 	
')::"text"), ('')::"text") AS "event_r11" FROM "segmentation"."pageviews" AS _s7 WHERE ((hash_record_extended(ROW(NULLIF("btrim"(_s7."visitor_id", (' 	
')::"text"), ('')::"text")), 0) = hash_record_extended(ROW("_seg_k".k0), 0)) AND (CASE WHEN (NULLIF("btrim"(_s7."visitor_id", (' 	
')::"text"), ('')::"text") IS NOT DISTINCT FROM "_seg_k".k0) THEN true ELSE false END))) AS _q8 WHERE (_q8."visitor_id_r9" IS NOT NULL) AND (_q8."event_r11" = ('pageview')::"text") AND (ROW(_q8."viewed_at_r10", _q8."position_r8") < ROW("_seg_k".p0, "_seg_k".p1))) AS _q6 ORDER BY "viewed_at_r2" DESC NULLS FIRST, "position_r3" DESC NULLS FIRST LIMIT 1) AS _q5 UNION ALL SELECT _q10."visitor_id_r25" AS "visitor_id_16", _q10."viewed_at_r26" AS "viewed_at_17", _q10."position_r24" AS "position_18", 0 AS "_seg_d" FROM (SELECT _s9."position" AS "position_r24", NULLIF("btrim"(_s9."visitor_id", (' 	
')::"text"), ('')::"text") AS "visitor_id_r25", _s9."viewed_at" AS "viewed_at_r26", NULLIF("btrim"(_s9."event", (' 	
')::"text"), ('')::"text") AS "event_r27" FROM "segmentation"."pageviews" AS _s9 WHERE ((hash_record_extended(ROW(NULLIF("btrim"(_s9."visitor_id", (' 	
')::"text"), ('')::"text")), 0) = hash_record_extended(ROW("_seg_k".k0), 0)) AND (NULLIF("btrim"(_s9."visitor_id", (' 	
')::"text"), ('')::"text") IS NOT DISTINCT FROM "_seg_k".k0))) AS _q10 WHERE (_q10."visitor_id_r25" IS NOT NULL) AND (_q10."event_r27" = ('pageview')::"text") AND (ROW(_q10."viewed_at_r26", _q10."position_r24") >= ROW("_seg_k".p0, "_seg_k".p1))) AS _q4) AS _q3) AS _q2) AS _q1 WHERE _q1."_seg_d" = 0
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
    SELECT (_s1."visitor_id_25")::text AS "k0", (_s1."session_number_29")::bigint AS "k1", _s1."viewed_at_26" AS "p1_i", _s1."viewed_at_26" AS "p2_i", _s1."_seg_w" AS "_seg_w" FROM (SELECT "visitor_id_25", "viewed_at_26", "session_number_29", 1 AS "_seg_w" FROM unnest(_seg_n0) UNION ALL SELECT "visitor_id_25", "viewed_at_26", "session_number_29", -1 AS "_seg_w" FROM unnest(_seg_o0)) AS _s1
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
      SELECT _q1."count_42" AS "a3", _q1."min_43" AS "a1", _q1."max_44" AS "a2" FROM (SELECT _q2."visitor_id_25" AS "visitor_id_30", _q2."session_number_29" AS "session_number_31", count(*) AS "count_42", min(_q2."viewed_at_26") AS "min_43", max(_q2."viewed_at_26") AS "max_44" FROM (SELECT _s3."visitor_id_25" AS "visitor_id_25", _s3."viewed_at_26" AS "viewed_at_26", _s3."session_number_29" AS "session_number_29" FROM "_seg"."segmentation.visitor_sessions#1" AS _s3 WHERE ((hash_record_extended(ROW(_s3."visitor_id_25", _s3."session_number_29"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0)) AND (_s3."visitor_id_25" IS NOT DISTINCT FROM "_seg_k".k0) AND (_s3."session_number_29" IS NOT DISTINCT FROM "_seg_k".k1))) AS _q2 GROUP BY _q2."visitor_id_25", _q2."session_number_29") AS _q1
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
