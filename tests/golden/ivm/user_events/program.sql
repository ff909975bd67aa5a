== when "segmentation"."track_events" changes

-- step 1: model "user_events", after a change by step 0
WITH "_seg_rows" AS (
    SELECT (_s1."email")::text AS "k0", coalesce(to_jsonb((_s1."event_name")::text), 'null'::jsonb) AS "p1_i", _s1."first_position" AS "p1_k0", ((_s1."events") IS DISTINCT FROM NULL) AS "p2_i", _s1."events" AS "p3_i", _s1."last_event_received_at" AS "p4_i", _s1."_seg_w" AS "_seg_w" FROM (SELECT "email", "event_name", "first_position", "events", "last_event_received_at", 1 AS "_seg_w" FROM unnest(_seg_n0) UNION ALL SELECT "email", "event_name", "first_position", "events", "last_event_received_at", -1 AS "_seg_w" FROM unnest(_seg_o0)) AS _s1
),
"_seg_net" AS (
  SELECT k0, p1_i, p1_k0, p2_i, p3_i, p4_i, sign("_seg_n")::integer AS "_seg_w" FROM (
    SELECT k0, p1_i, p1_k0, p2_i, p3_i, p4_i, sum("_seg_w") AS "_seg_n" FROM "_seg_rows" GROUP BY k0, p1_i, p1_k0, p2_i, p3_i, p4_i HAVING sum("_seg_w") <> 0
  ) AS "_seg_s", generate_series(1, abs("_seg_n"))
),
"_seg_pairs" AS MATERIALIZED (
  SELECT n0 AS "email", n1 AS "event_names", n2 AS "events", n3 AS "last_event_received_at", n4 AS "_seg_count_19", n5 AS "_seg_count_21", n6 AS "_seg_sum_22", o0 AS _seg_o0, o1 AS _seg_o1, o2 AS _seg_o2, o3 AS _seg_o3, o4 AS _seg_o4, o5 AS _seg_o5, o6 AS _seg_o6, "_seg_place", nullif("_seg_kept", false) AS "_seg_new", "_seg_seen" FROM (
  SELECT *, NOT "_seg_kept" OR "_seg_place" IS NULL OR n1 IS DISTINCT FROM o1 OR n2 IS DISTINCT FROM o2 OR n3 IS DISTINCT FROM o3 AS "_seg_seen" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, o4, o5, o6, n1, n3, n4, n5, n6, k0 AS n0, (n6)::"pg_catalog"."int8" AS n2, coalesce(n4 > 0, false) AS "_seg_kept" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, o4, o5, o6, k0, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a4 ELSE coalesce(o4, 0) + coalesce(p0_c, 0) END)::bigint AS n4, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a1 ELSE CASE WHEN (coalesce(o4, 0) + coalesce(p0_c, 0)) = 0 THEN NULL WHEN p1_a = 0 THEN o1 - p1_l::integer WHEN p1_r = 1 THEN jsonb_set(o1, ARRAY[p1_l::text], p1_ae) ELSE jsonb_insert(coalesce(o1, '[]'), ARRAY[p1_l::text], p1_ae) END END)::jsonb AS n1, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a5 ELSE coalesce(o5, 0) + coalesce(p2_c, 0) END)::bigint AS n5, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a6 ELSE CASE WHEN (coalesce(o5, 0) + coalesce(p2_c, 0)) > 0 THEN coalesce(o6, 0) + coalesce(p3_a, 0) - coalesce(p3_r, 0) END END)::numeric AS n6, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a3 ELSE greatest(o3, p4_a) END)::timestamp with time zone AS n3
  FROM (
  SELECT "_seg_k".*, "_seg_o".*, "_seg_n0".*, _seg_again OR ((NOT coalesce(p1_a <= 1 AND p1_r <= 1 AND NOT (p1_a = 1 AND p1_r = 1 AND p1_m) AND p1_s = p1_a AND p1_t = coalesce(jsonb_array_length(o1), 0) + p1_a - p1_r, false) OR (p4_r IS NOT NULL AND NOT coalesce(p4_r < o3, false) AND NOT coalesce(p4_a >= o3, false))) AND coalesce((coalesce(o4, 0) + coalesce(p0_c, 0)) > 0, false)) AS "_seg_reread"
  FROM (SELECT k0, sum("_seg_w") AS p0_c, count(*) FILTER (WHERE "_seg_w" > 0) AS p1_a, (array_agg(p1_i) FILTER (WHERE "_seg_w" > 0))[1] AS p1_ae, count(*) FILTER (WHERE "_seg_w" < 0) AS p1_r, (array_agg(p1_k0) FILTER (WHERE "_seg_w" > 0))[1] IS DISTINCT FROM (array_agg(p1_k0) FILTER (WHERE "_seg_w" < 0))[1] AS p1_m, CASE WHEN count(*) FILTER (WHERE "_seg_w" > 0) > 0 THEN (array_agg(p1_k0) FILTER (WHERE "_seg_w" > 0))[1] ELSE (array_agg(p1_k0) FILTER (WHERE "_seg_w" < 0))[1] END AS p1_x0, sum("_seg_w") FILTER (WHERE p2_i) AS p2_c, sum(p3_i) FILTER (WHERE "_seg_w" > 0) AS p3_a, sum(p3_i) FILTER (WHERE "_seg_w" < 0) AS p3_r, max(p4_i) FILTER (WHERE "_seg_w" > 0) AS p4_a, max(p4_i) FILTER (WHERE "_seg_w" < 0) AS p4_r
  FROM "_seg_net" AS "_seg_r" GROUP BY k0 OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", "_seg_t"."email" AS o0, "_seg_t"."event_names" AS o1, "_seg_t"."events" AS o2, "_seg_t"."last_event_received_at" AS o3, "_seg_t"."_seg_count_19" AS o4, "_seg_t"."_seg_count_21" AS o5, "_seg_t"."_seg_sum_22" AS o6 FROM "_seg"."segmentation.user_events" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."email"), 0) = hash_record_extended(ROW("_seg_k".k0), 0) AND "_seg_t"."email" IS NOT DISTINCT FROM "_seg_k".k0
    OFFSET 0) AS "_seg_o" ON true LEFT JOIN LATERAL (
    SELECT * FROM (SELECT _q1."p1_l" AS "p1_l", _q1."p1_s" AS "p1_s", _q1."p1_t" AS "p1_t" FROM (SELECT _q2."email_1" AS "email_6", count(*) FILTER (WHERE (coalesce(p1_o0 < "_seg_k".p1_x0, false) OR (p1_o0 IS NOT NULL AND "_seg_k".p1_x0 IS NULL))) AS "p1_l", count(*) FILTER (WHERE p1_o0 IS NOT DISTINCT FROM "_seg_k".p1_x0) AS "p1_s", count(*) AS "p1_t" FROM (SELECT _s3."email" AS "email_1", _s3."event_name" AS "event_name_2", _s3."first_position" AS "first_position_3", _s3."events" AS "events_4", _s3."last_event_received_at" AS "last_event_received_at_5", _s3."first_position" AS "p1_o0" FROM "_seg"."segmentation.user_event_names" AS _s3 WHERE ((hash_record_extended(ROW(_s3."email"), 0) = hash_record_extended(ROW("_seg_k".k0), 0)) AND (_s3."email" IS NOT DISTINCT FROM "_seg_k".k0))) AS _q2 GROUP BY _q2."email_1") AS _q1) AS "_seg_q" WHERE p1_a <= 1 AND p1_r <= 1 OFFSET 0) AS "_seg_n0" ON true OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT * FROM (
      SELECT _q1."count_19" AS "a4", _q1."list_20" AS "a1", _q1."count_21" AS "a5", _q1."sum_22" AS "a6", _q1."max_23" AS "a3" FROM (SELECT _q2."email_1" AS "email_6", count(*) AS "count_19", "jsonb_agg"(_q2."event_name_2" ORDER BY _q2."first_position_3") AS "list_20", count(*) FILTER (WHERE ((_q2."events_4") IS DISTINCT FROM NULL)) AS "count_21", sum(_q2."events_4") AS "sum_22", max(_q2."last_event_received_at_5") AS "max_23" FROM (SELECT _s3."email" AS "email_1", _s3."event_name" AS "event_name_2", _s3."first_position" AS "first_position_3", _s3."events" AS "events_4", _s3."last_event_received_at" AS "last_event_received_at_5" FROM "_seg"."segmentation.user_event_names" AS _s3 WHERE ((hash_record_extended(ROW(_s3."email"), 0) = hash_record_extended(ROW("_seg_k".k0), 0)) AND (_s3."email" IS NOT DISTINCT FROM "_seg_k".k0))) AS _q2 GROUP BY _q2."email_1") AS _q1
    ) AS "_seg_q" WHERE "_seg_k"."_seg_reread" OFFSET 0) AS "_seg_a" ON true OFFSET 0) AS "_seg_s" OFFSET 0) AS "_seg_n" OFFSET 0) AS "_seg_v"
  WHERE CASE WHEN NOT "_seg_kept" THEN "_seg_place" IS NOT NULL ELSE "_seg_seen" OR n4 IS DISTINCT FROM o4 OR n5 IS DISTINCT FROM o5 OR n6 IS DISTINCT FROM o6 END
),
"_seg_changed" AS (
  UPDATE "_seg"."segmentation.user_events" AS "_seg_t" SET "email" = "_seg_p"."email", "event_names" = "_seg_p"."event_names", "events" = "_seg_p"."events", "last_event_received_at" = "_seg_p"."last_event_received_at", "_seg_count_19" = "_seg_p"."_seg_count_19", "_seg_count_21" = "_seg_p"."_seg_count_21", "_seg_sum_22" = "_seg_p"."_seg_sum_22" FROM "_seg_pairs" AS "_seg_p"
  WHERE "_seg_t".ctid = "_seg_p"."_seg_place" AND "_seg_p"."_seg_place" IS NOT NULL AND "_seg_p"."_seg_new"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.user_events" WHERE ctid = ANY (ARRAY(
    SELECT "_seg_place" FROM "_seg_pairs" WHERE "_seg_new" IS NULL))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.user_events" ("email", "event_names", "events", "last_event_received_at", "_seg_count_19", "_seg_count_21", "_seg_sum_22") SELECT "_seg_p"."email", "_seg_p"."event_names", "_seg_p"."events", "_seg_p"."last_event_received_at", "_seg_p"."_seg_count_19", "_seg_p"."_seg_count_21", "_seg_p"."_seg_sum_22" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NULL
)
SELECT count(*) FROM "_seg_pairs"
