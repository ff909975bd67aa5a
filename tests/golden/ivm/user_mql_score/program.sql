== when "segmentation"."track_events" changes

-- step 1: model "user_mql_score", after a change by step 0
WITH "_seg_rows" AS (
    SELECT "k0", "p1_i", "p2_i", "p3_i", "p3_k0", "p4_i", "_seg_w" FROM (SELECT "k0" AS "k0", "p1_i" AS "p1_i", "p2_i" AS "p2_i", "p3_i" AS "p3_i", "p3_k0" AS "p3_k0", "p4_i" AS "p4_i", "_w_1" AS "_seg_w" FROM (SELECT ("email_1")::text AS "k0", (("mql_score_7") IS NOT NULL) AS "p1_i", "mql_score_7" AS "p2_i", coalesce(to_jsonb(("event_name_2")::text), 'null'::jsonb) AS "p3_i", "first_position_3" AS "p3_k0", "last_event_received_at_5" AS "p4_i", "_w_1" AS "_w_1" FROM (SELECT * FROM (SELECT "_s"."email" AS "email_1", "_s"."event_name" AS "event_name_2", "_s"."first_position" AS "first_position_3", "_s"."last_event_received_at" AS "last_event_received_at_5", "_s"."_seg_w" AS "_w_1" FROM (SELECT "email", "event_name", "first_position", "last_event_received_at", 1 AS "_seg_w" FROM unnest(_seg_n0) UNION ALL SELECT "email", "event_name", "first_position", "last_event_received_at", -1 AS "_seg_w" FROM unnest(_seg_o0)) AS "_s") AS _l CROSS JOIN LATERAL (SELECT * FROM (SELECT "_s"."event_name" AS "event_name_6", "_s"."mql_score" AS "mql_score_7" FROM "segmentation"."mql_score" AS "_s") AS _r WHERE ("event_name_6" = "event_name_2") OFFSET 0) AS _r) AS _q) AS _q) AS _q
),
"_seg_net" AS (
  SELECT k0, p1_i, p2_i, p3_i, p3_k0, p4_i, sign("_seg_n")::integer AS "_seg_w" FROM (
    SELECT k0, p1_i, p2_i, p3_i, p3_k0, p4_i, sum("_seg_w") AS "_seg_n" FROM "_seg_rows" GROUP BY k0, p1_i, p2_i, p3_i, p3_k0, p4_i HAVING sum("_seg_w") <> 0
  ) AS "_seg_s", generate_series(1, abs("_seg_n"))
),
"_seg_change" AS MATERIALIZED (
  SELECT k0, sum("_seg_w") AS p0_c, sum("_seg_w") FILTER (WHERE p1_i) AS p1_c, sum(p2_i) FILTER (WHERE "_seg_w" > 0) AS p2_a, sum(p2_i) FILTER (WHERE "_seg_w" < 0) AS p2_r, count(*) FILTER (WHERE "_seg_w" > 0) AS p3_a, (array_agg(p3_i) FILTER (WHERE "_seg_w" > 0))[1] AS p3_ae, count(*) FILTER (WHERE "_seg_w" < 0) AS p3_r, (array_agg(p3_k0) FILTER (WHERE "_seg_w" > 0))[1] IS DISTINCT FROM (array_agg(p3_k0) FILTER (WHERE "_seg_w" < 0))[1] AS p3_m, CASE WHEN count(*) FILTER (WHERE "_seg_w" > 0) > 0 THEN (array_agg(p3_k0) FILTER (WHERE "_seg_w" > 0))[1] ELSE (array_agg(p3_k0) FILTER (WHERE "_seg_w" < 0))[1] END AS p3_x0, max(p4_i) FILTER (WHERE "_seg_w" > 0) AS p4_a, max(p4_i) FILTER (WHERE "_seg_w" < 0) AS p4_r
  FROM "_seg_net" AS "_seg_r" GROUP BY k0
),
"_seg_pair" AS MATERIALIZED (
  SELECT "_seg_k".*, "_seg_o".*, "_seg_n0".*, _seg_again OR ((NOT coalesce(p3_a <= 1 AND p3_r <= 1 AND NOT (p3_a = 1 AND p3_r = 1 AND p3_m) AND p3_s = p3_a AND p3_t = coalesce(jsonb_array_length(o2), 0) + p3_a - p3_r, false) OR (p4_r IS NOT NULL AND NOT coalesce(p4_r < o3, false) AND NOT coalesce(p4_a >= o3, false))) AND coalesce((coalesce(o4, 0) + coalesce(p0_c, 0)) > 0, false)) AS "_seg_reread"
  FROM "_seg_change" AS "_seg_k" LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", "_seg_t"."email" AS o0, "_seg_t"."mql_score" AS o1, "_seg_t"."mql_events" AS o2, "_seg_t"."last_event_received_at" AS o3, "_seg_t"."_seg_count_21" AS o4, "_seg_t"."_seg_count_22" AS o5 FROM "_seg"."segmentation.user_mql_score" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."email"), 0) = hash_record_extended(ROW("_seg_k".k0), 0) AND "_seg_t"."email" IS NOT DISTINCT FROM "_seg_k".k0
    OFFSET 0) AS "_seg_o" ON true LEFT JOIN LATERAL (
    SELECT * FROM (SELECT "p3_l" AS "p3_l", "p3_s" AS "p3_s", "p3_t" AS "p3_t" FROM (SELECT "email_1" AS "email_8", count(*) FILTER (WHERE (coalesce(p3_o0 < "_seg_k".p3_x0, false) OR (p3_o0 IS NOT NULL AND "_seg_k".p3_x0 IS NULL))) AS "p3_l", count(*) FILTER (WHERE p3_o0 IS NOT DISTINCT FROM "_seg_k".p3_x0) AS "p3_s", count(*) AS "p3_t" FROM (SELECT "email_1" AS "email_1", "event_name_2" AS "event_name_2", "first_position_3" AS "first_position_3", "last_event_received_at_5" AS "last_event_received_at_5", "event_name_6" AS "event_name_6", "mql_score_7" AS "mql_score_7", "first_position_3" AS "p3_o0" FROM (SELECT * FROM (SELECT * FROM (SELECT "_s"."email" AS "email_1", "_s"."event_name" AS "event_name_2", "_s"."first_position" AS "first_position_3", "_s"."last_event_received_at" AS "last_event_received_at_5" FROM "_seg"."segmentation.user_event_names" AS "_s") AS _q WHERE ((hash_record_extended(ROW("email_1"), 0) = hash_record_extended(ROW("_seg_k".k0), 0)) AND ("email_1" IS NOT DISTINCT FROM "_seg_k".k0))) AS _l JOIN (SELECT "_s"."event_name" AS "event_name_6", "_s"."mql_score" AS "mql_score_7" FROM "segmentation"."mql_score" AS "_s") AS _r ON ("event_name_6" = "event_name_2")) AS _q) AS _q GROUP BY "email_1") AS _q) AS "_seg_q" WHERE p3_a <= 1 AND p3_r <= 1 OFFSET 0) AS "_seg_n0" ON true
),
"_seg_state" AS MATERIALIZED (
  SELECT "_seg_place", o0, o1, o2, o3, o4, o5, k0, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a4 ELSE coalesce(o4, 0) + coalesce(p0_c, 0) END)::bigint AS n4, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a5 ELSE coalesce(o5, 0) + coalesce(p1_c, 0) END)::bigint AS n5, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a1 ELSE CASE WHEN (coalesce(o5, 0) + coalesce(p1_c, 0)) > 0 THEN coalesce(o1, 0) + coalesce(p2_a, 0) - coalesce(p2_r, 0) END END)::bigint AS n1, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a2 ELSE CASE WHEN (coalesce(o4, 0) + coalesce(p0_c, 0)) = 0 THEN NULL WHEN p3_a = 0 THEN o2 - p3_l::integer WHEN p3_r = 1 THEN jsonb_set(o2, ARRAY[p3_l::text], p3_ae) ELSE jsonb_insert(coalesce(o2, '[]'), ARRAY[p3_l::text], p3_ae) END END)::jsonb AS n2, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a3 ELSE greatest(o3, p4_a) END)::timestamp with time zone AS n3
  FROM "_seg_pair" AS "_seg_k" LEFT JOIN LATERAL (
    SELECT * FROM (
      SELECT "count_21" AS "a4", "count_22" AS "a5", "mql_score_13" AS "a1", "mql_events_14" AS "a2", "last_event_received_at_15" AS "a3" FROM (SELECT "email_8" AS "email_12", "sum_23" AS "mql_score_13", "list_24" AS "mql_events_14", "max_25" AS "last_event_received_at_15", "count_21" AS "count_21", "count_22" AS "count_22" FROM (SELECT "email_1" AS "email_8", count(*) AS "count_21", count(*) FILTER (WHERE (("mql_score_7") IS NOT NULL)) AS "count_22", sum("mql_score_7") AS "sum_23", "jsonb_agg"("event_name_2" ORDER BY "first_position_3") AS "list_24", max("last_event_received_at_5") AS "max_25" FROM (SELECT * FROM (SELECT * FROM (SELECT "_s"."email" AS "email_1", "_s"."event_name" AS "event_name_2", "_s"."first_position" AS "first_position_3", "_s"."last_event_received_at" AS "last_event_received_at_5" FROM "_seg"."segmentation.user_event_names" AS "_s") AS _q WHERE ((hash_record_extended(ROW("email_1"), 0) = hash_record_extended(ROW("_seg_k".k0), 0)) AND ("email_1" IS NOT DISTINCT FROM "_seg_k".k0))) AS _l JOIN (SELECT "_s"."event_name" AS "event_name_6", "_s"."mql_score" AS "mql_score_7" FROM "segmentation"."mql_score" AS "_s") AS _r ON ("event_name_6" = "event_name_2")) AS _q GROUP BY "email_1") AS _q) AS _q
    ) AS "_seg_q" WHERE "_seg_k"."_seg_reread" OFFSET 0) AS "_seg_a" ON true
),
"_seg_next" AS MATERIALIZED (
  SELECT "_seg_place", o0, o1, o2, o3, o4, o5, n1, n2, n3, n4, n5, k0 AS n0, coalesce(n4 > 0, false) AS "_seg_kept" FROM "_seg_state"
),
"_seg_pairs" AS MATERIALIZED (
  SELECT n0 AS "email", n1 AS "mql_score", n2 AS "mql_events", n3 AS "last_event_received_at", n4 AS "_seg_count_21", n5 AS "_seg_count_22", o0 AS _seg_o0, o1 AS _seg_o1, o2 AS _seg_o2, o3 AS _seg_o3, o4 AS _seg_o4, o5 AS _seg_o5, "_seg_place", nullif("_seg_kept", false) AS "_seg_new" FROM "_seg_next"
  WHERE CASE WHEN NOT "_seg_kept" THEN "_seg_place" IS NOT NULL ELSE "_seg_place" IS NULL OR n1 IS DISTINCT FROM o1 OR n2 IS DISTINCT FROM o2 OR n3 IS DISTINCT FROM o3 OR n4 IS DISTINCT FROM o4 OR n5 IS DISTINCT FROM o5 END
),
"_seg_changed" AS (
  UPDATE "_seg"."segmentation.user_mql_score" AS "_seg_t" SET "email" = "_seg_p"."email", "mql_score" = "_seg_p"."mql_score", "mql_events" = "_seg_p"."mql_events", "last_event_received_at" = "_seg_p"."last_event_received_at", "_seg_count_21" = "_seg_p"."_seg_count_21", "_seg_count_22" = "_seg_p"."_seg_count_22" FROM "_seg_pairs" AS "_seg_p"
  WHERE "_seg_t".ctid = "_seg_p"."_seg_place" AND "_seg_p"."_seg_new"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.user_mql_score" WHERE ctid = ANY (ARRAY(
    SELECT "_seg_place" FROM "_seg_pairs" WHERE "_seg_new" IS NULL))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.user_mql_score" ("email", "mql_score", "mql_events", "last_event_received_at", "_seg_count_21", "_seg_count_22") SELECT "_seg_p"."email", "_seg_p"."mql_score", "_seg_p"."mql_events", "_seg_p"."last_event_received_at", "_seg_p"."_seg_count_21", "_seg_p"."_seg_count_22" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NULL
)
SELECT count(*) FROM "_seg_pairs"

== when "segmentation"."mql_score" changes

-- step 0: model "user_mql_score", always
WITH "_seg_rows" AS (
    SELECT "k0", "p1_i", "p2_i", "p3_i", "p3_k0", "p4_i", "_seg_w" FROM (SELECT "k0" AS "k0", "p1_i" AS "p1_i", "p2_i" AS "p2_i", "p3_i" AS "p3_i", "p3_k0" AS "p3_k0", "p4_i" AS "p4_i", "_w_2" AS "_seg_w" FROM (SELECT ("email_1")::text AS "k0", (("mql_score_7") IS NOT NULL) AS "p1_i", "mql_score_7" AS "p2_i", coalesce(to_jsonb(("event_name_2")::text), 'null'::jsonb) AS "p3_i", "first_position_3" AS "p3_k0", "last_event_received_at_5" AS "p4_i", "_w_2" AS "_w_2" FROM (SELECT * FROM (SELECT "_s"."event_name" AS "event_name_6", "_s"."mql_score" AS "mql_score_7", "_s"."_seg_w" AS "_w_2" FROM (SELECT "event_name", "mql_score", 1 AS "_seg_w" FROM _seg_new UNION ALL SELECT "event_name", "mql_score", -1 AS "_seg_w" FROM _seg_old) AS "_s") AS _l CROSS JOIN LATERAL (SELECT * FROM (SELECT "_s"."email" AS "email_1", "_s"."event_name" AS "event_name_2", "_s"."first_position" AS "first_position_3", "_s"."last_event_received_at" AS "last_event_received_at_5" FROM "_seg"."segmentation.user_event_names" AS "_s") AS _r WHERE ("event_name_6" = "event_name_2") OFFSET 0) AS _r) AS _q) AS _q) AS _q
),
"_seg_net" AS (
  SELECT k0, p1_i, p2_i, p3_i, p3_k0, p4_i, sign("_seg_n")::integer AS "_seg_w" FROM (
    SELECT k0, p1_i, p2_i, p3_i, p3_k0, p4_i, sum("_seg_w") AS "_seg_n" FROM "_seg_rows" GROUP BY k0, p1_i, p2_i, p3_i, p3_k0, p4_i HAVING sum("_seg_w") <> 0
  ) AS "_seg_s", generate_series(1, abs("_seg_n"))
),
"_seg_change" AS MATERIALIZED (
  SELECT k0, sum("_seg_w") AS p0_c, sum("_seg_w") FILTER (WHERE p1_i) AS p1_c, sum(p2_i) FILTER (WHERE "_seg_w" > 0) AS p2_a, sum(p2_i) FILTER (WHERE "_seg_w" < 0) AS p2_r, count(*) FILTER (WHERE "_seg_w" > 0) AS p3_a, (array_agg(p3_i) FILTER (WHERE "_seg_w" > 0))[1] AS p3_ae, count(*) FILTER (WHERE "_seg_w" < 0) AS p3_r, (array_agg(p3_k0) FILTER (WHERE "_seg_w" > 0))[1] IS DISTINCT FROM (array_agg(p3_k0) FILTER (WHERE "_seg_w" < 0))[1] AS p3_m, CASE WHEN count(*) FILTER (WHERE "_seg_w" > 0) > 0 THEN (array_agg(p3_k0) FILTER (WHERE "_seg_w" > 0))[1] ELSE (array_agg(p3_k0) FILTER (WHERE "_seg_w" < 0))[1] END AS p3_x0, max(p4_i) FILTER (WHERE "_seg_w" > 0) AS p4_a, max(p4_i) FILTER (WHERE "_seg_w" < 0) AS p4_r
  FROM "_seg_net" AS "_seg_r" GROUP BY k0
),
"_seg_pair" AS MATERIALIZED (
  SELECT "_seg_k".*, "_seg_o".*, "_seg_n0".*, _seg_again OR ((NOT coalesce(p3_a <= 1 AND p3_r <= 1 AND NOT (p3_a = 1 AND p3_r = 1 AND p3_m) AND p3_s = p3_a AND p3_t = coalesce(jsonb_array_length(o2), 0) + p3_a - p3_r, false) OR (p4_r IS NOT NULL AND NOT coalesce(p4_r < o3, false) AND NOT coalesce(p4_a >= o3, false))) AND coalesce((coalesce(o4, 0) + coalesce(p0_c, 0)) > 0, false)) AS "_seg_reread"
  FROM "_seg_change" AS "_seg_k" LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", "_seg_t"."email" AS o0, "_seg_t"."mql_score" AS o1, "_seg_t"."mql_events" AS o2, "_seg_t"."last_event_received_at" AS o3, "_seg_t"."_seg_count_21" AS o4, "_seg_t"."_seg_count_22" AS o5 FROM "_seg"."segmentation.user_mql_score" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."email"), 0) = hash_record_extended(ROW("_seg_k".k0), 0) AND "_seg_t"."email" IS NOT DISTINCT FROM "_seg_k".k0
    OFFSET 0) AS "_seg_o" ON true LEFT JOIN LATERAL (
    SELECT * FROM (SELECT "p3_l" AS "p3_l", "p3_s" AS "p3_s", "p3_t" AS "p3_t" FROM (SELECT "email_1" AS "email_8", count(*) FILTER (WHERE (coalesce(p3_o0 < "_seg_k".p3_x0, false) OR (p3_o0 IS NOT NULL AND "_seg_k".p3_x0 IS NULL))) AS "p3_l", count(*) FILTER (WHERE p3_o0 IS NOT DISTINCT FROM "_seg_k".p3_x0) AS "p3_s", count(*) AS "p3_t" FROM (SELECT "email_1" AS "email_1", "event_name_2" AS "event_name_2", "first_position_3" AS "first_position_3", "last_event_received_at_5" AS "last_event_received_at_5", "event_name_6" AS "event_name_6", "mql_score_7" AS "mql_score_7", "first_position_3" AS "p3_o0" FROM (SELECT * FROM (SELECT * FROM (SELECT "_s"."email" AS "email_1", "_s"."event_name" AS "event_name_2", "_s"."first_position" AS "first_position_3", "_s"."last_event_received_at" AS "last_event_received_at_5" FROM "_seg"."segmentation.user_event_names" AS "_s") AS _q WHERE ((hash_record_extended(ROW("email_1"), 0) = hash_record_extended(ROW("_seg_k".k0), 0)) AND ("email_1" IS NOT DISTINCT FROM "_seg_k".k0))) AS _l JOIN (SELECT "_s"."event_name" AS "event_name_6", "_s"."mql_score" AS "mql_score_7" FROM "segmentation"."mql_score" AS "_s") AS _r ON ("event_name_6" = "event_name_2")) AS _q) AS _q GROUP BY "email_1") AS _q) AS "_seg_q" WHERE p3_a <= 1 AND p3_r <= 1 OFFSET 0) AS "_seg_n0" ON true
),
"_seg_state" AS MATERIALIZED (
  SELECT "_seg_place", o0, o1, o2, o3, o4, o5, k0, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a4 ELSE coalesce(o4, 0) + coalesce(p0_c, 0) END)::bigint AS n4, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a5 ELSE coalesce(o5, 0) + coalesce(p1_c, 0) END)::bigint AS n5, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a1 ELSE CASE WHEN (coalesce(o5, 0) + coalesce(p1_c, 0)) > 0 THEN coalesce(o1, 0) + coalesce(p2_a, 0) - coalesce(p2_r, 0) END END)::bigint AS n1, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a2 ELSE CASE WHEN (coalesce(o4, 0) + coalesce(p0_c, 0)) = 0 THEN NULL WHEN p3_a = 0 THEN o2 - p3_l::integer WHEN p3_r = 1 THEN jsonb_set(o2, ARRAY[p3_l::text], p3_ae) ELSE jsonb_insert(coalesce(o2, '[]'), ARRAY[p3_l::text], p3_ae) END END)::jsonb AS n2, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a3 ELSE greatest(o3, p4_a) END)::timestamp with time zone AS n3
  FROM "_seg_pair" AS "_seg_k" LEFT JOIN LATERAL (
    SELECT * FROM (
      SELECT "count_21" AS "a4", "count_22" AS "a5", "mql_score_13" AS "a1", "mql_events_14" AS "a2", "last_event_received_at_15" AS "a3" FROM (SELECT "email_8" AS "email_12", "sum_23" AS "mql_score_13", "list_24" AS "mql_events_14", "max_25" AS "last_event_received_at_15", "count_21" AS "count_21", "count_22" AS "count_22" FROM (SELECT "email_1" AS "email_8", count(*) AS "count_21", count(*) FILTER (WHERE (("mql_score_7") IS NOT NULL)) AS "count_22", sum("mql_score_7") AS "sum_23", "jsonb_agg"("event_name_2" ORDER BY "first_position_3") AS "list_24", max("last_event_received_at_5") AS "max_25" FROM (SELECT * FROM (SELECT * FROM (SELECT "_s"."email" AS "email_1", "_s"."event_name" AS "event_name_2", "_s"."first_position" AS "first_position_3", "_s"."last_event_received_at" AS "last_event_received_at_5" FROM "_seg"."segmentation.user_event_names" AS "_s") AS _q WHERE ((hash_record_extended(ROW("email_1"), 0) = hash_record_extended(ROW("_seg_k".k0), 0)) AND ("email_1" IS NOT DISTINCT FROM "_seg_k".k0))) AS _l JOIN (SELECT "_s"."event_name" AS "event_name_6", "_s"."mql_score" AS "mql_score_7" FROM "segmentation"."mql_score" AS "_s") AS _r ON ("event_name_6" = "event_name_2")) AS _q GROUP BY "email_1") AS _q) AS _q
    ) AS "_seg_q" WHERE "_seg_k"."_seg_reread" OFFSET 0) AS "_seg_a" ON true
),
"_seg_next" AS MATERIALIZED (
  SELECT "_seg_place", o0, o1, o2, o3, o4, o5, n1, n2, n3, n4, n5, k0 AS n0, coalesce(n4 > 0, false) AS "_seg_kept" FROM "_seg_state"
),
"_seg_pairs" AS MATERIALIZED (
  SELECT n0 AS "email", n1 AS "mql_score", n2 AS "mql_events", n3 AS "last_event_received_at", n4 AS "_seg_count_21", n5 AS "_seg_count_22", o0 AS _seg_o0, o1 AS _seg_o1, o2 AS _seg_o2, o3 AS _seg_o3, o4 AS _seg_o4, o5 AS _seg_o5, "_seg_place", nullif("_seg_kept", false) AS "_seg_new" FROM "_seg_next"
  WHERE CASE WHEN NOT "_seg_kept" THEN "_seg_place" IS NOT NULL ELSE "_seg_place" IS NULL OR n1 IS DISTINCT FROM o1 OR n2 IS DISTINCT FROM o2 OR n3 IS DISTINCT FROM o3 OR n4 IS DISTINCT FROM o4 OR n5 IS DISTINCT FROM o5 END
),
"_seg_changed" AS (
  UPDATE "_seg"."segmentation.user_mql_score" AS "_seg_t" SET "email" = "_seg_p"."email", "mql_score" = "_seg_p"."mql_score", "mql_events" = "_seg_p"."mql_events", "last_event_received_at" = "_seg_p"."last_event_received_at", "_seg_count_21" = "_seg_p"."_seg_count_21", "_seg_count_22" = "_seg_p"."_seg_count_22" FROM "_seg_pairs" AS "_seg_p"
  WHERE "_seg_t".ctid = "_seg_p"."_seg_place" AND "_seg_p"."_seg_new"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.user_mql_score" WHERE ctid = ANY (ARRAY(
    SELECT "_seg_place" FROM "_seg_pairs" WHERE "_seg_new" IS NULL))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.user_mql_score" ("email", "mql_score", "mql_events", "last_event_received_at", "_seg_count_21", "_seg_count_22") SELECT "_seg_p"."email", "_seg_p"."mql_score", "_seg_p"."mql_events", "_seg_p"."last_event_received_at", "_seg_p"."_seg_count_21", "_seg_p"."_seg_count_22" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NULL
)
SELECT count(*) FROM "_seg_pairs"
