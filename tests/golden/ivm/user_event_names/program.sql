== when "segmentation"."track_events" changes

-- step 0: model "user_event_names", always
WITH "_seg_rows" AS (
    SELECT (_q2."email_16")::text AS "k0", (_q2."event_name_13")::text AS "k1", _q2."position_12" AS "p1_i", _q2."received_at_19" AS "p2_i", _q2."_w_1" AS "_seg_w" FROM (SELECT _s1."position" AS "position_12", NULLIF("btrim"(_s1."event", (' 	
')::"text"), ('')::"text") AS "event_name_13", COALESCE(NULLIF("btrim"(_s1."traits_email", (' 	
')::"text"), ('')::"text"), NULLIF("btrim"(_s1."properties_email", (' 	
')::"text"), ('')::"text")) AS "email_16", COALESCE(_s1."received_at", _s1."event_at") AS "received_at_19", _s1."_seg_w" AS "_w_1" FROM (SELECT "position", "message_id", "event", "traits_email", "properties_email", "event_at", "received_at", 1 AS "_seg_w" FROM _seg_new UNION ALL SELECT "position", "message_id", "event", "traits_email", "properties_email", "event_at", "received_at", -1 AS "_seg_w" FROM _seg_old) AS _s1) AS _q2 WHERE ((_q2."email_16" IS NOT NULL) AND (_q2."event_name_13" IS NOT NULL))
),
"_seg_net" AS (
  SELECT k0, k1, p1_i, p2_i, sign("_seg_n")::integer AS "_seg_w" FROM (
    SELECT k0, k1, p1_i, p2_i, sum("_seg_w") AS "_seg_n" FROM "_seg_rows" GROUP BY k0, k1, p1_i, p2_i HAVING sum("_seg_w") <> 0
  ) AS "_seg_s", generate_series(1, abs("_seg_n"))
),
"_seg_pairs" AS MATERIALIZED (
  SELECT n0 AS "email", n1 AS "event_name", n2 AS "first_position", n3 AS "events", n4 AS "last_event_received_at", o0 AS _seg_o0, o1 AS _seg_o1, o2 AS _seg_o2, o3 AS _seg_o3, o4 AS _seg_o4, "_seg_place", nullif("_seg_kept", false) AS "_seg_new", "_seg_seen" FROM (
  SELECT *, NOT "_seg_kept" OR "_seg_place" IS NULL OR n2 IS DISTINCT FROM o2 OR n3 IS DISTINCT FROM o3 OR n4 IS DISTINCT FROM o4 AS "_seg_seen" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, o4, n2, n3, n4, k0 AS n0, k1 AS n1, coalesce(n3 > 0, false) AS "_seg_kept" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, o4, k0, k1, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a3 ELSE coalesce(o3, 0) + coalesce(p0_c, 0) END)::bigint AS n3, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a2 ELSE least(o2, p1_a) END)::bigint AS n2, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a4 ELSE greatest(o4, p2_a) END)::timestamp with time zone AS n4
  FROM (
  SELECT "_seg_k".*, "_seg_o".*, _seg_again OR (((p1_r IS NOT NULL AND NOT coalesce(p1_r > o2, false) AND NOT coalesce(p1_a <= o2, false)) OR (p2_r IS NOT NULL AND NOT coalesce(p2_r < o4, false) AND NOT coalesce(p2_a >= o4, false))) AND coalesce((coalesce(o3, 0) + coalesce(p0_c, 0)) > 0, false)) AS "_seg_reread"
  FROM (SELECT k0, k1, sum("_seg_w") AS p0_c, min(p1_i) FILTER (WHERE "_seg_w" > 0) AS p1_a, min(p1_i) FILTER (WHERE "_seg_w" < 0) AS p1_r, max(p2_i) FILTER (WHERE "_seg_w" > 0) AS p2_a, max(p2_i) FILTER (WHERE "_seg_w" < 0) AS p2_r
  FROM "_seg_net" AS "_seg_r" GROUP BY k0, k1 OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", "_seg_t"."email" AS o0, "_seg_t"."event_name" AS o1, "_seg_t"."first_position" AS o2, "_seg_t"."events" AS o3, "_seg_t"."last_event_received_at" AS o4 FROM "_seg"."segmentation.user_event_names" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."email", "_seg_t"."event_name"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0) AND "_seg_t"."email" IS NOT DISTINCT FROM "_seg_k".k0 AND "_seg_t"."event_name" IS NOT DISTINCT FROM "_seg_k".k1
    OFFSET 0) AS "_seg_o" ON true OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT * FROM (
      SELECT _q1."count_33" AS "a3", _q1."min_34" AS "a2", _q1."max_35" AS "a4" FROM (SELECT _q2."email_16" AS "email_20", _q2."event_name_13" AS "event_name_21", count(*) AS "count_33", min(_q2."position_12") AS "min_34", max(_q2."received_at_19") AS "max_35" FROM (SELECT _q4."position_12" AS "position_12", _q4."event_name_13" AS "event_name_13", _q4."email_16" AS "email_16", _q4."received_at_19" AS "received_at_19" FROM (SELECT _s3."position" AS "position_12", NULLIF("btrim"(_s3."event", (' 	
')::"text"), ('')::"text") AS "event_name_13", COALESCE(NULLIF("btrim"(_s3."traits_email", (' 	
')::"text"), ('')::"text"), NULLIF("btrim"(_s3."properties_email", (' 	
')::"text"), ('')::"text")) AS "email_16", COALESCE(_s3."received_at", _s3."event_at") AS "received_at_19" FROM "segmentation"."track_events" AS _s3 WHERE ((hash_record_extended(ROW(COALESCE(NULLIF("btrim"(_s3."traits_email", (' 	
')::"text"), ('')::"text"), NULLIF("btrim"(_s3."properties_email", (' 	
')::"text"), ('')::"text")), NULLIF("btrim"(_s3."event", (' 	
')::"text"), ('')::"text")), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0)) AND (COALESCE(NULLIF("btrim"(_s3."traits_email", (' 	
')::"text"), ('')::"text"), NULLIF("btrim"(_s3."properties_email", (' 	
')::"text"), ('')::"text")) IS NOT DISTINCT FROM "_seg_k".k0) AND (NULLIF("btrim"(_s3."event", (' 	
')::"text"), ('')::"text") IS NOT DISTINCT FROM "_seg_k".k1))) AS _q4 WHERE ((_q4."email_16" IS NOT NULL) AND (_q4."event_name_13" IS NOT NULL))) AS _q2 GROUP BY _q2."email_16", _q2."event_name_13") AS _q1
    ) AS "_seg_q" WHERE "_seg_k"."_seg_reread" OFFSET 0) AS "_seg_a" ON true OFFSET 0) AS "_seg_s" OFFSET 0) AS "_seg_n" OFFSET 0) AS "_seg_v"
  WHERE CASE WHEN NOT "_seg_kept" THEN "_seg_place" IS NOT NULL ELSE "_seg_seen" END
),
"_seg_changed" AS (
  UPDATE "_seg"."segmentation.user_event_names" AS "_seg_t" SET "email" = "_seg_p"."email", "event_name" = "_seg_p"."event_name", "first_position" = "_seg_p"."first_position", "events" = "_seg_p"."events", "last_event_received_at" = "_seg_p"."last_event_received_at" FROM "_seg_pairs" AS "_seg_p"
  WHERE "_seg_t".ctid = "_seg_p"."_seg_place" AND "_seg_p"."_seg_place" IS NOT NULL AND "_seg_p"."_seg_new"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.user_event_names" WHERE ctid = ANY (ARRAY(
    SELECT "_seg_place" FROM "_seg_pairs" WHERE "_seg_new" IS NULL))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.user_event_names" ("email", "event_name", "first_position", "events", "last_event_received_at") SELECT "_seg_p"."email", "_seg_p"."event_name", "_seg_p"."first_position", "_seg_p"."events", "_seg_p"."last_event_received_at" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NULL
)
SELECT count(*) FROM "_seg_pairs"
