== when "segmentation"."identity_links" changes

-- step 6: test "linked_identities_share_a_user", intermediate result 1, always
WITH "_seg_rows" AS (
    SELECT (_q2."id_type_5")::text AS "k0", (_q2."id_6")::text AS "k1", (_q2."linked_id_type_7")::text AS "k2", (_q2."linked_id_8")::text AS "k3", _q2."_w_1" AS "_seg_w" FROM (SELECT NULLIF("btrim"(_s1."id_type", (' 	
')::"text"), ('')::"text") AS "id_type_5", NULLIF("btrim"(_s1."id", (' 	
')::"text"), ('')::"text") AS "id_6", NULLIF("btrim"(_s1."linked_id_type", (' 	
')::"text"), ('')::"text") AS "linked_id_type_7", NULLIF("btrim"(_s1."linked_id", (' 	
')::"text"), ('')::"text") AS "linked_id_8", _s1."_seg_w" AS "_w_1" FROM (SELECT "id_type", "id", "linked_id_type", "linked_id", 1 AS "_seg_w" FROM _seg_new UNION ALL SELECT "id_type", "id", "linked_id_type", "linked_id", -1 AS "_seg_w" FROM _seg_old) AS _s1) AS _q2 WHERE ((_q2."id_type_5" IS NOT NULL) AND (_q2."id_6" IS NOT NULL) AND (_q2."linked_id_type_7" IS NOT NULL) AND (_q2."linked_id_8" IS NOT NULL))
),
"_seg_pairs" AS MATERIALIZED (
  SELECT n0 AS "id_type_9", n1 AS "id_10", n2 AS "linked_id_type_11", n3 AS "linked_id_12", n4 AS "_seg_count_26", o0 AS _seg_o0, o1 AS _seg_o1, o2 AS _seg_o2, o3 AS _seg_o3, o4 AS _seg_o4, "_seg_place", nullif("_seg_kept", false) AS "_seg_new", "_seg_seen" FROM (
  SELECT *, NOT "_seg_kept" OR "_seg_place" IS NULL AS "_seg_seen" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, o4, n4, k0 AS n0, k1 AS n1, k2 AS n2, k3 AS n3, coalesce(n4 > 0, false) AS "_seg_kept" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, o4, k0, k1, k2, k3, (coalesce(o4, 0) + coalesce(p0_c, 0))::bigint AS n4
  FROM (
  SELECT "_seg_k".*, "_seg_o".*
  FROM (SELECT k0, k1, k2, k3, sum("_seg_w") AS p0_c
  FROM "_seg_rows" AS "_seg_r" GROUP BY k0, k1, k2, k3 OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", "_seg_t"."id_type_9" AS o0, "_seg_t"."id_10" AS o1, "_seg_t"."linked_id_type_11" AS o2, "_seg_t"."linked_id_12" AS o3, "_seg_t"."_seg_count_26" AS o4 FROM "_seg"."segmentation_dbt_test__audit.linked_identities_share_a_user#1" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."id_type_9", "_seg_t"."id_10", "_seg_t"."linked_id_type_11", "_seg_t"."linked_id_12"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1, "_seg_k".k2, "_seg_k".k3), 0) AND "_seg_t"."id_type_9" IS NOT DISTINCT FROM "_seg_k".k0 AND "_seg_t"."id_10" IS NOT DISTINCT FROM "_seg_k".k1 AND "_seg_t"."linked_id_type_11" IS NOT DISTINCT FROM "_seg_k".k2 AND "_seg_t"."linked_id_12" IS NOT DISTINCT FROM "_seg_k".k3
    OFFSET 0) AS "_seg_o" ON true OFFSET 0) AS "_seg_k" OFFSET 0) AS "_seg_s" OFFSET 0) AS "_seg_n" OFFSET 0) AS "_seg_v"
  WHERE CASE WHEN NOT "_seg_kept" THEN "_seg_place" IS NOT NULL ELSE "_seg_seen" OR n4 IS DISTINCT FROM o4 END
),
"_seg_changed" AS (
  UPDATE "_seg"."segmentation_dbt_test__audit.linked_identities_share_a_user#1" AS "_seg_t" SET "id_type_9" = "_seg_p"."id_type_9", "id_10" = "_seg_p"."id_10", "linked_id_type_11" = "_seg_p"."linked_id_type_11", "linked_id_12" = "_seg_p"."linked_id_12", "_seg_count_26" = "_seg_p"."_seg_count_26" FROM "_seg_pairs" AS "_seg_p"
  WHERE "_seg_t".ctid = "_seg_p"."_seg_place" AND "_seg_p"."_seg_place" IS NOT NULL AND "_seg_p"."_seg_new"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation_dbt_test__audit.linked_identities_share_a_user#1" WHERE ctid = ANY (ARRAY(
    SELECT "_seg_place" FROM "_seg_pairs" WHERE "_seg_new" IS NULL))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation_dbt_test__audit.linked_identities_share_a_user#1" ("id_type_9", "id_10", "linked_id_type_11", "linked_id_12", "_seg_count_26") SELECT "_seg_p"."id_type_9", "_seg_p"."id_10", "_seg_p"."linked_id_type_11", "_seg_p"."linked_id_12", "_seg_p"."_seg_count_26" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NULL
)
SELECT ARRAY(SELECT ROW("_seg_p"._seg_o0, "_seg_p"._seg_o1, "_seg_p"._seg_o2, "_seg_p"._seg_o3, "_seg_p"._seg_o4)::"_seg"."segmentation_dbt_test__audit.linked_identities_share_a_user#1" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NOT NULL AND "_seg_seen"), ARRAY(SELECT ROW("_seg_p"."id_type_9", "_seg_p"."id_10", "_seg_p"."linked_id_type_11", "_seg_p"."linked_id_12", "_seg_p"."_seg_count_26")::"_seg"."segmentation_dbt_test__audit.linked_identities_share_a_user#1" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_new" AND "_seg_seen")

-- step 7: test "linked_identities_share_a_user", after a change by step 6 or 5, needs the whole change at once
WITH "_seg_keys" AS MATERIALIZED (
  SELECT DISTINCT (k0)::text AS k0, (k1)::text AS k1, (k2)::text AS k2, (k3)::text AS k3 FROM (
    SELECT _s1."id_type_9" AS "k0", _s1."id_10" AS "k1", _s1."linked_id_type_11" AS "k2", _s1."linked_id_12" AS "k3" FROM (SELECT "id_type_9", "id_10", "linked_id_type_11", "linked_id_12" FROM unnest(_seg_n6) UNION ALL SELECT "id_type_9", "id_10", "linked_id_type_11", "linked_id_12" FROM unnest(_seg_o6)) AS _s1
    UNION ALL
    SELECT _q3."id_type_9" AS "k0", _q3."id_10" AS "k1", _q3."linked_id_type_11" AS "k2", _q3."linked_id_12" AS "k3" FROM (SELECT _s2."id_type" AS "id_type_13", _s2."id" AS "id_14", _s2."user_id" AS "user_id_15" FROM (SELECT "id_type", "id", "user_id" FROM unnest(_seg_n5) UNION ALL SELECT "id_type", "id", "user_id" FROM unnest(_seg_o5)) AS _s2) AS _q1 CROSS JOIN LATERAL (SELECT _s4."id_type_9" AS "id_type_9", _s4."id_10" AS "id_10", _s4."linked_id_type_11" AS "linked_id_type_11", _s4."linked_id_12" AS "linked_id_12" FROM (SELECT "id_type_9", "id_10", "linked_id_type_11", "linked_id_12" FROM "_seg"."segmentation_dbt_test__audit.linked_identities_share_a_user#1" UNION ALL SELECT "id_type_9", "id_10", "linked_id_type_11", "linked_id_12" FROM unnest(_seg_o6)) AS _s4 WHERE ((hash_record_extended(ROW(_q1."id_type_13", _q1."id_14"), 0) = hash_record_extended(ROW(_s4."id_type_9", _s4."id_10"), 0)) AND (_q1."id_type_13" = _s4."id_type_9") AND (_q1."id_14" = _s4."id_10")) OFFSET 0) AS _q3
    UNION ALL
    SELECT _q3."id_type_9" AS "k0", _q3."id_10" AS "k1", _q3."linked_id_type_11" AS "k2", _q3."linked_id_12" AS "k3" FROM (SELECT _s2."id_type" AS "id_type_16", _s2."id" AS "id_17", _s2."user_id" AS "user_id_18" FROM (SELECT "id_type", "id", "user_id" FROM unnest(_seg_n5) UNION ALL SELECT "id_type", "id", "user_id" FROM unnest(_seg_o5)) AS _s2) AS _q1 CROSS JOIN LATERAL (SELECT _s4."id_type_9" AS "id_type_9", _s4."id_10" AS "id_10", _s4."linked_id_type_11" AS "linked_id_type_11", _s4."linked_id_12" AS "linked_id_12" FROM (SELECT "id_type_9", "id_10", "linked_id_type_11", "linked_id_12" FROM "_seg"."segmentation_dbt_test__audit.linked_identities_share_a_user#1" UNION ALL SELECT "id_type_9", "id_10", "linked_id_type_11", "linked_id_12" FROM unnest(_seg_o6)) AS _s4 WHERE ((hash_record_extended(ROW(_q1."id_type_16", _q1."id_17"), 0) = hash_record_extended(ROW(_s4."linked_id_type_11", _s4."linked_id_12"), 0)) AND (_q1."id_type_16" = _s4."linked_id_type_11") AND (_q1."id_17" = _s4."linked_id_12")) OFFSET 0) AS _q3
  ) AS "_seg_touched"
),
"_seg_both" AS (
  SELECT "_seg_q".*, 1 AS "_seg_w", NULL::tid AS "_seg_place"
  FROM "_seg_keys" AS "_seg_k" CROSS JOIN LATERAL (
    SELECT _q1."id_type_9" AS "id_type", _q1."id_10" AS "id", _q1."linked_id_type_11" AS "linked_id_type", _q1."linked_id_12" AS "linked_id", _q1."user_id_15" AS "user_id", _q6."user_id_18" AS "linked_user_id" FROM (SELECT _q2."id_type_9" AS "id_type_9", _q2."id_10" AS "id_10", _q2."linked_id_type_11" AS "linked_id_type_11", _q2."linked_id_12" AS "linked_id_12", _q4."id_type_13" AS "id_type_13", _q4."id_14" AS "id_14", _q4."user_id_15" AS "user_id_15" FROM (SELECT _s3."id_type_9" AS "id_type_9", _s3."id_10" AS "id_10", _s3."linked_id_type_11" AS "linked_id_type_11", _s3."linked_id_12" AS "linked_id_12" FROM "_seg"."segmentation_dbt_test__audit.linked_identities_share_a_user#1" AS _s3 WHERE ((hash_record_extended(ROW(_s3."id_type_9", _s3."id_10", _s3."linked_id_type_11", _s3."linked_id_12"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1, "_seg_k".k2, "_seg_k".k3), 0)) AND (_s3."id_type_9" IS NOT DISTINCT FROM "_seg_k".k0) AND (_s3."id_10" IS NOT DISTINCT FROM "_seg_k".k1) AND (_s3."linked_id_type_11" IS NOT DISTINCT FROM "_seg_k".k2) AND (_s3."linked_id_12" IS NOT DISTINCT FROM "_seg_k".k3))) AS _q2 LEFT JOIN (SELECT _s5."id_type" AS "id_type_13", _s5."id" AS "id_14", _s5."user_id" AS "user_id_15" FROM "_seg"."segmentation.identities" AS _s5) AS _q4 ON ((hash_record_extended(ROW(_q4."id_type_13", _q4."id_14"), 0) = hash_record_extended(ROW(_q2."id_type_9", _q2."id_10"), 0)) AND (_q4."id_type_13" = _q2."id_type_9") AND (_q4."id_14" = _q2."id_10"))) AS _q1 LEFT JOIN (SELECT _s7."id_type" AS "id_type_16", _s7."id" AS "id_17", _s7."user_id" AS "user_id_18" FROM "_seg"."segmentation.identities" AS _s7) AS _q6 ON ((hash_record_extended(ROW(_q6."id_type_16", _q6."id_17"), 0) = hash_record_extended(ROW(_q1."linked_id_type_11", _q1."linked_id_12"), 0)) AND (_q6."id_type_16" = _q1."linked_id_type_11") AND (_q6."id_17" = _q1."linked_id_12")) WHERE (_q1."user_id_15" IS DISTINCT FROM _q6."user_id_18")
  ) AS "_seg_q"
  UNION ALL
  SELECT "_seg_t"."id_type", "_seg_t"."id", "_seg_t"."linked_id_type", "_seg_t"."linked_id", "_seg_t"."user_id", "_seg_t"."linked_user_id", -1, "_seg_t".ctid
  FROM "_seg_keys" AS "_seg_k" CROSS JOIN LATERAL (
    SELECT "_seg_t".ctid, "_seg_t"."id_type", "_seg_t"."id", "_seg_t"."linked_id_type", "_seg_t"."linked_id", "_seg_t"."user_id", "_seg_t"."linked_user_id" FROM "_seg"."segmentation_dbt_test__audit.linked_identities_share_a_user" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."id_type", "_seg_t"."id", "_seg_t"."linked_id_type", "_seg_t"."linked_id"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1, "_seg_k".k2, "_seg_k".k3), 0) AND "_seg_t"."id_type" IS NOT DISTINCT FROM "_seg_k".k0 AND "_seg_t"."id" IS NOT DISTINCT FROM "_seg_k".k1 AND "_seg_t"."linked_id_type" IS NOT DISTINCT FROM "_seg_k".k2 AND "_seg_t"."linked_id" IS NOT DISTINCT FROM "_seg_k".k3
    OFFSET 0) AS "_seg_t"
),
"_seg_delta" AS MATERIALIZED (
  SELECT "id_type", "id", "linked_id_type", "linked_id", "user_id", "linked_user_id", sum("_seg_w")::integer AS "_seg_w", array_agg("_seg_place") FILTER (WHERE "_seg_w" < 0) AS "_seg_at"
  FROM "_seg_both" GROUP BY "id_type", "id", "linked_id_type", "linked_id", "user_id", "linked_user_id" HAVING sum("_seg_w") <> 0
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation_dbt_test__audit.linked_identities_share_a_user" WHERE ctid = ANY (ARRAY(
    SELECT unnest("_seg_at"[1:-"_seg_w"]) FROM "_seg_delta" WHERE "_seg_w" < 0))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation_dbt_test__audit.linked_identities_share_a_user" ("id_type", "id", "linked_id_type", "linked_id", "user_id", "linked_user_id")
  SELECT "_seg_d"."id_type", "_seg_d"."id", "_seg_d"."linked_id_type", "_seg_d"."linked_id", "_seg_d"."user_id", "_seg_d"."linked_user_id" FROM "_seg_delta" AS "_seg_d", generate_series(1, "_seg_d"."_seg_w") WHERE "_seg_d"."_seg_w" > 0
)
SELECT count(*) FROM "_seg_delta"

== when "segmentation"."activity_events" changes

-- step 7: test "linked_identities_share_a_user", after a change by step 6
WITH "_seg_keys" AS MATERIALIZED (
  SELECT DISTINCT (k0)::text AS k0, (k1)::text AS k1, (k2)::text AS k2, (k3)::text AS k3 FROM (
    SELECT _q3."id_type_9" AS "k0", _q3."id_10" AS "k1", _q3."linked_id_type_11" AS "k2", _q3."linked_id_12" AS "k3" FROM (SELECT _s2."id_type" AS "id_type_13", _s2."id" AS "id_14", _s2."user_id" AS "user_id_15" FROM (SELECT "id_type", "id", "user_id" FROM unnest(_seg_n6) UNION ALL SELECT "id_type", "id", "user_id" FROM unnest(_seg_o6)) AS _s2) AS _q1 CROSS JOIN LATERAL (SELECT _s4."id_type_9" AS "id_type_9", _s4."id_10" AS "id_10", _s4."linked_id_type_11" AS "linked_id_type_11", _s4."linked_id_12" AS "linked_id_12" FROM "_seg"."segmentation_dbt_test__audit.linked_identities_share_a_user#1" AS _s4 WHERE ((hash_record_extended(ROW(_q1."id_type_13", _q1."id_14"), 0) = hash_record_extended(ROW(_s4."id_type_9", _s4."id_10"), 0)) AND (_q1."id_type_13" = _s4."id_type_9") AND (_q1."id_14" = _s4."id_10")) OFFSET 0) AS _q3
    UNION ALL
    SELECT _q3."id_type_9" AS "k0", _q3."id_10" AS "k1", _q3."linked_id_type_11" AS "k2", _q3."linked_id_12" AS "k3" FROM (SELECT _s2."id_type" AS "id_type_16", _s2."id" AS "id_17", _s2."user_id" AS "user_id_18" FROM (SELECT "id_type", "id", "user_id" FROM unnest(_seg_n6) UNION ALL SELECT "id_type", "id", "user_id" FROM unnest(_seg_o6)) AS _s2) AS _q1 CROSS JOIN LATERAL (SELECT _s4."id_type_9" AS "id_type_9", _s4."id_10" AS "id_10", _s4."linked_id_type_11" AS "linked_id_type_11", _s4."linked_id_12" AS "linked_id_12" FROM "_seg"."segmentation_dbt_test__audit.linked_identities_share_a_user#1" AS _s4 WHERE ((hash_record_extended(ROW(_q1."id_type_16", _q1."id_17"), 0) = hash_record_extended(ROW(_s4."linked_id_type_11", _s4."linked_id_12"), 0)) AND (_q1."id_type_16" = _s4."linked_id_type_11") AND (_q1."id_17" = _s4."linked_id_12")) OFFSET 0) AS _q3
  ) AS "_seg_touched"
),
"_seg_both" AS (
  SELECT "_seg_q".*, 1 AS "_seg_w", NULL::tid AS "_seg_place"
  FROM "_seg_keys" AS "_seg_k" CROSS JOIN LATERAL (
    SELECT _q1."id_type_9" AS "id_type", _q1."id_10" AS "id", _q1."linked_id_type_11" AS "linked_id_type", _q1."linked_id_12" AS "linked_id", _q1."user_id_15" AS "user_id", _q6."user_id_18" AS "linked_user_id" FROM (SELECT _q2."id_type_9" AS "id_type_9", _q2."id_10" AS "id_10", _q2."linked_id_type_11" AS "linked_id_type_11", _q2."linked_id_12" AS "linked_id_12", _q4."id_type_13" AS "id_type_13", _q4."id_14" AS "id_14", _q4."user_id_15" AS "user_id_15" FROM (SELECT _s3."id_type_9" AS "id_type_9", _s3."id_10" AS "id_10", _s3."linked_id_type_11" AS "linked_id_type_11", _s3."linked_id_12" AS "linked_id_12" FROM "_seg"."segmentation_dbt_test__audit.linked_identities_share_a_user#1" AS _s3 WHERE ((hash_record_extended(ROW(_s3."id_type_9", _s3."id_10", _s3."linked_id_type_11", _s3."linked_id_12"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1, "_seg_k".k2, "_seg_k".k3), 0)) AND (_s3."id_type_9" IS NOT DISTINCT FROM "_seg_k".k0) AND (_s3."id_10" IS NOT DISTINCT FROM "_seg_k".k1) AND (_s3."linked_id_type_11" IS NOT DISTINCT FROM "_seg_k".k2) AND (_s3."linked_id_12" IS NOT DISTINCT FROM "_seg_k".k3))) AS _q2 LEFT JOIN (SELECT _s5."id_type" AS "id_type_13", _s5."id" AS "id_14", _s5."user_id" AS "user_id_15" FROM "_seg"."segmentation.identities" AS _s5) AS _q4 ON ((hash_record_extended(ROW(_q4."id_type_13", _q4."id_14"), 0) = hash_record_extended(ROW(_q2."id_type_9", _q2."id_10"), 0)) AND (_q4."id_type_13" = _q2."id_type_9") AND (_q4."id_14" = _q2."id_10"))) AS _q1 LEFT JOIN (SELECT _s7."id_type" AS "id_type_16", _s7."id" AS "id_17", _s7."user_id" AS "user_id_18" FROM "_seg"."segmentation.identities" AS _s7) AS _q6 ON ((hash_record_extended(ROW(_q6."id_type_16", _q6."id_17"), 0) = hash_record_extended(ROW(_q1."linked_id_type_11", _q1."linked_id_12"), 0)) AND (_q6."id_type_16" = _q1."linked_id_type_11") AND (_q6."id_17" = _q1."linked_id_12")) WHERE (_q1."user_id_15" IS DISTINCT FROM _q6."user_id_18")
  ) AS "_seg_q"
  UNION ALL
  SELECT "_seg_t"."id_type", "_seg_t"."id", "_seg_t"."linked_id_type", "_seg_t"."linked_id", "_seg_t"."user_id", "_seg_t"."linked_user_id", -1, "_seg_t".ctid
  FROM "_seg_keys" AS "_seg_k" CROSS JOIN LATERAL (
    SELECT "_seg_t".ctid, "_seg_t"."id_type", "_seg_t"."id", "_seg_t"."linked_id_type", "_seg_t"."linked_id", "_seg_t"."user_id", "_seg_t"."linked_user_id" FROM "_seg"."segmentation_dbt_test__audit.linked_identities_share_a_user" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."id_type", "_seg_t"."id", "_seg_t"."linked_id_type", "_seg_t"."linked_id"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1, "_seg_k".k2, "_seg_k".k3), 0) AND "_seg_t"."id_type" IS NOT DISTINCT FROM "_seg_k".k0 AND "_seg_t"."id" IS NOT DISTINCT FROM "_seg_k".k1 AND "_seg_t"."linked_id_type" IS NOT DISTINCT FROM "_seg_k".k2 AND "_seg_t"."linked_id" IS NOT DISTINCT FROM "_seg_k".k3
    OFFSET 0) AS "_seg_t"
),
"_seg_delta" AS MATERIALIZED (
  SELECT "id_type", "id", "linked_id_type", "linked_id", "user_id", "linked_user_id", sum("_seg_w")::integer AS "_seg_w", array_agg("_seg_place") FILTER (WHERE "_seg_w" < 0) AS "_seg_at"
  FROM "_seg_both" GROUP BY "id_type", "id", "linked_id_type", "linked_id", "user_id", "linked_user_id" HAVING sum("_seg_w") <> 0
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation_dbt_test__audit.linked_identities_share_a_user" WHERE ctid = ANY (ARRAY(
    SELECT unnest("_seg_at"[1:-"_seg_w"]) FROM "_seg_delta" WHERE "_seg_w" < 0))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation_dbt_test__audit.linked_identities_share_a_user" ("id_type", "id", "linked_id_type", "linked_id", "user_id", "linked_user_id")
  SELECT "_seg_d"."id_type", "_seg_d"."id", "_seg_d"."linked_id_type", "_seg_d"."linked_id", "_seg_d"."user_id", "_seg_d"."linked_user_id" FROM "_seg_delta" AS "_seg_d", generate_series(1, "_seg_d"."_seg_w") WHERE "_seg_d"."_seg_w" > 0
)
SELECT count(*) FROM "_seg_delta"
