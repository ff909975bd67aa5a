== when "segmentation"."track_events" changes

-- step 1: model "user_mql_score", after a change by step 0
WITH "_seg_keys" AS MATERIALIZED (
  SELECT DISTINCT (k0)::text AS k0 FROM (
    SELECT "email_12" AS "k0" FROM (SELECT "email_8" AS "email_12" FROM (SELECT "email_1" AS "email_8" FROM (SELECT "_s"."email" AS "email_1", "_s"."event_name" AS "event_name_2", "_s"."first_position" AS "first_position_3", "_s"."last_event_received_at" AS "last_event_received_at_5" FROM (SELECT "email", "event_name", "first_position", "last_event_received_at" FROM unnest(_seg_n0) UNION ALL SELECT "email", "event_name", "first_position", "last_event_received_at" FROM unnest(_seg_o0)) AS "_s") AS _q) AS _q) AS _q
  ) AS "_seg_touched"
),
"_seg_pairs" AS MATERIALIZED (
  SELECT "_seg_q".*, "_seg_t".*
  FROM "_seg_keys" AS "_seg_k" LEFT JOIN LATERAL (
    SELECT *, true AS "_seg_new" FROM (
    SELECT "email_12" AS "email", "mql_score_13" AS "mql_score", "mql_events_14" AS "mql_events", "last_event_received_at_15" AS "last_event_received_at" FROM (SELECT "email_8" AS "email_12", "sum_9" AS "mql_score_13", "jsonb_agg_10" AS "mql_events_14", "max_11" AS "last_event_received_at_15" FROM (SELECT "email_1" AS "email_8", "sum"("mql_score_7") AS "sum_9", "jsonb_agg"("event_name_2" ORDER BY "first_position_3") AS "jsonb_agg_10", "max"("last_event_received_at_5") AS "max_11" FROM (SELECT * FROM (SELECT * FROM (SELECT "_s"."email" AS "email_1", "_s"."event_name" AS "event_name_2", "_s"."first_position" AS "first_position_3", "_s"."last_event_received_at" AS "last_event_received_at_5" FROM "_seg"."segmentation.user_event_names" AS "_s") AS _q WHERE ((hash_record_extended(ROW("email_1"), 0) = hash_record_extended(ROW("_seg_k".k0), 0)) AND ("email_1" IS NOT DISTINCT FROM "_seg_k".k0))) AS _l JOIN (SELECT "_s"."event_name" AS "event_name_6", "_s"."mql_score" AS "mql_score_7" FROM "segmentation"."mql_score" AS "_s") AS _r ON ("event_name_6" = "event_name_2")) AS _q GROUP BY "email_1") AS _q) AS _q
    ) AS "_seg_q"
  ) AS "_seg_q" ON true LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", "_seg_t"."email" AS _seg_o0, "_seg_t"."mql_score" AS _seg_o1, "_seg_t"."mql_events" AS _seg_o2, "_seg_t"."last_event_received_at" AS _seg_o3 FROM "_seg"."segmentation.user_mql_score" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."email"), 0) = hash_record_extended(ROW("_seg_k".k0), 0) AND "_seg_t"."email" IS NOT DISTINCT FROM "_seg_k".k0
    OFFSET 0) AS "_seg_t" ON true
  WHERE "_seg_new" IS NULL AND "_seg_place" IS NOT NULL OR "_seg_new" AND ("_seg_place" IS NULL OR "_seg_q"."email" IS DISTINCT FROM "_seg_t"._seg_o0 OR "_seg_q"."mql_score" IS DISTINCT FROM "_seg_t"._seg_o1 OR "_seg_q"."mql_events" IS DISTINCT FROM "_seg_t"._seg_o2 OR "_seg_q"."last_event_received_at" IS DISTINCT FROM "_seg_t"._seg_o3)
),
"_seg_changed" AS (
  UPDATE "_seg"."segmentation.user_mql_score" AS "_seg_t" SET "email" = "_seg_p"."email", "mql_score" = "_seg_p"."mql_score", "mql_events" = "_seg_p"."mql_events", "last_event_received_at" = "_seg_p"."last_event_received_at" FROM "_seg_pairs" AS "_seg_p"
  WHERE "_seg_t".ctid = "_seg_p"."_seg_place" AND "_seg_p"."_seg_new"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.user_mql_score" WHERE ctid = ANY (ARRAY(
    SELECT "_seg_place" FROM "_seg_pairs" WHERE "_seg_new" IS NULL))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.user_mql_score" ("email", "mql_score", "mql_events", "last_event_received_at") SELECT "_seg_p"."email", "_seg_p"."mql_score", "_seg_p"."mql_events", "_seg_p"."last_event_received_at" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NULL
)
SELECT count(*) FROM "_seg_pairs"

== when "segmentation"."mql_score" changes

-- step 0: model "user_mql_score", always
WITH "_seg_keys" AS MATERIALIZED (
  SELECT DISTINCT (k0)::text AS k0 FROM (
    SELECT "email_12" AS "k0" FROM (SELECT "email_8" AS "email_12" FROM (SELECT "email_1" AS "email_8" FROM (SELECT * FROM (SELECT "_s"."event_name" AS "event_name_6", "_s"."mql_score" AS "mql_score_7" FROM (SELECT "event_name", "mql_score" FROM _seg_new UNION ALL SELECT "event_name", "mql_score" FROM _seg_old) AS "_s") AS _l CROSS JOIN LATERAL (SELECT * FROM (SELECT "_s"."email" AS "email_1", "_s"."event_name" AS "event_name_2", "_s"."first_position" AS "first_position_3", "_s"."last_event_received_at" AS "last_event_received_at_5" FROM "_seg"."segmentation.user_event_names" AS "_s") AS _r WHERE ("event_name_6" = "event_name_2") OFFSET 0) AS _r) AS _q) AS _q) AS _q
  ) AS "_seg_touched"
),
"_seg_pairs" AS MATERIALIZED (
  SELECT "_seg_q".*, "_seg_t".*
  FROM "_seg_keys" AS "_seg_k" LEFT JOIN LATERAL (
    SELECT *, true AS "_seg_new" FROM (
    SELECT "email_12" AS "email", "mql_score_13" AS "mql_score", "mql_events_14" AS "mql_events", "last_event_received_at_15" AS "last_event_received_at" FROM (SELECT "email_8" AS "email_12", "sum_9" AS "mql_score_13", "jsonb_agg_10" AS "mql_events_14", "max_11" AS "last_event_received_at_15" FROM (SELECT "email_1" AS "email_8", "sum"("mql_score_7") AS "sum_9", "jsonb_agg"("event_name_2" ORDER BY "first_position_3") AS "jsonb_agg_10", "max"("last_event_received_at_5") AS "max_11" FROM (SELECT * FROM (SELECT * FROM (SELECT "_s"."email" AS "email_1", "_s"."event_name" AS "event_name_2", "_s"."first_position" AS "first_position_3", "_s"."last_event_received_at" AS "last_event_received_at_5" FROM "_seg"."segmentation.user_event_names" AS "_s") AS _q WHERE ((hash_record_extended(ROW("email_1"), 0) = hash_record_extended(ROW("_seg_k".k0), 0)) AND ("email_1" IS NOT DISTINCT FROM "_seg_k".k0))) AS _l JOIN (SELECT "_s"."event_name" AS "event_name_6", "_s"."mql_score" AS "mql_score_7" FROM "segmentation"."mql_score" AS "_s") AS _r ON ("event_name_6" = "event_name_2")) AS _q GROUP BY "email_1") AS _q) AS _q
    ) AS "_seg_q"
  ) AS "_seg_q" ON true LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", "_seg_t"."email" AS _seg_o0, "_seg_t"."mql_score" AS _seg_o1, "_seg_t"."mql_events" AS _seg_o2, "_seg_t"."last_event_received_at" AS _seg_o3 FROM "_seg"."segmentation.user_mql_score" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."email"), 0) = hash_record_extended(ROW("_seg_k".k0), 0) AND "_seg_t"."email" IS NOT DISTINCT FROM "_seg_k".k0
    OFFSET 0) AS "_seg_t" ON true
  WHERE "_seg_new" IS NULL AND "_seg_place" IS NOT NULL OR "_seg_new" AND ("_seg_place" IS NULL OR "_seg_q"."email" IS DISTINCT FROM "_seg_t"._seg_o0 OR "_seg_q"."mql_score" IS DISTINCT FROM "_seg_t"._seg_o1 OR "_seg_q"."mql_events" IS DISTINCT FROM "_seg_t"._seg_o2 OR "_seg_q"."last_event_received_at" IS DISTINCT FROM "_seg_t"._seg_o3)
),
"_seg_changed" AS (
  UPDATE "_seg"."segmentation.user_mql_score" AS "_seg_t" SET "email" = "_seg_p"."email", "mql_score" = "_seg_p"."mql_score", "mql_events" = "_seg_p"."mql_events", "last_event_received_at" = "_seg_p"."last_event_received_at" FROM "_seg_pairs" AS "_seg_p"
  WHERE "_seg_t".ctid = "_seg_p"."_seg_place" AND "_seg_p"."_seg_new"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.user_mql_score" WHERE ctid = ANY (ARRAY(
    SELECT "_seg_place" FROM "_seg_pairs" WHERE "_seg_new" IS NULL))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.user_mql_score" ("email", "mql_score", "mql_events", "last_event_received_at") SELECT "_seg_p"."email", "_seg_p"."mql_score", "_seg_p"."mql_events", "_seg_p"."last_event_received_at" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NULL
)
SELECT count(*) FROM "_seg_pairs"
