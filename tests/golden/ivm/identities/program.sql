== when "segmentation"."identity_links" changes

-- step 0: model "identities", intermediate result 2, always
WITH "_seg_rows" AS (
    SELECT (_q2."id_type_278")::text AS "k0", (_q2."id_279")::text AS "k1", (_q2."linked_id_type_280")::text AS "k2", (_q2."linked_id_281")::text AS "k3", _q2."_w_14" AS "_seg_w" FROM (SELECT NULLIF("btrim"(_s1."id_type", (' 	
')::"text"), ('')::"text") AS "id_type_278", NULLIF("btrim"(_s1."id", (' 	
')::"text"), ('')::"text") AS "id_279", NULLIF("btrim"(_s1."linked_id_type", (' 	
')::"text"), ('')::"text") AS "linked_id_type_280", NULLIF("btrim"(_s1."linked_id", (' 	
')::"text"), ('')::"text") AS "linked_id_281", _s1."_seg_w" AS "_w_14" FROM (SELECT "id_type", "id", "linked_id_type", "linked_id", 1 AS "_seg_w" FROM _seg_new UNION ALL SELECT "id_type", "id", "linked_id_type", "linked_id", -1 AS "_seg_w" FROM _seg_old) AS _s1) AS _q2 WHERE ((_q2."id_type_278" IS NOT NULL) AND (_q2."id_279" IS NOT NULL) AND (_q2."linked_id_type_280" IS NOT NULL) AND (_q2."linked_id_281" IS NOT NULL))
    UNION ALL
    SELECT (_q2."linked_id_type_296")::text AS "k0", (_q2."linked_id_297")::text AS "k1", (_q2."id_type_294")::text AS "k2", (_q2."id_295")::text AS "k3", _q2."_w_15" AS "_seg_w" FROM (SELECT NULLIF("btrim"(_s1."id_type", (' 	
')::"text"), ('')::"text") AS "id_type_294", NULLIF("btrim"(_s1."id", (' 	
')::"text"), ('')::"text") AS "id_295", NULLIF("btrim"(_s1."linked_id_type", (' 	
')::"text"), ('')::"text") AS "linked_id_type_296", NULLIF("btrim"(_s1."linked_id", (' 	
')::"text"), ('')::"text") AS "linked_id_297", _s1."_seg_w" AS "_w_15" FROM (SELECT "id_type", "id", "linked_id_type", "linked_id", 1 AS "_seg_w" FROM _seg_new UNION ALL SELECT "id_type", "id", "linked_id_type", "linked_id", -1 AS "_seg_w" FROM _seg_old) AS _s1) AS _q2 WHERE ((_q2."id_type_294" IS NOT NULL) AND (_q2."id_295" IS NOT NULL) AND (_q2."linked_id_type_296" IS NOT NULL) AND (_q2."linked_id_297" IS NOT NULL))
    UNION ALL
    SELECT (_q2."id_type_314")::text AS "k0", (_q2."id_315")::text AS "k1", (_q2."id_type_314")::text AS "k2", (_q2."id_315")::text AS "k3", _q2."_w_16" AS "_seg_w" FROM (SELECT NULLIF("btrim"(_s1."id_type", (' 	
')::"text"), ('')::"text") AS "id_type_314", NULLIF("btrim"(_s1."id", (' 	
')::"text"), ('')::"text") AS "id_315", NULLIF("btrim"(_s1."linked_id_type", (' 	
')::"text"), ('')::"text") AS "linked_id_type_316", NULLIF("btrim"(_s1."linked_id", (' 	
')::"text"), ('')::"text") AS "linked_id_317", _s1."_seg_w" AS "_w_16" FROM (SELECT "id_type", "id", "linked_id_type", "linked_id", 1 AS "_seg_w" FROM _seg_new UNION ALL SELECT "id_type", "id", "linked_id_type", "linked_id", -1 AS "_seg_w" FROM _seg_old) AS _s1) AS _q2 WHERE ((_q2."id_type_314" IS NOT NULL) AND (_q2."id_315" IS NOT NULL) AND (_q2."linked_id_type_316" IS NOT NULL) AND (_q2."linked_id_317" IS NOT NULL))
    UNION ALL
    SELECT (_q2."linked_id_type_336")::text AS "k0", (_q2."linked_id_337")::text AS "k1", (_q2."linked_id_type_336")::text AS "k2", (_q2."linked_id_337")::text AS "k3", _q2."_w_17" AS "_seg_w" FROM (SELECT NULLIF("btrim"(_s1."id_type", (' 	
')::"text"), ('')::"text") AS "id_type_334", NULLIF("btrim"(_s1."id", (' 	
')::"text"), ('')::"text") AS "id_335", NULLIF("btrim"(_s1."linked_id_type", (' 	
')::"text"), ('')::"text") AS "linked_id_type_336", NULLIF("btrim"(_s1."linked_id", (' 	
')::"text"), ('')::"text") AS "linked_id_337", _s1."_seg_w" AS "_w_17" FROM (SELECT "id_type", "id", "linked_id_type", "linked_id", 1 AS "_seg_w" FROM _seg_new UNION ALL SELECT "id_type", "id", "linked_id_type", "linked_id", -1 AS "_seg_w" FROM _seg_old) AS _s1) AS _q2 WHERE ((_q2."id_type_334" IS NOT NULL) AND (_q2."id_335" IS NOT NULL) AND (_q2."linked_id_type_336" IS NOT NULL) AND (_q2."linked_id_337" IS NOT NULL))
),
"_seg_pairs" AS MATERIALIZED (
  SELECT n0 AS "id_type_346", n1 AS "id_347", n2 AS "linked_id_type_348", n3 AS "linked_id_349", n4 AS "_seg_count_433", o0 AS _seg_o0, o1 AS _seg_o1, o2 AS _seg_o2, o3 AS _seg_o3, o4 AS _seg_o4, "_seg_place", nullif("_seg_kept", false) AS "_seg_new", "_seg_seen" FROM (
  SELECT *, NOT "_seg_kept" OR "_seg_place" IS NULL AS "_seg_seen" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, o4, n4, k0 AS n0, k1 AS n1, k2 AS n2, k3 AS n3, coalesce(n4 > 0, false) AS "_seg_kept" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, o4, k0, k1, k2, k3, (coalesce(o4, 0) + coalesce(p0_c, 0))::bigint AS n4
  FROM (
  SELECT "_seg_k".*, "_seg_o".*
  FROM (SELECT k0, k1, k2, k3, sum("_seg_w") AS p0_c
  FROM "_seg_rows" AS "_seg_r" GROUP BY k0, k1, k2, k3 OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", "_seg_t"."id_type_346" AS o0, "_seg_t"."id_347" AS o1, "_seg_t"."linked_id_type_348" AS o2, "_seg_t"."linked_id_349" AS o3, "_seg_t"."_seg_count_433" AS o4 FROM "_seg"."segmentation.identities#2" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."id_type_346", "_seg_t"."id_347", "_seg_t"."linked_id_type_348", "_seg_t"."linked_id_349"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1, "_seg_k".k2, "_seg_k".k3), 0) AND "_seg_t"."id_type_346" IS NOT DISTINCT FROM "_seg_k".k0 AND "_seg_t"."id_347" IS NOT DISTINCT FROM "_seg_k".k1 AND "_seg_t"."linked_id_type_348" IS NOT DISTINCT FROM "_seg_k".k2 AND "_seg_t"."linked_id_349" IS NOT DISTINCT FROM "_seg_k".k3
    OFFSET 0) AS "_seg_o" ON true OFFSET 0) AS "_seg_k" OFFSET 0) AS "_seg_s" OFFSET 0) AS "_seg_n" OFFSET 0) AS "_seg_v"
  WHERE CASE WHEN NOT "_seg_kept" THEN "_seg_place" IS NOT NULL ELSE "_seg_seen" OR n4 IS DISTINCT FROM o4 END
),
"_seg_changed" AS (
  UPDATE "_seg"."segmentation.identities#2" AS "_seg_t" SET "id_type_346" = "_seg_p"."id_type_346", "id_347" = "_seg_p"."id_347", "linked_id_type_348" = "_seg_p"."linked_id_type_348", "linked_id_349" = "_seg_p"."linked_id_349", "_seg_count_433" = "_seg_p"."_seg_count_433" FROM "_seg_pairs" AS "_seg_p"
  WHERE "_seg_t".ctid = "_seg_p"."_seg_place" AND "_seg_p"."_seg_place" IS NOT NULL AND "_seg_p"."_seg_new"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.identities#2" WHERE ctid = ANY (ARRAY(
    SELECT "_seg_place" FROM "_seg_pairs" WHERE "_seg_new" IS NULL))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.identities#2" ("id_type_346", "id_347", "linked_id_type_348", "linked_id_349", "_seg_count_433") SELECT "_seg_p"."id_type_346", "_seg_p"."id_347", "_seg_p"."linked_id_type_348", "_seg_p"."linked_id_349", "_seg_p"."_seg_count_433" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NULL
)
SELECT ARRAY(SELECT ROW("_seg_p"._seg_o0, "_seg_p"._seg_o1, "_seg_p"._seg_o2, "_seg_p"._seg_o3, "_seg_p"._seg_o4)::"_seg"."segmentation.identities#2" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NOT NULL AND "_seg_seen"), ARRAY(SELECT ROW("_seg_p"."id_type_346", "_seg_p"."id_347", "_seg_p"."linked_id_type_348", "_seg_p"."linked_id_349", "_seg_p"."_seg_count_433")::"_seg"."segmentation.identities#2" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_new" AND "_seg_seen")

-- step 1: model "identities", intermediate result 4, after a change by step 0
WITH "_seg_rows" AS (
    SELECT (_q1."id_type_346")::text AS "k0", (_q1."id_347")::text AS "k1", _q3."user_id_391" AS "p1_i", _q1."_w_20" AS "_seg_w" FROM (SELECT _s2."id_type_346" AS "id_type_346", _s2."id_347" AS "id_347", _s2."linked_id_type_348" AS "linked_id_type_348", _s2."linked_id_349" AS "linked_id_349", _s2."_seg_w" AS "_w_20" FROM (SELECT "id_type_346", "id_347", "linked_id_type_348", "linked_id_349", 1 AS "_seg_w" FROM unnest(_seg_n0) UNION ALL SELECT "id_type_346", "id_347", "linked_id_type_348", "linked_id_349", -1 AS "_seg_w" FROM unnest(_seg_o0)) AS _s2) AS _q1 CROSS JOIN LATERAL (SELECT _s4."id_type_389" AS "id_type_389", _s4."id_390" AS "id_390", _s4."user_id_391" AS "user_id_391" FROM "_seg"."segmentation.identities#3" AS _s4 WHERE ((hash_record_extended(ROW(_s4."id_type_389", _s4."id_390"), 0) = hash_record_extended(ROW(_q1."linked_id_type_348", _q1."linked_id_349"), 0)) AND (_s4."id_type_389" = _q1."linked_id_type_348") AND (_s4."id_390" = _q1."linked_id_349")) OFFSET 0) AS _q3
),
"_seg_net" AS (
  SELECT k0, k1, p1_i, sign("_seg_n")::integer AS "_seg_w" FROM (
    SELECT k0, k1, p1_i, sum("_seg_w") AS "_seg_n" FROM "_seg_rows" GROUP BY k0, k1, p1_i HAVING sum("_seg_w") <> 0
  ) AS "_seg_s", generate_series(1, abs("_seg_n"))
),
"_seg_pairs" AS MATERIALIZED (
  SELECT n0 AS "id_type_395", n1 AS "id_396", n2 AS "user_id_397", n3 AS "_seg_count_440", o0 AS _seg_o0, o1 AS _seg_o1, o2 AS _seg_o2, o3 AS _seg_o3, "_seg_place", nullif("_seg_kept", false) AS "_seg_new", "_seg_seen" FROM (
  SELECT *, NOT "_seg_kept" OR "_seg_place" IS NULL OR n2 IS DISTINCT FROM o2 AS "_seg_seen" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, n2, n3, k0 AS n0, k1 AS n1, coalesce(n3 > 0, false) AS "_seg_kept" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, k0, k1, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a3 ELSE coalesce(o3, 0) + coalesce(p0_c, 0) END)::bigint AS n3, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a2 ELSE least(o2, p1_a) END)::bigint AS n2
  FROM (
  SELECT "_seg_k".*, "_seg_o".*, _seg_again OR (((p1_r IS NOT NULL AND NOT coalesce(p1_r > o2, false) AND NOT coalesce(p1_a <= o2, false))) AND coalesce((coalesce(o3, 0) + coalesce(p0_c, 0)) > 0, false)) AS "_seg_reread"
  FROM (SELECT k0, k1, sum("_seg_w") AS p0_c, min(p1_i) FILTER (WHERE "_seg_w" > 0) AS p1_a, min(p1_i) FILTER (WHERE "_seg_w" < 0) AS p1_r
  FROM "_seg_net" AS "_seg_r" GROUP BY k0, k1 OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", "_seg_t"."id_type_395" AS o0, "_seg_t"."id_396" AS o1, "_seg_t"."user_id_397" AS o2, "_seg_t"."_seg_count_440" AS o3 FROM "_seg"."segmentation.identities#4" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."id_type_395", "_seg_t"."id_396"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0) AND "_seg_t"."id_type_395" IS NOT DISTINCT FROM "_seg_k".k0 AND "_seg_t"."id_396" IS NOT DISTINCT FROM "_seg_k".k1
    OFFSET 0) AS "_seg_o" ON true OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT * FROM (
      SELECT _q1."count_440" AS "a3", _q1."min_441" AS "a2" FROM (SELECT _q2."id_type_346" AS "id_type_392", _q2."id_347" AS "id_393", count(*) AS "count_440", min(_q2."user_id_391") AS "min_441" FROM (SELECT _q3."id_type_346" AS "id_type_346", _q3."id_347" AS "id_347", _q3."linked_id_type_348" AS "linked_id_type_348", _q3."linked_id_349" AS "linked_id_349", _q5."id_type_389" AS "id_type_389", _q5."id_390" AS "id_390", _q5."user_id_391" AS "user_id_391" FROM (SELECT _s4."id_type_346" AS "id_type_346", _s4."id_347" AS "id_347", _s4."linked_id_type_348" AS "linked_id_type_348", _s4."linked_id_349" AS "linked_id_349" FROM "_seg"."segmentation.identities#2" AS _s4 WHERE ((hash_record_extended(ROW(_s4."id_type_346", _s4."id_347"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0)) AND (_s4."id_type_346" IS NOT DISTINCT FROM "_seg_k".k0) AND (_s4."id_347" IS NOT DISTINCT FROM "_seg_k".k1))) AS _q3 JOIN (SELECT _s6."id_type_389" AS "id_type_389", _s6."id_390" AS "id_390", _s6."user_id_391" AS "user_id_391" FROM "_seg"."segmentation.identities#3" AS _s6) AS _q5 ON ((hash_record_extended(ROW(_q5."id_type_389", _q5."id_390"), 0) = hash_record_extended(ROW(_q3."linked_id_type_348", _q3."linked_id_349"), 0)) AND (_q5."id_type_389" = _q3."linked_id_type_348") AND (_q5."id_390" = _q3."linked_id_349"))) AS _q2 GROUP BY _q2."id_type_346", _q2."id_347") AS _q1
    ) AS "_seg_q" WHERE "_seg_k"."_seg_reread" OFFSET 0) AS "_seg_a" ON true OFFSET 0) AS "_seg_s" OFFSET 0) AS "_seg_n" OFFSET 0) AS "_seg_v"
  WHERE CASE WHEN NOT "_seg_kept" THEN "_seg_place" IS NOT NULL ELSE "_seg_seen" OR n3 IS DISTINCT FROM o3 END
),
"_seg_changed" AS (
  UPDATE "_seg"."segmentation.identities#4" AS "_seg_t" SET "id_type_395" = "_seg_p"."id_type_395", "id_396" = "_seg_p"."id_396", "user_id_397" = "_seg_p"."user_id_397", "_seg_count_440" = "_seg_p"."_seg_count_440" FROM "_seg_pairs" AS "_seg_p"
  WHERE "_seg_t".ctid = "_seg_p"."_seg_place" AND "_seg_p"."_seg_place" IS NOT NULL AND "_seg_p"."_seg_new"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.identities#4" WHERE ctid = ANY (ARRAY(
    SELECT "_seg_place" FROM "_seg_pairs" WHERE "_seg_new" IS NULL))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.identities#4" ("id_type_395", "id_396", "user_id_397", "_seg_count_440") SELECT "_seg_p"."id_type_395", "_seg_p"."id_396", "_seg_p"."user_id_397", "_seg_p"."_seg_count_440" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NULL
)
SELECT ARRAY(SELECT ROW("_seg_p"._seg_o0, "_seg_p"._seg_o1, "_seg_p"._seg_o2, "_seg_p"._seg_o3)::"_seg"."segmentation.identities#4" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NOT NULL AND "_seg_seen"), ARRAY(SELECT ROW("_seg_p"."id_type_395", "_seg_p"."id_396", "_seg_p"."user_id_397", "_seg_p"."_seg_count_440")::"_seg"."segmentation.identities#4" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_new" AND "_seg_seen")

-- step 2: model "identities", intermediate result 5, after a change by step 0 or 1, needs the whole change at once
WITH "_seg_rows" AS (
    SELECT (_q1."id_type_270")::text AS "k0", (_q1."id_271")::text AS "k1", _q3."user_id_397" AS "p1_i", _q1."_w_22" AS "_seg_w" FROM (SELECT _s2."id_type_346" AS "id_type_270", _s2."id_347" AS "id_271", _s2."linked_id_type_348" AS "linked_id_type_272", _s2."linked_id_349" AS "linked_id_273", _s2."_seg_w" AS "_w_22" FROM (SELECT "id_type_346", "id_347", "linked_id_type_348", "linked_id_349", 1 AS "_seg_w" FROM unnest(_seg_n0) UNION ALL SELECT "id_type_346", "id_347", "linked_id_type_348", "linked_id_349", -1 AS "_seg_w" FROM unnest(_seg_o0)) AS _s2) AS _q1 CROSS JOIN LATERAL (SELECT _s4."id_type_395" AS "id_type_395", _s4."id_396" AS "id_396", _s4."user_id_397" AS "user_id_397" FROM "_seg"."segmentation.identities#4" AS _s4 WHERE ((hash_record_extended(ROW(_s4."id_type_395", _s4."id_396"), 0) = hash_record_extended(ROW(_q1."linked_id_type_272", _q1."linked_id_273"), 0)) AND (_s4."id_type_395" = _q1."linked_id_type_272") AND (_s4."id_396" = _q1."linked_id_273")) OFFSET 0) AS _q3
    UNION ALL
    SELECT (_q3."id_type_270")::text AS "k0", (_q3."id_271")::text AS "k1", _q1."user_id_397" AS "p1_i", _q1."_w_23" AS "_seg_w" FROM (SELECT _s2."id_type_395" AS "id_type_395", _s2."id_396" AS "id_396", _s2."user_id_397" AS "user_id_397", _s2."_seg_w" AS "_w_23" FROM (SELECT "id_type_395", "id_396", "user_id_397", 1 AS "_seg_w" FROM unnest(_seg_n1) UNION ALL SELECT "id_type_395", "id_396", "user_id_397", -1 AS "_seg_w" FROM unnest(_seg_o1)) AS _s2) AS _q1 CROSS JOIN LATERAL (SELECT _s4."id_type_346" AS "id_type_270", _s4."id_347" AS "id_271", _s4."linked_id_type_348" AS "linked_id_type_272", _s4."linked_id_349" AS "linked_id_273" FROM "_seg"."segmentation.identities#2" AS _s4 WHERE ((hash_record_extended(ROW(_q1."id_type_395", _q1."id_396"), 0) = hash_record_extended(ROW(_s4."linked_id_type_348", _s4."linked_id_349"), 0)) AND (_q1."id_type_395" = _s4."linked_id_type_348") AND (_q1."id_396" = _s4."linked_id_349")) OFFSET 0) AS _q3
    UNION ALL
    SELECT (_q1."id_type_270")::text AS "k0", (_q1."id_271")::text AS "k1", _q3."user_id_397" AS "p1_i", _q1."_w_22" * _q3."_w_23" AS "_seg_w" FROM (SELECT _s2."id_type_346" AS "id_type_270", _s2."id_347" AS "id_271", _s2."linked_id_type_348" AS "linked_id_type_272", _s2."linked_id_349" AS "linked_id_273", _s2."_seg_w" AS "_w_22" FROM (SELECT "id_type_346", "id_347", "linked_id_type_348", "linked_id_349", 1 AS "_seg_w" FROM unnest(_seg_n0) UNION ALL SELECT "id_type_346", "id_347", "linked_id_type_348", "linked_id_349", -1 AS "_seg_w" FROM unnest(_seg_o0)) AS _s2) AS _q1 FULL JOIN (SELECT _s4."id_type_395" AS "id_type_395", _s4."id_396" AS "id_396", _s4."user_id_397" AS "user_id_397", (-_s4."_seg_w") AS "_w_23" FROM (SELECT "id_type_395", "id_396", "user_id_397", 1 AS "_seg_w" FROM unnest(_seg_n1) UNION ALL SELECT "id_type_395", "id_396", "user_id_397", -1 AS "_seg_w" FROM unnest(_seg_o1)) AS _s4) AS _q3 ON ((hash_record_extended(ROW(_q3."id_type_395", _q3."id_396"), 0) = hash_record_extended(ROW(_q1."linked_id_type_272", _q1."linked_id_273"), 0)) AND (_q3."id_type_395" = _q1."linked_id_type_272") AND (_q3."id_396" = _q1."linked_id_273")) WHERE coalesce(_q1."_w_22", 0) <> 0 AND coalesce(_q3."_w_23", 0) <> 0
),
"_seg_net" AS (
  SELECT k0, k1, p1_i, sign("_seg_n")::integer AS "_seg_w" FROM (
    SELECT k0, k1, p1_i, sum("_seg_w") AS "_seg_n" FROM "_seg_rows" GROUP BY k0, k1, p1_i HAVING sum("_seg_w") <> 0
  ) AS "_seg_s", generate_series(1, abs("_seg_n"))
),
"_seg_pairs" AS MATERIALIZED (
  SELECT n0 AS "id_type_401", n1 AS "id_402", n2 AS "user_id_403", n3 AS "_seg_count_444", o0 AS _seg_o0, o1 AS _seg_o1, o2 AS _seg_o2, o3 AS _seg_o3, "_seg_place", nullif("_seg_kept", false) AS "_seg_new", "_seg_seen" FROM (
  SELECT *, NOT "_seg_kept" OR "_seg_place" IS NULL OR n2 IS DISTINCT FROM o2 AS "_seg_seen" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, n2, n3, k0 AS n0, k1 AS n1, coalesce(n3 > 0, false) AS "_seg_kept" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, k0, k1, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a3 ELSE coalesce(o3, 0) + coalesce(p0_c, 0) END)::bigint AS n3, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a2 ELSE least(o2, p1_a) END)::bigint AS n2
  FROM (
  SELECT "_seg_k".*, "_seg_o".*, _seg_again OR (((p1_r IS NOT NULL AND NOT coalesce(p1_r > o2, false) AND NOT coalesce(p1_a <= o2, false))) AND coalesce((coalesce(o3, 0) + coalesce(p0_c, 0)) > 0, false)) AS "_seg_reread"
  FROM (SELECT k0, k1, sum("_seg_w") AS p0_c, min(p1_i) FILTER (WHERE "_seg_w" > 0) AS p1_a, min(p1_i) FILTER (WHERE "_seg_w" < 0) AS p1_r
  FROM "_seg_net" AS "_seg_r" GROUP BY k0, k1 OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", "_seg_t"."id_type_401" AS o0, "_seg_t"."id_402" AS o1, "_seg_t"."user_id_403" AS o2, "_seg_t"."_seg_count_444" AS o3 FROM "_seg"."segmentation.identities#5" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."id_type_401", "_seg_t"."id_402"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0) AND "_seg_t"."id_type_401" IS NOT DISTINCT FROM "_seg_k".k0 AND "_seg_t"."id_402" IS NOT DISTINCT FROM "_seg_k".k1
    OFFSET 0) AS "_seg_o" ON true OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT * FROM (
      SELECT _q1."count_444" AS "a3", _q1."min_445" AS "a2" FROM (SELECT _q2."id_type_270" AS "id_type_398", _q2."id_271" AS "id_399", count(*) AS "count_444", min(_q2."user_id_397") AS "min_445" FROM (SELECT _q3."id_type_270" AS "id_type_270", _q3."id_271" AS "id_271", _q3."linked_id_type_272" AS "linked_id_type_272", _q3."linked_id_273" AS "linked_id_273", _q5."id_type_395" AS "id_type_395", _q5."id_396" AS "id_396", _q5."user_id_397" AS "user_id_397" FROM (SELECT _s4."id_type_346" AS "id_type_270", _s4."id_347" AS "id_271", _s4."linked_id_type_348" AS "linked_id_type_272", _s4."linked_id_349" AS "linked_id_273" FROM "_seg"."segmentation.identities#2" AS _s4 WHERE ((hash_record_extended(ROW(_s4."id_type_346", _s4."id_347"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0)) AND (_s4."id_type_346" IS NOT DISTINCT FROM "_seg_k".k0) AND (_s4."id_347" IS NOT DISTINCT FROM "_seg_k".k1))) AS _q3 JOIN (SELECT _s6."id_type_395" AS "id_type_395", _s6."id_396" AS "id_396", _s6."user_id_397" AS "user_id_397" FROM "_seg"."segmentation.identities#4" AS _s6) AS _q5 ON ((hash_record_extended(ROW(_q5."id_type_395", _q5."id_396"), 0) = hash_record_extended(ROW(_q3."linked_id_type_272", _q3."linked_id_273"), 0)) AND (_q5."id_type_395" = _q3."linked_id_type_272") AND (_q5."id_396" = _q3."linked_id_273"))) AS _q2 GROUP BY _q2."id_type_270", _q2."id_271") AS _q1
    ) AS "_seg_q" WHERE "_seg_k"."_seg_reread" OFFSET 0) AS "_seg_a" ON true OFFSET 0) AS "_seg_s" OFFSET 0) AS "_seg_n" OFFSET 0) AS "_seg_v"
  WHERE CASE WHEN NOT "_seg_kept" THEN "_seg_place" IS NOT NULL ELSE "_seg_seen" OR n3 IS DISTINCT FROM o3 END
),
"_seg_changed" AS (
  UPDATE "_seg"."segmentation.identities#5" AS "_seg_t" SET "id_type_401" = "_seg_p"."id_type_401", "id_402" = "_seg_p"."id_402", "user_id_403" = "_seg_p"."user_id_403", "_seg_count_444" = "_seg_p"."_seg_count_444" FROM "_seg_pairs" AS "_seg_p"
  WHERE "_seg_t".ctid = "_seg_p"."_seg_place" AND "_seg_p"."_seg_place" IS NOT NULL AND "_seg_p"."_seg_new"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.identities#5" WHERE ctid = ANY (ARRAY(
    SELECT "_seg_place" FROM "_seg_pairs" WHERE "_seg_new" IS NULL))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.identities#5" ("id_type_401", "id_402", "user_id_403", "_seg_count_444") SELECT "_seg_p"."id_type_401", "_seg_p"."id_402", "_seg_p"."user_id_403", "_seg_p"."_seg_count_444" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NULL
)
SELECT ARRAY(SELECT ROW("_seg_p"._seg_o0, "_seg_p"._seg_o1, "_seg_p"._seg_o2, "_seg_p"._seg_o3)::"_seg"."segmentation.identities#5" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NOT NULL AND "_seg_seen"), ARRAY(SELECT ROW("_seg_p"."id_type_401", "_seg_p"."id_402", "_seg_p"."user_id_403", "_seg_p"."_seg_count_444")::"_seg"."segmentation.identities#5" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_new" AND "_seg_seen")

-- step 3: model "identities", intermediate result 6, after a change by step 0 or 2, needs the whole change at once
WITH "_seg_rows" AS (
    SELECT (_q1."id_type_194")::text AS "k0", (_q1."id_195")::text AS "k1", _q3."user_id_403" AS "p1_i", _q1."_w_24" AS "_seg_w" FROM (SELECT _s2."id_type_346" AS "id_type_194", _s2."id_347" AS "id_195", _s2."linked_id_type_348" AS "linked_id_type_196", _s2."linked_id_349" AS "linked_id_197", _s2."_seg_w" AS "_w_24" FROM (SELECT "id_type_346", "id_347", "linked_id_type_348", "linked_id_349", 1 AS "_seg_w" FROM unnest(_seg_n0) UNION ALL SELECT "id_type_346", "id_347", "linked_id_type_348", "linked_id_349", -1 AS "_seg_w" FROM unnest(_seg_o0)) AS _s2) AS _q1 CROSS JOIN LATERAL (SELECT _s4."id_type_401" AS "id_type_401", _s4."id_402" AS "id_402", _s4."user_id_403" AS "user_id_403" FROM "_seg"."segmentation.identities#5" AS _s4 WHERE ((hash_record_extended(ROW(_s4."id_type_401", _s4."id_402"), 0) = hash_record_extended(ROW(_q1."linked_id_type_196", _q1."linked_id_197"), 0)) AND (_s4."id_type_401" = _q1."linked_id_type_196") AND (_s4."id_402" = _q1."linked_id_197")) OFFSET 0) AS _q3
    UNION ALL
    SELECT (_q3."id_type_194")::text AS "k0", (_q3."id_195")::text AS "k1", _q1."user_id_403" AS "p1_i", _q1."_w_25" AS "_seg_w" FROM (SELECT _s2."id_type_401" AS "id_type_401", _s2."id_402" AS "id_402", _s2."user_id_403" AS "user_id_403", _s2."_seg_w" AS "_w_25" FROM (SELECT "id_type_401", "id_402", "user_id_403", 1 AS "_seg_w" FROM unnest(_seg_n2) UNION ALL SELECT "id_type_401", "id_402", "user_id_403", -1 AS "_seg_w" FROM unnest(_seg_o2)) AS _s2) AS _q1 CROSS JOIN LATERAL (SELECT _s4."id_type_346" AS "id_type_194", _s4."id_347" AS "id_195", _s4."linked_id_type_348" AS "linked_id_type_196", _s4."linked_id_349" AS "linked_id_197" FROM "_seg"."segmentation.identities#2" AS _s4 WHERE ((hash_record_extended(ROW(_q1."id_type_401", _q1."id_402"), 0) = hash_record_extended(ROW(_s4."linked_id_type_348", _s4."linked_id_349"), 0)) AND (_q1."id_type_401" = _s4."linked_id_type_348") AND (_q1."id_402" = _s4."linked_id_349")) OFFSET 0) AS _q3
    UNION ALL
    SELECT (_q1."id_type_194")::text AS "k0", (_q1."id_195")::text AS "k1", _q3."user_id_403" AS "p1_i", _q1."_w_24" * _q3."_w_25" AS "_seg_w" FROM (SELECT _s2."id_type_346" AS "id_type_194", _s2."id_347" AS "id_195", _s2."linked_id_type_348" AS "linked_id_type_196", _s2."linked_id_349" AS "linked_id_197", _s2."_seg_w" AS "_w_24" FROM (SELECT "id_type_346", "id_347", "linked_id_type_348", "linked_id_349", 1 AS "_seg_w" FROM unnest(_seg_n0) UNION ALL SELECT "id_type_346", "id_347", "linked_id_type_348", "linked_id_349", -1 AS "_seg_w" FROM unnest(_seg_o0)) AS _s2) AS _q1 FULL JOIN (SELECT _s4."id_type_401" AS "id_type_401", _s4."id_402" AS "id_402", _s4."user_id_403" AS "user_id_403", (-_s4."_seg_w") AS "_w_25" FROM (SELECT "id_type_401", "id_402", "user_id_403", 1 AS "_seg_w" FROM unnest(_seg_n2) UNION ALL SELECT "id_type_401", "id_402", "user_id_403", -1 AS "_seg_w" FROM unnest(_seg_o2)) AS _s4) AS _q3 ON ((hash_record_extended(ROW(_q3."id_type_401", _q3."id_402"), 0) = hash_record_extended(ROW(_q1."linked_id_type_196", _q1."linked_id_197"), 0)) AND (_q3."id_type_401" = _q1."linked_id_type_196") AND (_q3."id_402" = _q1."linked_id_197")) WHERE coalesce(_q1."_w_24", 0) <> 0 AND coalesce(_q3."_w_25", 0) <> 0
),
"_seg_net" AS (
  SELECT k0, k1, p1_i, sign("_seg_n")::integer AS "_seg_w" FROM (
    SELECT k0, k1, p1_i, sum("_seg_w") AS "_seg_n" FROM "_seg_rows" GROUP BY k0, k1, p1_i HAVING sum("_seg_w") <> 0
  ) AS "_seg_s", generate_series(1, abs("_seg_n"))
),
"_seg_pairs" AS MATERIALIZED (
  SELECT n0 AS "id_type_407", n1 AS "id_408", n2 AS "user_id_409", n3 AS "_seg_count_448", o0 AS _seg_o0, o1 AS _seg_o1, o2 AS _seg_o2, o3 AS _seg_o3, "_seg_place", nullif("_seg_kept", false) AS "_seg_new", "_seg_seen" FROM (
  SELECT *, NOT "_seg_kept" OR "_seg_place" IS NULL OR n2 IS DISTINCT FROM o2 AS "_seg_seen" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, n2, n3, k0 AS n0, k1 AS n1, coalesce(n3 > 0, false) AS "_seg_kept" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, k0, k1, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a3 ELSE coalesce(o3, 0) + coalesce(p0_c, 0) END)::bigint AS n3, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a2 ELSE least(o2, p1_a) END)::bigint AS n2
  FROM (
  SELECT "_seg_k".*, "_seg_o".*, _seg_again OR (((p1_r IS NOT NULL AND NOT coalesce(p1_r > o2, false) AND NOT coalesce(p1_a <= o2, false))) AND coalesce((coalesce(o3, 0) + coalesce(p0_c, 0)) > 0, false)) AS "_seg_reread"
  FROM (SELECT k0, k1, sum("_seg_w") AS p0_c, min(p1_i) FILTER (WHERE "_seg_w" > 0) AS p1_a, min(p1_i) FILTER (WHERE "_seg_w" < 0) AS p1_r
  FROM "_seg_net" AS "_seg_r" GROUP BY k0, k1 OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", "_seg_t"."id_type_407" AS o0, "_seg_t"."id_408" AS o1, "_seg_t"."user_id_409" AS o2, "_seg_t"."_seg_count_448" AS o3 FROM "_seg"."segmentation.identities#6" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."id_type_407", "_seg_t"."id_408"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0) AND "_seg_t"."id_type_407" IS NOT DISTINCT FROM "_seg_k".k0 AND "_seg_t"."id_408" IS NOT DISTINCT FROM "_seg_k".k1
    OFFSET 0) AS "_seg_o" ON true OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT * FROM (
      SELECT _q1."count_448" AS "a3", _q1."min_449" AS "a2" FROM (SELECT _q2."id_type_194" AS "id_type_404", _q2."id_195" AS "id_405", count(*) AS "count_448", min(_q2."user_id_403") AS "min_449" FROM (SELECT _q3."id_type_194" AS "id_type_194", _q3."id_195" AS "id_195", _q3."linked_id_type_196" AS "linked_id_type_196", _q3."linked_id_197" AS "linked_id_197", _q5."id_type_401" AS "id_type_401", _q5."id_402" AS "id_402", _q5."user_id_403" AS "user_id_403" FROM (SELECT _s4."id_type_346" AS "id_type_194", _s4."id_347" AS "id_195", _s4."linked_id_type_348" AS "linked_id_type_196", _s4."linked_id_349" AS "linked_id_197" FROM "_seg"."segmentation.identities#2" AS _s4 WHERE ((hash_record_extended(ROW(_s4."id_type_346", _s4."id_347"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0)) AND (_s4."id_type_346" IS NOT DISTINCT FROM "_seg_k".k0) AND (_s4."id_347" IS NOT DISTINCT FROM "_seg_k".k1))) AS _q3 JOIN (SELECT _s6."id_type_401" AS "id_type_401", _s6."id_402" AS "id_402", _s6."user_id_403" AS "user_id_403" FROM "_seg"."segmentation.identities#5" AS _s6) AS _q5 ON ((hash_record_extended(ROW(_q5."id_type_401", _q5."id_402"), 0) = hash_record_extended(ROW(_q3."linked_id_type_196", _q3."linked_id_197"), 0)) AND (_q5."id_type_401" = _q3."linked_id_type_196") AND (_q5."id_402" = _q3."linked_id_197"))) AS _q2 GROUP BY _q2."id_type_194", _q2."id_195") AS _q1
    ) AS "_seg_q" WHERE "_seg_k"."_seg_reread" OFFSET 0) AS "_seg_a" ON true OFFSET 0) AS "_seg_s" OFFSET 0) AS "_seg_n" OFFSET 0) AS "_seg_v"
  WHERE CASE WHEN NOT "_seg_kept" THEN "_seg_place" IS NOT NULL ELSE "_seg_seen" OR n3 IS DISTINCT FROM o3 END
),
"_seg_changed" AS (
  UPDATE "_seg"."segmentation.identities#6" AS "_seg_t" SET "id_type_407" = "_seg_p"."id_type_407", "id_408" = "_seg_p"."id_408", "user_id_409" = "_seg_p"."user_id_409", "_seg_count_448" = "_seg_p"."_seg_count_448" FROM "_seg_pairs" AS "_seg_p"
  WHERE "_seg_t".ctid = "_seg_p"."_seg_place" AND "_seg_p"."_seg_place" IS NOT NULL AND "_seg_p"."_seg_new"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.identities#6" WHERE ctid = ANY (ARRAY(
    SELECT "_seg_place" FROM "_seg_pairs" WHERE "_seg_new" IS NULL))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.identities#6" ("id_type_407", "id_408", "user_id_409", "_seg_count_448") SELECT "_seg_p"."id_type_407", "_seg_p"."id_408", "_seg_p"."user_id_409", "_seg_p"."_seg_count_448" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NULL
)
SELECT ARRAY(SELECT ROW("_seg_p"._seg_o0, "_seg_p"._seg_o1, "_seg_p"._seg_o2, "_seg_p"._seg_o3)::"_seg"."segmentation.identities#6" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NOT NULL AND "_seg_seen"), ARRAY(SELECT ROW("_seg_p"."id_type_407", "_seg_p"."id_408", "_seg_p"."user_id_409", "_seg_p"."_seg_count_448")::"_seg"."segmentation.identities#6" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_new" AND "_seg_seen")

-- step 4: model "identities", intermediate result 7, after a change by step 0 or 3, needs the whole change at once
WITH "_seg_rows" AS (
    SELECT (_q1."id_type_118")::text AS "k0", (_q1."id_119")::text AS "k1", _q3."user_id_409" AS "p1_i", _q1."_w_26" AS "_seg_w" FROM (SELECT _s2."id_type_346" AS "id_type_118", _s2."id_347" AS "id_119", _s2."linked_id_type_348" AS "linked_id_type_120", _s2."linked_id_349" AS "linked_id_121", _s2."_seg_w" AS "_w_26" FROM (SELECT "id_type_346", "id_347", "linked_id_type_348", "linked_id_349", 1 AS "_seg_w" FROM unnest(_seg_n0) UNION ALL SELECT "id_type_346", "id_347", "linked_id_type_348", "linked_id_349", -1 AS "_seg_w" FROM unnest(_seg_o0)) AS _s2) AS _q1 CROSS JOIN LATERAL (SELECT _s4."id_type_407" AS "id_type_407", _s4."id_408" AS "id_408", _s4."user_id_409" AS "user_id_409" FROM "_seg"."segmentation.identities#6" AS _s4 WHERE ((hash_record_extended(ROW(_s4."id_type_407", _s4."id_408"), 0) = hash_record_extended(ROW(_q1."linked_id_type_120", _q1."linked_id_121"), 0)) AND (_s4."id_type_407" = _q1."linked_id_type_120") AND (_s4."id_408" = _q1."linked_id_121")) OFFSET 0) AS _q3
    UNION ALL
    SELECT (_q3."id_type_118")::text AS "k0", (_q3."id_119")::text AS "k1", _q1."user_id_409" AS "p1_i", _q1."_w_27" AS "_seg_w" FROM (SELECT _s2."id_type_407" AS "id_type_407", _s2."id_408" AS "id_408", _s2."user_id_409" AS "user_id_409", _s2."_seg_w" AS "_w_27" FROM (SELECT "id_type_407", "id_408", "user_id_409", 1 AS "_seg_w" FROM unnest(_seg_n3) UNION ALL SELECT "id_type_407", "id_408", "user_id_409", -1 AS "_seg_w" FROM unnest(_seg_o3)) AS _s2) AS _q1 CROSS JOIN LATERAL (SELECT _s4."id_type_346" AS "id_type_118", _s4."id_347" AS "id_119", _s4."linked_id_type_348" AS "linked_id_type_120", _s4."linked_id_349" AS "linked_id_121" FROM "_seg"."segmentation.identities#2" AS _s4 WHERE ((hash_record_extended(ROW(_q1."id_type_407", _q1."id_408"), 0) = hash_record_extended(ROW(_s4."linked_id_type_348", _s4."linked_id_349"), 0)) AND (_q1."id_type_407" = _s4."linked_id_type_348") AND (_q1."id_408" = _s4."linked_id_349")) OFFSET 0) AS _q3
    UNION ALL
    SELECT (_q1."id_type_118")::text AS "k0", (_q1."id_119")::text AS "k1", _q3."user_id_409" AS "p1_i", _q1."_w_26" * _q3."_w_27" AS "_seg_w" FROM (SELECT _s2."id_type_346" AS "id_type_118", _s2."id_347" AS "id_119", _s2."linked_id_type_348" AS "linked_id_type_120", _s2."linked_id_349" AS "linked_id_121", _s2."_seg_w" AS "_w_26" FROM (SELECT "id_type_346", "id_347", "linked_id_type_348", "linked_id_349", 1 AS "_seg_w" FROM unnest(_seg_n0) UNION ALL SELECT "id_type_346", "id_347", "linked_id_type_348", "linked_id_349", -1 AS "_seg_w" FROM unnest(_seg_o0)) AS _s2) AS _q1 FULL JOIN (SELECT _s4."id_type_407" AS "id_type_407", _s4."id_408" AS "id_408", _s4."user_id_409" AS "user_id_409", (-_s4."_seg_w") AS "_w_27" FROM (SELECT "id_type_407", "id_408", "user_id_409", 1 AS "_seg_w" FROM unnest(_seg_n3) UNION ALL SELECT "id_type_407", "id_408", "user_id_409", -1 AS "_seg_w" FROM unnest(_seg_o3)) AS _s4) AS _q3 ON ((hash_record_extended(ROW(_q3."id_type_407", _q3."id_408"), 0) = hash_record_extended(ROW(_q1."linked_id_type_120", _q1."linked_id_121"), 0)) AND (_q3."id_type_407" = _q1."linked_id_type_120") AND (_q3."id_408" = _q1."linked_id_121")) WHERE coalesce(_q1."_w_26", 0) <> 0 AND coalesce(_q3."_w_27", 0) <> 0
),
"_seg_net" AS (
  SELECT k0, k1, p1_i, sign("_seg_n")::integer AS "_seg_w" FROM (
    SELECT k0, k1, p1_i, sum("_seg_w") AS "_seg_n" FROM "_seg_rows" GROUP BY k0, k1, p1_i HAVING sum("_seg_w") <> 0
  ) AS "_seg_s", generate_series(1, abs("_seg_n"))
),
"_seg_pairs" AS MATERIALIZED (
  SELECT n0 AS "id_type_416", n1 AS "id_417", n2 AS "user_id_418", n3 AS "_seg_count_452", o0 AS _seg_o0, o1 AS _seg_o1, o2 AS _seg_o2, o3 AS _seg_o3, "_seg_place", nullif("_seg_kept", false) AS "_seg_new", "_seg_seen" FROM (
  SELECT *, NOT "_seg_kept" OR "_seg_place" IS NULL OR n2 IS DISTINCT FROM o2 AS "_seg_seen" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, n2, n3, k0 AS n0, k1 AS n1, coalesce(n3 > 0, false) AS "_seg_kept" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, k0, k1, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a3 ELSE coalesce(o3, 0) + coalesce(p0_c, 0) END)::bigint AS n3, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a2 ELSE least(o2, p1_a) END)::bigint AS n2
  FROM (
  SELECT "_seg_k".*, "_seg_o".*, _seg_again OR (((p1_r IS NOT NULL AND NOT coalesce(p1_r > o2, false) AND NOT coalesce(p1_a <= o2, false))) AND coalesce((coalesce(o3, 0) + coalesce(p0_c, 0)) > 0, false)) AS "_seg_reread"
  FROM (SELECT k0, k1, sum("_seg_w") AS p0_c, min(p1_i) FILTER (WHERE "_seg_w" > 0) AS p1_a, min(p1_i) FILTER (WHERE "_seg_w" < 0) AS p1_r
  FROM "_seg_net" AS "_seg_r" GROUP BY k0, k1 OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", "_seg_t"."id_type_416" AS o0, "_seg_t"."id_417" AS o1, "_seg_t"."user_id_418" AS o2, "_seg_t"."_seg_count_452" AS o3 FROM "_seg"."segmentation.identities#7" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."id_type_416", "_seg_t"."id_417"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0) AND "_seg_t"."id_type_416" IS NOT DISTINCT FROM "_seg_k".k0 AND "_seg_t"."id_417" IS NOT DISTINCT FROM "_seg_k".k1
    OFFSET 0) AS "_seg_o" ON true OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT * FROM (
      SELECT _q1."count_452" AS "a3", _q1."min_453" AS "a2" FROM (SELECT _q2."id_type_118" AS "id_type_410", _q2."id_119" AS "id_411", count(*) AS "count_452", min(_q2."user_id_409") AS "min_453" FROM (SELECT _q3."id_type_118" AS "id_type_118", _q3."id_119" AS "id_119", _q3."linked_id_type_120" AS "linked_id_type_120", _q3."linked_id_121" AS "linked_id_121", _q5."id_type_407" AS "id_type_407", _q5."id_408" AS "id_408", _q5."user_id_409" AS "user_id_409" FROM (SELECT _s4."id_type_346" AS "id_type_118", _s4."id_347" AS "id_119", _s4."linked_id_type_348" AS "linked_id_type_120", _s4."linked_id_349" AS "linked_id_121" FROM "_seg"."segmentation.identities#2" AS _s4 WHERE ((hash_record_extended(ROW(_s4."id_type_346", _s4."id_347"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0)) AND (_s4."id_type_346" IS NOT DISTINCT FROM "_seg_k".k0) AND (_s4."id_347" IS NOT DISTINCT FROM "_seg_k".k1))) AS _q3 JOIN (SELECT _s6."id_type_407" AS "id_type_407", _s6."id_408" AS "id_408", _s6."user_id_409" AS "user_id_409" FROM "_seg"."segmentation.identities#6" AS _s6) AS _q5 ON ((hash_record_extended(ROW(_q5."id_type_407", _q5."id_408"), 0) = hash_record_extended(ROW(_q3."linked_id_type_120", _q3."linked_id_121"), 0)) AND (_q5."id_type_407" = _q3."linked_id_type_120") AND (_q5."id_408" = _q3."linked_id_121"))) AS _q2 GROUP BY _q2."id_type_118", _q2."id_119") AS _q1
    ) AS "_seg_q" WHERE "_seg_k"."_seg_reread" OFFSET 0) AS "_seg_a" ON true OFFSET 0) AS "_seg_s" OFFSET 0) AS "_seg_n" OFFSET 0) AS "_seg_v"
  WHERE CASE WHEN NOT "_seg_kept" THEN "_seg_place" IS NOT NULL ELSE "_seg_seen" OR n3 IS DISTINCT FROM o3 END
),
"_seg_changed" AS (
  UPDATE "_seg"."segmentation.identities#7" AS "_seg_t" SET "id_type_416" = "_seg_p"."id_type_416", "id_417" = "_seg_p"."id_417", "user_id_418" = "_seg_p"."user_id_418", "_seg_count_452" = "_seg_p"."_seg_count_452" FROM "_seg_pairs" AS "_seg_p"
  WHERE "_seg_t".ctid = "_seg_p"."_seg_place" AND "_seg_p"."_seg_place" IS NOT NULL AND "_seg_p"."_seg_new"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.identities#7" WHERE ctid = ANY (ARRAY(
    SELECT "_seg_place" FROM "_seg_pairs" WHERE "_seg_new" IS NULL))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.identities#7" ("id_type_416", "id_417", "user_id_418", "_seg_count_452") SELECT "_seg_p"."id_type_416", "_seg_p"."id_417", "_seg_p"."user_id_418", "_seg_p"."_seg_count_452" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NULL
)
SELECT ARRAY(SELECT ROW("_seg_p"._seg_o0, "_seg_p"._seg_o1, "_seg_p"._seg_o2, "_seg_p"._seg_o3)::"_seg"."segmentation.identities#7" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NOT NULL AND "_seg_seen"), ARRAY(SELECT ROW("_seg_p"."id_type_416", "_seg_p"."id_417", "_seg_p"."user_id_418", "_seg_p"."_seg_count_452")::"_seg"."segmentation.identities#7" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_new" AND "_seg_seen")

-- step 5: model "identities", after a change by step 4
WITH "_seg_rows" AS (
    SELECT (_s1."id_type_416")::text AS "k0", (_s1."id_417")::text AS "k1", _s1."user_id_418" AS "p1_i", _s1."_seg_w" AS "_seg_w" FROM (SELECT "id_type_416", "id_417", "user_id_418", 1 AS "_seg_w" FROM unnest(_seg_n4) UNION ALL SELECT "id_type_416", "id_417", "user_id_418", -1 AS "_seg_w" FROM unnest(_seg_o4)) AS _s1
),
"_seg_net" AS (
  SELECT k0, k1, p1_i, sign("_seg_n")::integer AS "_seg_w" FROM (
    SELECT k0, k1, p1_i, sum("_seg_w") AS "_seg_n" FROM "_seg_rows" GROUP BY k0, k1, p1_i HAVING sum("_seg_w") <> 0
  ) AS "_seg_s", generate_series(1, abs("_seg_n"))
),
"_seg_pairs" AS MATERIALIZED (
  SELECT n0 AS "id_type", n1 AS "id", n2 AS "user_id", n3 AS "_seg_count_456", o0 AS _seg_o0, o1 AS _seg_o1, o2 AS _seg_o2, o3 AS _seg_o3, "_seg_place", nullif("_seg_kept", false) AS "_seg_new", "_seg_seen" FROM (
  SELECT *, NOT "_seg_kept" OR "_seg_place" IS NULL OR n2 IS DISTINCT FROM o2 AS "_seg_seen" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, n2, n3, k0 AS n0, k1 AS n1, coalesce(n3 > 0, false) AS "_seg_kept" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, k0, k1, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a3 ELSE coalesce(o3, 0) + coalesce(p0_c, 0) END)::bigint AS n3, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a2 ELSE least(o2, p1_a) END)::bigint AS n2
  FROM (
  SELECT "_seg_k".*, "_seg_o".*, _seg_again OR (((p1_r IS NOT NULL AND NOT coalesce(p1_r > o2, false) AND NOT coalesce(p1_a <= o2, false))) AND coalesce((coalesce(o3, 0) + coalesce(p0_c, 0)) > 0, false)) AS "_seg_reread"
  FROM (SELECT k0, k1, sum("_seg_w") AS p0_c, min(p1_i) FILTER (WHERE "_seg_w" > 0) AS p1_a, min(p1_i) FILTER (WHERE "_seg_w" < 0) AS p1_r
  FROM "_seg_net" AS "_seg_r" GROUP BY k0, k1 OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", "_seg_t"."id_type" AS o0, "_seg_t"."id" AS o1, "_seg_t"."user_id" AS o2, "_seg_t"."_seg_count_456" AS o3 FROM "_seg"."segmentation.identities" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."id_type", "_seg_t"."id"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0) AND "_seg_t"."id_type" IS NOT DISTINCT FROM "_seg_k".k0 AND "_seg_t"."id" IS NOT DISTINCT FROM "_seg_k".k1
    OFFSET 0) AS "_seg_o" ON true OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT * FROM (
      SELECT _q1."count_456" AS "a3", _q1."min_457" AS "a2" FROM (SELECT _q2."id_type_419" AS "id_type_422", _q2."id_420" AS "id_423", count(*) AS "count_456", min(_q2."user_id_421") AS "min_457" FROM (SELECT _s3."id_type_43" AS "id_type_419", _s3."id_44" AS "id_420", _s3."user_id_45" AS "user_id_421" FROM "_seg"."segmentation.identities#1" AS _s3 WHERE ((hash_record_extended(ROW((_s3."id_type_43")::text, (_s3."id_44")::text), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0)) AND ((_s3."id_type_43")::text IS NOT DISTINCT FROM "_seg_k".k0) AND ((_s3."id_44")::text IS NOT DISTINCT FROM "_seg_k".k1)) UNION ALL SELECT _s4."id_type_416" AS "id_type_419", _s4."id_417" AS "id_420", _s4."user_id_418" AS "user_id_421" FROM "_seg"."segmentation.identities#7" AS _s4 WHERE ((hash_record_extended(ROW((_s4."id_type_416")::text, (_s4."id_417")::text), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0)) AND ((_s4."id_type_416")::text IS NOT DISTINCT FROM "_seg_k".k0) AND ((_s4."id_417")::text IS NOT DISTINCT FROM "_seg_k".k1))) AS _q2 GROUP BY _q2."id_type_419", _q2."id_420") AS _q1
    ) AS "_seg_q" WHERE "_seg_k"."_seg_reread" OFFSET 0) AS "_seg_a" ON true OFFSET 0) AS "_seg_s" OFFSET 0) AS "_seg_n" OFFSET 0) AS "_seg_v"
  WHERE CASE WHEN NOT "_seg_kept" THEN "_seg_place" IS NOT NULL ELSE "_seg_seen" OR n3 IS DISTINCT FROM o3 END
),
"_seg_changed" AS (
  UPDATE "_seg"."segmentation.identities" AS "_seg_t" SET "id_type" = "_seg_p"."id_type", "id" = "_seg_p"."id", "user_id" = "_seg_p"."user_id", "_seg_count_456" = "_seg_p"."_seg_count_456" FROM "_seg_pairs" AS "_seg_p"
  WHERE "_seg_t".ctid = "_seg_p"."_seg_place" AND "_seg_p"."_seg_place" IS NOT NULL AND "_seg_p"."_seg_new"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.identities" WHERE ctid = ANY (ARRAY(
    SELECT "_seg_place" FROM "_seg_pairs" WHERE "_seg_new" IS NULL))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.identities" ("id_type", "id", "user_id", "_seg_count_456") SELECT "_seg_p"."id_type", "_seg_p"."id", "_seg_p"."user_id", "_seg_p"."_seg_count_456" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NULL
)
SELECT count(*) FROM "_seg_pairs"

== when "segmentation"."activity_events" changes

-- step 0: model "identities", intermediate result 1, always
WITH "_seg_rows" AS (
    SELECT (_q2."id_type_15")::text AS "k0", (_q2."id_14")::text AS "k1", _q2."position_13" AS "p1_i", _q2."_w_1" AS "_seg_w" FROM (SELECT _s1."position" AS "position_13", NULLIF("btrim"(_s1."id", (' 	
')::"text"), ('')::"text") AS "id_14", NULLIF("btrim"(_s1."id_type", (' 	
')::"text"), ('')::"text") AS "id_type_15", _s1."_seg_w" AS "_w_1" FROM (SELECT "position", "id", "id_type", 1 AS "_seg_w" FROM _seg_new UNION ALL SELECT "position", "id", "id_type", -1 AS "_seg_w" FROM _seg_old) AS _s1) AS _q2 WHERE ((_q2."id_14" IS NOT NULL) AND (_q2."id_type_15" IS NOT NULL))
),
"_seg_net" AS (
  SELECT k0, k1, p1_i, sign("_seg_n")::integer AS "_seg_w" FROM (
    SELECT k0, k1, p1_i, sum("_seg_w") AS "_seg_n" FROM "_seg_rows" GROUP BY k0, k1, p1_i HAVING sum("_seg_w") <> 0
  ) AS "_seg_s", generate_series(1, abs("_seg_n"))
),
"_seg_pairs" AS MATERIALIZED (
  SELECT n0 AS "id_type_43", n1 AS "id_44", n2 AS "user_id_45", n3 AS "_seg_count_430", o0 AS _seg_o0, o1 AS _seg_o1, o2 AS _seg_o2, o3 AS _seg_o3, "_seg_place", nullif("_seg_kept", false) AS "_seg_new", "_seg_seen" FROM (
  SELECT *, NOT "_seg_kept" OR "_seg_place" IS NULL OR n2 IS DISTINCT FROM o2 AS "_seg_seen" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, n2, n3, k0 AS n0, k1 AS n1, coalesce(n3 > 0, false) AS "_seg_kept" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, k0, k1, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a3 ELSE coalesce(o3, 0) + coalesce(p0_c, 0) END)::bigint AS n3, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a2 ELSE least(o2, p1_a) END)::bigint AS n2
  FROM (
  SELECT "_seg_k".*, "_seg_o".*, _seg_again OR (((p1_r IS NOT NULL AND NOT coalesce(p1_r > o2, false) AND NOT coalesce(p1_a <= o2, false))) AND coalesce((coalesce(o3, 0) + coalesce(p0_c, 0)) > 0, false)) AS "_seg_reread"
  FROM (SELECT k0, k1, sum("_seg_w") AS p0_c, min(p1_i) FILTER (WHERE "_seg_w" > 0) AS p1_a, min(p1_i) FILTER (WHERE "_seg_w" < 0) AS p1_r
  FROM "_seg_net" AS "_seg_r" GROUP BY k0, k1 OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", "_seg_t"."id_type_43" AS o0, "_seg_t"."id_44" AS o1, "_seg_t"."user_id_45" AS o2, "_seg_t"."_seg_count_430" AS o3 FROM "_seg"."segmentation.identities#1" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."id_type_43", "_seg_t"."id_44"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0) AND "_seg_t"."id_type_43" IS NOT DISTINCT FROM "_seg_k".k0 AND "_seg_t"."id_44" IS NOT DISTINCT FROM "_seg_k".k1
    OFFSET 0) AS "_seg_o" ON true OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT * FROM (
      SELECT _q1."count_430" AS "a3", _q1."min_431" AS "a2" FROM (SELECT _q2."id_type_27" AS "id_type_37", _q2."id_26" AS "id_38", count(*) AS "count_430", min(_q2."position_25") AS "min_431" FROM (SELECT _q4."position_13" AS "position_25", _q4."id_14" AS "id_26", _q4."id_type_15" AS "id_type_27" FROM (SELECT _s3."position" AS "position_13", NULLIF("btrim"(_s3."id", (' 	
')::"text"), ('')::"text") AS "id_14", NULLIF("btrim"(_s3."id_type", (' 	
')::"text"), ('')::"text") AS "id_type_15" FROM "segmentation"."activity_events" AS _s3 WHERE ((hash_record_extended(ROW(NULLIF("btrim"(_s3."id_type", (' 	
')::"text"), ('')::"text"), NULLIF("btrim"(_s3."id", (' 	
')::"text"), ('')::"text")), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0)) AND (NULLIF("btrim"(_s3."id_type", (' 	
')::"text"), ('')::"text") IS NOT DISTINCT FROM "_seg_k".k0) AND (NULLIF("btrim"(_s3."id", (' 	
')::"text"), ('')::"text") IS NOT DISTINCT FROM "_seg_k".k1))) AS _q4 WHERE ((_q4."id_14" IS NOT NULL) AND (_q4."id_type_15" IS NOT NULL))) AS _q2 GROUP BY _q2."id_type_27", _q2."id_26") AS _q1
    ) AS "_seg_q" WHERE "_seg_k"."_seg_reread" OFFSET 0) AS "_seg_a" ON true OFFSET 0) AS "_seg_s" OFFSET 0) AS "_seg_n" OFFSET 0) AS "_seg_v"
  WHERE CASE WHEN NOT "_seg_kept" THEN "_seg_place" IS NOT NULL ELSE "_seg_seen" OR n3 IS DISTINCT FROM o3 END
),
"_seg_changed" AS (
  UPDATE "_seg"."segmentation.identities#1" AS "_seg_t" SET "id_type_43" = "_seg_p"."id_type_43", "id_44" = "_seg_p"."id_44", "user_id_45" = "_seg_p"."user_id_45", "_seg_count_430" = "_seg_p"."_seg_count_430" FROM "_seg_pairs" AS "_seg_p"
  WHERE "_seg_t".ctid = "_seg_p"."_seg_place" AND "_seg_p"."_seg_place" IS NOT NULL AND "_seg_p"."_seg_new"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.identities#1" WHERE ctid = ANY (ARRAY(
    SELECT "_seg_place" FROM "_seg_pairs" WHERE "_seg_new" IS NULL))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.identities#1" ("id_type_43", "id_44", "user_id_45", "_seg_count_430") SELECT "_seg_p"."id_type_43", "_seg_p"."id_44", "_seg_p"."user_id_45", "_seg_p"."_seg_count_430" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NULL
)
SELECT ARRAY(SELECT ROW("_seg_p"._seg_o0, "_seg_p"._seg_o1, "_seg_p"._seg_o2, "_seg_p"._seg_o3)::"_seg"."segmentation.identities#1" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NOT NULL AND "_seg_seen"), ARRAY(SELECT ROW("_seg_p"."id_type_43", "_seg_p"."id_44", "_seg_p"."user_id_45", "_seg_p"."_seg_count_430")::"_seg"."segmentation.identities#1" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_new" AND "_seg_seen")

-- step 1: model "identities", intermediate result 3, always
WITH "_seg_rows" AS (
    SELECT (_q2."id_type_364")::text AS "k0", (_q2."id_363")::text AS "k1", _q2."position_362" AS "p1_i", _q2."_w_18" AS "_seg_w" FROM (SELECT _s1."position" AS "position_362", NULLIF("btrim"(_s1."id", (' 	
')::"text"), ('')::"text") AS "id_363", NULLIF("btrim"(_s1."id_type", (' 	
')::"text"), ('')::"text") AS "id_type_364", _s1."_seg_w" AS "_w_18" FROM (SELECT "position", "id", "id_type", 1 AS "_seg_w" FROM _seg_new UNION ALL SELECT "position", "id", "id_type", -1 AS "_seg_w" FROM _seg_old) AS _s1) AS _q2 WHERE ((_q2."id_363" IS NOT NULL) AND (_q2."id_type_364" IS NOT NULL))
),
"_seg_net" AS (
  SELECT k0, k1, p1_i, sign("_seg_n")::integer AS "_seg_w" FROM (
    SELECT k0, k1, p1_i, sum("_seg_w") AS "_seg_n" FROM "_seg_rows" GROUP BY k0, k1, p1_i HAVING sum("_seg_w") <> 0
  ) AS "_seg_s", generate_series(1, abs("_seg_n"))
),
"_seg_pairs" AS MATERIALIZED (
  SELECT n0 AS "id_type_389", n1 AS "id_390", n2 AS "user_id_391", n3 AS "_seg_count_436", o0 AS _seg_o0, o1 AS _seg_o1, o2 AS _seg_o2, o3 AS _seg_o3, "_seg_place", nullif("_seg_kept", false) AS "_seg_new", "_seg_seen" FROM (
  SELECT *, NOT "_seg_kept" OR "_seg_place" IS NULL OR n2 IS DISTINCT FROM o2 AS "_seg_seen" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, n2, n3, k0 AS n0, k1 AS n1, coalesce(n3 > 0, false) AS "_seg_kept" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, k0, k1, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a3 ELSE coalesce(o3, 0) + coalesce(p0_c, 0) END)::bigint AS n3, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a2 ELSE least(o2, p1_a) END)::bigint AS n2
  FROM (
  SELECT "_seg_k".*, "_seg_o".*, _seg_again OR (((p1_r IS NOT NULL AND NOT coalesce(p1_r > o2, false) AND NOT coalesce(p1_a <= o2, false))) AND coalesce((coalesce(o3, 0) + coalesce(p0_c, 0)) > 0, false)) AS "_seg_reread"
  FROM (SELECT k0, k1, sum("_seg_w") AS p0_c, min(p1_i) FILTER (WHERE "_seg_w" > 0) AS p1_a, min(p1_i) FILTER (WHERE "_seg_w" < 0) AS p1_r
  FROM "_seg_net" AS "_seg_r" GROUP BY k0, k1 OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", "_seg_t"."id_type_389" AS o0, "_seg_t"."id_390" AS o1, "_seg_t"."user_id_391" AS o2, "_seg_t"."_seg_count_436" AS o3 FROM "_seg"."segmentation.identities#3" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."id_type_389", "_seg_t"."id_390"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0) AND "_seg_t"."id_type_389" IS NOT DISTINCT FROM "_seg_k".k0 AND "_seg_t"."id_390" IS NOT DISTINCT FROM "_seg_k".k1
    OFFSET 0) AS "_seg_o" ON true OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT * FROM (
      SELECT _q1."count_436" AS "a3", _q1."min_437" AS "a2" FROM (SELECT _q2."id_type_376" AS "id_type_386", _q2."id_375" AS "id_387", count(*) AS "count_436", min(_q2."position_374") AS "min_437" FROM (SELECT _q4."position_362" AS "position_374", _q4."id_363" AS "id_375", _q4."id_type_364" AS "id_type_376" FROM (SELECT _s3."position" AS "position_362", NULLIF("btrim"(_s3."id", (' 	
')::"text"), ('')::"text") AS "id_363", NULLIF("btrim"(_s3."id_type", (' 	
')::"text"), ('')::"text") AS "id_type_364" FROM "segmentation"."activity_events" AS _s3 WHERE ((hash_record_extended(ROW(NULLIF("btrim"(_s3."id_type", (' 	
')::"text"), ('')::"text"), NULLIF("btrim"(_s3."id", (' 	
')::"text"), ('')::"text")), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0)) AND (NULLIF("btrim"(_s3."id_type", (' 	
')::"text"), ('')::"text") IS NOT DISTINCT FROM "_seg_k".k0) AND (NULLIF("btrim"(_s3."id", (' 	
')::"text"), ('')::"text") IS NOT DISTINCT FROM "_seg_k".k1))) AS _q4 WHERE ((_q4."id_363" IS NOT NULL) AND (_q4."id_type_364" IS NOT NULL))) AS _q2 GROUP BY _q2."id_type_376", _q2."id_375") AS _q1
    ) AS "_seg_q" WHERE "_seg_k"."_seg_reread" OFFSET 0) AS "_seg_a" ON true OFFSET 0) AS "_seg_s" OFFSET 0) AS "_seg_n" OFFSET 0) AS "_seg_v"
  WHERE CASE WHEN NOT "_seg_kept" THEN "_seg_place" IS NOT NULL ELSE "_seg_seen" OR n3 IS DISTINCT FROM o3 END
),
"_seg_changed" AS (
  UPDATE "_seg"."segmentation.identities#3" AS "_seg_t" SET "id_type_389" = "_seg_p"."id_type_389", "id_390" = "_seg_p"."id_390", "user_id_391" = "_seg_p"."user_id_391", "_seg_count_436" = "_seg_p"."_seg_count_436" FROM "_seg_pairs" AS "_seg_p"
  WHERE "_seg_t".ctid = "_seg_p"."_seg_place" AND "_seg_p"."_seg_place" IS NOT NULL AND "_seg_p"."_seg_new"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.identities#3" WHERE ctid = ANY (ARRAY(
    SELECT "_seg_place" FROM "_seg_pairs" WHERE "_seg_new" IS NULL))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.identities#3" ("id_type_389", "id_390", "user_id_391", "_seg_count_436") SELECT "_seg_p"."id_type_389", "_seg_p"."id_390", "_seg_p"."user_id_391", "_seg_p"."_seg_count_436" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NULL
)
SELECT ARRAY(SELECT ROW("_seg_p"._seg_o0, "_seg_p"._seg_o1, "_seg_p"._seg_o2, "_seg_p"._seg_o3)::"_seg"."segmentation.identities#3" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NOT NULL AND "_seg_seen"), ARRAY(SELECT ROW("_seg_p"."id_type_389", "_seg_p"."id_390", "_seg_p"."user_id_391", "_seg_p"."_seg_count_436")::"_seg"."segmentation.identities#3" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_new" AND "_seg_seen")

-- step 2: model "identities", intermediate result 4, after a change by step 1
WITH "_seg_rows" AS (
    SELECT (_q3."id_type_346")::text AS "k0", (_q3."id_347")::text AS "k1", _q1."user_id_391" AS "p1_i", _q1."_w_21" AS "_seg_w" FROM (SELECT _s2."id_type_389" AS "id_type_389", _s2."id_390" AS "id_390", _s2."user_id_391" AS "user_id_391", _s2."_seg_w" AS "_w_21" FROM (SELECT "id_type_389", "id_390", "user_id_391", 1 AS "_seg_w" FROM unnest(_seg_n1) UNION ALL SELECT "id_type_389", "id_390", "user_id_391", -1 AS "_seg_w" FROM unnest(_seg_o1)) AS _s2) AS _q1 CROSS JOIN LATERAL (SELECT _s4."id_type_346" AS "id_type_346", _s4."id_347" AS "id_347", _s4."linked_id_type_348" AS "linked_id_type_348", _s4."linked_id_349" AS "linked_id_349" FROM "_seg"."segmentation.identities#2" AS _s4 WHERE ((hash_record_extended(ROW(_q1."id_type_389", _q1."id_390"), 0) = hash_record_extended(ROW(_s4."linked_id_type_348", _s4."linked_id_349"), 0)) AND (_q1."id_type_389" = _s4."linked_id_type_348") AND (_q1."id_390" = _s4."linked_id_349")) OFFSET 0) AS _q3
),
"_seg_net" AS (
  SELECT k0, k1, p1_i, sign("_seg_n")::integer AS "_seg_w" FROM (
    SELECT k0, k1, p1_i, sum("_seg_w") AS "_seg_n" FROM "_seg_rows" GROUP BY k0, k1, p1_i HAVING sum("_seg_w") <> 0
  ) AS "_seg_s", generate_series(1, abs("_seg_n"))
),
"_seg_pairs" AS MATERIALIZED (
  SELECT n0 AS "id_type_395", n1 AS "id_396", n2 AS "user_id_397", n3 AS "_seg_count_440", o0 AS _seg_o0, o1 AS _seg_o1, o2 AS _seg_o2, o3 AS _seg_o3, "_seg_place", nullif("_seg_kept", false) AS "_seg_new", "_seg_seen" FROM (
  SELECT *, NOT "_seg_kept" OR "_seg_place" IS NULL OR n2 IS DISTINCT FROM o2 AS "_seg_seen" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, n2, n3, k0 AS n0, k1 AS n1, coalesce(n3 > 0, false) AS "_seg_kept" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, k0, k1, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a3 ELSE coalesce(o3, 0) + coalesce(p0_c, 0) END)::bigint AS n3, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a2 ELSE least(o2, p1_a) END)::bigint AS n2
  FROM (
  SELECT "_seg_k".*, "_seg_o".*, _seg_again OR (((p1_r IS NOT NULL AND NOT coalesce(p1_r > o2, false) AND NOT coalesce(p1_a <= o2, false))) AND coalesce((coalesce(o3, 0) + coalesce(p0_c, 0)) > 0, false)) AS "_seg_reread"
  FROM (SELECT k0, k1, sum("_seg_w") AS p0_c, min(p1_i) FILTER (WHERE "_seg_w" > 0) AS p1_a, min(p1_i) FILTER (WHERE "_seg_w" < 0) AS p1_r
  FROM "_seg_net" AS "_seg_r" GROUP BY k0, k1 OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", "_seg_t"."id_type_395" AS o0, "_seg_t"."id_396" AS o1, "_seg_t"."user_id_397" AS o2, "_seg_t"."_seg_count_440" AS o3 FROM "_seg"."segmentation.identities#4" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."id_type_395", "_seg_t"."id_396"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0) AND "_seg_t"."id_type_395" IS NOT DISTINCT FROM "_seg_k".k0 AND "_seg_t"."id_396" IS NOT DISTINCT FROM "_seg_k".k1
    OFFSET 0) AS "_seg_o" ON true OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT * FROM (
      SELECT _q1."count_440" AS "a3", _q1."min_441" AS "a2" FROM (SELECT _q2."id_type_346" AS "id_type_392", _q2."id_347" AS "id_393", count(*) AS "count_440", min(_q2."user_id_391") AS "min_441" FROM (SELECT _q3."id_type_346" AS "id_type_346", _q3."id_347" AS "id_347", _q3."linked_id_type_348" AS "linked_id_type_348", _q3."linked_id_349" AS "linked_id_349", _q5."id_type_389" AS "id_type_389", _q5."id_390" AS "id_390", _q5."user_id_391" AS "user_id_391" FROM (SELECT _s4."id_type_346" AS "id_type_346", _s4."id_347" AS "id_347", _s4."linked_id_type_348" AS "linked_id_type_348", _s4."linked_id_349" AS "linked_id_349" FROM "_seg"."segmentation.identities#2" AS _s4 WHERE ((hash_record_extended(ROW(_s4."id_type_346", _s4."id_347"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0)) AND (_s4."id_type_346" IS NOT DISTINCT FROM "_seg_k".k0) AND (_s4."id_347" IS NOT DISTINCT FROM "_seg_k".k1))) AS _q3 JOIN (SELECT _s6."id_type_389" AS "id_type_389", _s6."id_390" AS "id_390", _s6."user_id_391" AS "user_id_391" FROM "_seg"."segmentation.identities#3" AS _s6) AS _q5 ON ((hash_record_extended(ROW(_q5."id_type_389", _q5."id_390"), 0) = hash_record_extended(ROW(_q3."linked_id_type_348", _q3."linked_id_349"), 0)) AND (_q5."id_type_389" = _q3."linked_id_type_348") AND (_q5."id_390" = _q3."linked_id_349"))) AS _q2 GROUP BY _q2."id_type_346", _q2."id_347") AS _q1
    ) AS "_seg_q" WHERE "_seg_k"."_seg_reread" OFFSET 0) AS "_seg_a" ON true OFFSET 0) AS "_seg_s" OFFSET 0) AS "_seg_n" OFFSET 0) AS "_seg_v"
  WHERE CASE WHEN NOT "_seg_kept" THEN "_seg_place" IS NOT NULL ELSE "_seg_seen" OR n3 IS DISTINCT FROM o3 END
),
"_seg_changed" AS (
  UPDATE "_seg"."segmentation.identities#4" AS "_seg_t" SET "id_type_395" = "_seg_p"."id_type_395", "id_396" = "_seg_p"."id_396", "user_id_397" = "_seg_p"."user_id_397", "_seg_count_440" = "_seg_p"."_seg_count_440" FROM "_seg_pairs" AS "_seg_p"
  WHERE "_seg_t".ctid = "_seg_p"."_seg_place" AND "_seg_p"."_seg_place" IS NOT NULL AND "_seg_p"."_seg_new"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.identities#4" WHERE ctid = ANY (ARRAY(
    SELECT "_seg_place" FROM "_seg_pairs" WHERE "_seg_new" IS NULL))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.identities#4" ("id_type_395", "id_396", "user_id_397", "_seg_count_440") SELECT "_seg_p"."id_type_395", "_seg_p"."id_396", "_seg_p"."user_id_397", "_seg_p"."_seg_count_440" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NULL
)
SELECT ARRAY(SELECT ROW("_seg_p"._seg_o0, "_seg_p"._seg_o1, "_seg_p"._seg_o2, "_seg_p"._seg_o3)::"_seg"."segmentation.identities#4" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NOT NULL AND "_seg_seen"), ARRAY(SELECT ROW("_seg_p"."id_type_395", "_seg_p"."id_396", "_seg_p"."user_id_397", "_seg_p"."_seg_count_440")::"_seg"."segmentation.identities#4" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_new" AND "_seg_seen")

-- step 3: model "identities", intermediate result 5, after a change by step 2
WITH "_seg_rows" AS (
    SELECT (_q3."id_type_270")::text AS "k0", (_q3."id_271")::text AS "k1", _q1."user_id_397" AS "p1_i", _q1."_w_23" AS "_seg_w" FROM (SELECT _s2."id_type_395" AS "id_type_395", _s2."id_396" AS "id_396", _s2."user_id_397" AS "user_id_397", _s2."_seg_w" AS "_w_23" FROM (SELECT "id_type_395", "id_396", "user_id_397", 1 AS "_seg_w" FROM unnest(_seg_n2) UNION ALL SELECT "id_type_395", "id_396", "user_id_397", -1 AS "_seg_w" FROM unnest(_seg_o2)) AS _s2) AS _q1 CROSS JOIN LATERAL (SELECT _s4."id_type_346" AS "id_type_270", _s4."id_347" AS "id_271", _s4."linked_id_type_348" AS "linked_id_type_272", _s4."linked_id_349" AS "linked_id_273" FROM "_seg"."segmentation.identities#2" AS _s4 WHERE ((hash_record_extended(ROW(_q1."id_type_395", _q1."id_396"), 0) = hash_record_extended(ROW(_s4."linked_id_type_348", _s4."linked_id_349"), 0)) AND (_q1."id_type_395" = _s4."linked_id_type_348") AND (_q1."id_396" = _s4."linked_id_349")) OFFSET 0) AS _q3
),
"_seg_net" AS (
  SELECT k0, k1, p1_i, sign("_seg_n")::integer AS "_seg_w" FROM (
    SELECT k0, k1, p1_i, sum("_seg_w") AS "_seg_n" FROM "_seg_rows" GROUP BY k0, k1, p1_i HAVING sum("_seg_w") <> 0
  ) AS "_seg_s", generate_series(1, abs("_seg_n"))
),
"_seg_pairs" AS MATERIALIZED (
  SELECT n0 AS "id_type_401", n1 AS "id_402", n2 AS "user_id_403", n3 AS "_seg_count_444", o0 AS _seg_o0, o1 AS _seg_o1, o2 AS _seg_o2, o3 AS _seg_o3, "_seg_place", nullif("_seg_kept", false) AS "_seg_new", "_seg_seen" FROM (
  SELECT *, NOT "_seg_kept" OR "_seg_place" IS NULL OR n2 IS DISTINCT FROM o2 AS "_seg_seen" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, n2, n3, k0 AS n0, k1 AS n1, coalesce(n3 > 0, false) AS "_seg_kept" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, k0, k1, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a3 ELSE coalesce(o3, 0) + coalesce(p0_c, 0) END)::bigint AS n3, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a2 ELSE least(o2, p1_a) END)::bigint AS n2
  FROM (
  SELECT "_seg_k".*, "_seg_o".*, _seg_again OR (((p1_r IS NOT NULL AND NOT coalesce(p1_r > o2, false) AND NOT coalesce(p1_a <= o2, false))) AND coalesce((coalesce(o3, 0) + coalesce(p0_c, 0)) > 0, false)) AS "_seg_reread"
  FROM (SELECT k0, k1, sum("_seg_w") AS p0_c, min(p1_i) FILTER (WHERE "_seg_w" > 0) AS p1_a, min(p1_i) FILTER (WHERE "_seg_w" < 0) AS p1_r
  FROM "_seg_net" AS "_seg_r" GROUP BY k0, k1 OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", "_seg_t"."id_type_401" AS o0, "_seg_t"."id_402" AS o1, "_seg_t"."user_id_403" AS o2, "_seg_t"."_seg_count_444" AS o3 FROM "_seg"."segmentation.identities#5" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."id_type_401", "_seg_t"."id_402"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0) AND "_seg_t"."id_type_401" IS NOT DISTINCT FROM "_seg_k".k0 AND "_seg_t"."id_402" IS NOT DISTINCT FROM "_seg_k".k1
    OFFSET 0) AS "_seg_o" ON true OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT * FROM (
      SELECT _q1."count_444" AS "a3", _q1."min_445" AS "a2" FROM (SELECT _q2."id_type_270" AS "id_type_398", _q2."id_271" AS "id_399", count(*) AS "count_444", min(_q2."user_id_397") AS "min_445" FROM (SELECT _q3."id_type_270" AS "id_type_270", _q3."id_271" AS "id_271", _q3."linked_id_type_272" AS "linked_id_type_272", _q3."linked_id_273" AS "linked_id_273", _q5."id_type_395" AS "id_type_395", _q5."id_396" AS "id_396", _q5."user_id_397" AS "user_id_397" FROM (SELECT _s4."id_type_346" AS "id_type_270", _s4."id_347" AS "id_271", _s4."linked_id_type_348" AS "linked_id_type_272", _s4."linked_id_349" AS "linked_id_273" FROM "_seg"."segmentation.identities#2" AS _s4 WHERE ((hash_record_extended(ROW(_s4."id_type_346", _s4."id_347"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0)) AND (_s4."id_type_346" IS NOT DISTINCT FROM "_seg_k".k0) AND (_s4."id_347" IS NOT DISTINCT FROM "_seg_k".k1))) AS _q3 JOIN (SELECT _s6."id_type_395" AS "id_type_395", _s6."id_396" AS "id_396", _s6."user_id_397" AS "user_id_397" FROM "_seg"."segmentation.identities#4" AS _s6) AS _q5 ON ((hash_record_extended(ROW(_q5."id_type_395", _q5."id_396"), 0) = hash_record_extended(ROW(_q3."linked_id_type_272", _q3."linked_id_273"), 0)) AND (_q5."id_type_395" = _q3."linked_id_type_272") AND (_q5."id_396" = _q3."linked_id_273"))) AS _q2 GROUP BY _q2."id_type_270", _q2."id_271") AS _q1
    ) AS "_seg_q" WHERE "_seg_k"."_seg_reread" OFFSET 0) AS "_seg_a" ON true OFFSET 0) AS "_seg_s" OFFSET 0) AS "_seg_n" OFFSET 0) AS "_seg_v"
  WHERE CASE WHEN NOT "_seg_kept" THEN "_seg_place" IS NOT NULL ELSE "_seg_seen" OR n3 IS DISTINCT FROM o3 END
),
"_seg_changed" AS (
  UPDATE "_seg"."segmentation.identities#5" AS "_seg_t" SET "id_type_401" = "_seg_p"."id_type_401", "id_402" = "_seg_p"."id_402", "user_id_403" = "_seg_p"."user_id_403", "_seg_count_444" = "_seg_p"."_seg_count_444" FROM "_seg_pairs" AS "_seg_p"
  WHERE "_seg_t".ctid = "_seg_p"."_seg_place" AND "_seg_p"."_seg_place" IS NOT NULL AND "_seg_p"."_seg_new"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.identities#5" WHERE ctid = ANY (ARRAY(
    SELECT "_seg_place" FROM "_seg_pairs" WHERE "_seg_new" IS NULL))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.identities#5" ("id_type_401", "id_402", "user_id_403", "_seg_count_444") SELECT "_seg_p"."id_type_401", "_seg_p"."id_402", "_seg_p"."user_id_403", "_seg_p"."_seg_count_444" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NULL
)
SELECT ARRAY(SELECT ROW("_seg_p"._seg_o0, "_seg_p"._seg_o1, "_seg_p"._seg_o2, "_seg_p"._seg_o3)::"_seg"."segmentation.identities#5" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NOT NULL AND "_seg_seen"), ARRAY(SELECT ROW("_seg_p"."id_type_401", "_seg_p"."id_402", "_seg_p"."user_id_403", "_seg_p"."_seg_count_444")::"_seg"."segmentation.identities#5" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_new" AND "_seg_seen")

-- step 4: model "identities", intermediate result 6, after a change by step 3
WITH "_seg_rows" AS (
    SELECT (_q3."id_type_194")::text AS "k0", (_q3."id_195")::text AS "k1", _q1."user_id_403" AS "p1_i", _q1."_w_25" AS "_seg_w" FROM (SELECT _s2."id_type_401" AS "id_type_401", _s2."id_402" AS "id_402", _s2."user_id_403" AS "user_id_403", _s2."_seg_w" AS "_w_25" FROM (SELECT "id_type_401", "id_402", "user_id_403", 1 AS "_seg_w" FROM unnest(_seg_n3) UNION ALL SELECT "id_type_401", "id_402", "user_id_403", -1 AS "_seg_w" FROM unnest(_seg_o3)) AS _s2) AS _q1 CROSS JOIN LATERAL (SELECT _s4."id_type_346" AS "id_type_194", _s4."id_347" AS "id_195", _s4."linked_id_type_348" AS "linked_id_type_196", _s4."linked_id_349" AS "linked_id_197" FROM "_seg"."segmentation.identities#2" AS _s4 WHERE ((hash_record_extended(ROW(_q1."id_type_401", _q1."id_402"), 0) = hash_record_extended(ROW(_s4."linked_id_type_348", _s4."linked_id_349"), 0)) AND (_q1."id_type_401" = _s4."linked_id_type_348") AND (_q1."id_402" = _s4."linked_id_349")) OFFSET 0) AS _q3
),
"_seg_net" AS (
  SELECT k0, k1, p1_i, sign("_seg_n")::integer AS "_seg_w" FROM (
    SELECT k0, k1, p1_i, sum("_seg_w") AS "_seg_n" FROM "_seg_rows" GROUP BY k0, k1, p1_i HAVING sum("_seg_w") <> 0
  ) AS "_seg_s", generate_series(1, abs("_seg_n"))
),
"_seg_pairs" AS MATERIALIZED (
  SELECT n0 AS "id_type_407", n1 AS "id_408", n2 AS "user_id_409", n3 AS "_seg_count_448", o0 AS _seg_o0, o1 AS _seg_o1, o2 AS _seg_o2, o3 AS _seg_o3, "_seg_place", nullif("_seg_kept", false) AS "_seg_new", "_seg_seen" FROM (
  SELECT *, NOT "_seg_kept" OR "_seg_place" IS NULL OR n2 IS DISTINCT FROM o2 AS "_seg_seen" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, n2, n3, k0 AS n0, k1 AS n1, coalesce(n3 > 0, false) AS "_seg_kept" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, k0, k1, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a3 ELSE coalesce(o3, 0) + coalesce(p0_c, 0) END)::bigint AS n3, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a2 ELSE least(o2, p1_a) END)::bigint AS n2
  FROM (
  SELECT "_seg_k".*, "_seg_o".*, _seg_again OR (((p1_r IS NOT NULL AND NOT coalesce(p1_r > o2, false) AND NOT coalesce(p1_a <= o2, false))) AND coalesce((coalesce(o3, 0) + coalesce(p0_c, 0)) > 0, false)) AS "_seg_reread"
  FROM (SELECT k0, k1, sum("_seg_w") AS p0_c, min(p1_i) FILTER (WHERE "_seg_w" > 0) AS p1_a, min(p1_i) FILTER (WHERE "_seg_w" < 0) AS p1_r
  FROM "_seg_net" AS "_seg_r" GROUP BY k0, k1 OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", "_seg_t"."id_type_407" AS o0, "_seg_t"."id_408" AS o1, "_seg_t"."user_id_409" AS o2, "_seg_t"."_seg_count_448" AS o3 FROM "_seg"."segmentation.identities#6" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."id_type_407", "_seg_t"."id_408"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0) AND "_seg_t"."id_type_407" IS NOT DISTINCT FROM "_seg_k".k0 AND "_seg_t"."id_408" IS NOT DISTINCT FROM "_seg_k".k1
    OFFSET 0) AS "_seg_o" ON true OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT * FROM (
      SELECT _q1."count_448" AS "a3", _q1."min_449" AS "a2" FROM (SELECT _q2."id_type_194" AS "id_type_404", _q2."id_195" AS "id_405", count(*) AS "count_448", min(_q2."user_id_403") AS "min_449" FROM (SELECT _q3."id_type_194" AS "id_type_194", _q3."id_195" AS "id_195", _q3."linked_id_type_196" AS "linked_id_type_196", _q3."linked_id_197" AS "linked_id_197", _q5."id_type_401" AS "id_type_401", _q5."id_402" AS "id_402", _q5."user_id_403" AS "user_id_403" FROM (SELECT _s4."id_type_346" AS "id_type_194", _s4."id_347" AS "id_195", _s4."linked_id_type_348" AS "linked_id_type_196", _s4."linked_id_349" AS "linked_id_197" FROM "_seg"."segmentation.identities#2" AS _s4 WHERE ((hash_record_extended(ROW(_s4."id_type_346", _s4."id_347"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0)) AND (_s4."id_type_346" IS NOT DISTINCT FROM "_seg_k".k0) AND (_s4."id_347" IS NOT DISTINCT FROM "_seg_k".k1))) AS _q3 JOIN (SELECT _s6."id_type_401" AS "id_type_401", _s6."id_402" AS "id_402", _s6."user_id_403" AS "user_id_403" FROM "_seg"."segmentation.identities#5" AS _s6) AS _q5 ON ((hash_record_extended(ROW(_q5."id_type_401", _q5."id_402"), 0) = hash_record_extended(ROW(_q3."linked_id_type_196", _q3."linked_id_197"), 0)) AND (_q5."id_type_401" = _q3."linked_id_type_196") AND (_q5."id_402" = _q3."linked_id_197"))) AS _q2 GROUP BY _q2."id_type_194", _q2."id_195") AS _q1
    ) AS "_seg_q" WHERE "_seg_k"."_seg_reread" OFFSET 0) AS "_seg_a" ON true OFFSET 0) AS "_seg_s" OFFSET 0) AS "_seg_n" OFFSET 0) AS "_seg_v"
  WHERE CASE WHEN NOT "_seg_kept" THEN "_seg_place" IS NOT NULL ELSE "_seg_seen" OR n3 IS DISTINCT FROM o3 END
),
"_seg_changed" AS (
  UPDATE "_seg"."segmentation.identities#6" AS "_seg_t" SET "id_type_407" = "_seg_p"."id_type_407", "id_408" = "_seg_p"."id_408", "user_id_409" = "_seg_p"."user_id_409", "_seg_count_448" = "_seg_p"."_seg_count_448" FROM "_seg_pairs" AS "_seg_p"
  WHERE "_seg_t".ctid = "_seg_p"."_seg_place" AND "_seg_p"."_seg_place" IS NOT NULL AND "_seg_p"."_seg_new"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.identities#6" WHERE ctid = ANY (ARRAY(
    SELECT "_seg_place" FROM "_seg_pairs" WHERE "_seg_new" IS NULL))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.identities#6" ("id_type_407", "id_408", "user_id_409", "_seg_count_448") SELECT "_seg_p"."id_type_407", "_seg_p"."id_408", "_seg_p"."user_id_409", "_seg_p"."_seg_count_448" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NULL
)
SELECT ARRAY(SELECT ROW("_seg_p"._seg_o0, "_seg_p"._seg_o1, "_seg_p"._seg_o2, "_seg_p"._seg_o3)::"_seg"."segmentation.identities#6" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NOT NULL AND "_seg_seen"), ARRAY(SELECT ROW("_seg_p"."id_type_407", "_seg_p"."id_408", "_seg_p"."user_id_409", "_seg_p"."_seg_count_448")::"_seg"."segmentation.identities#6" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_new" AND "_seg_seen")

-- step 5: model "identities", intermediate result 7, after a change by step 4
WITH "_seg_rows" AS (
    SELECT (_q3."id_type_118")::text AS "k0", (_q3."id_119")::text AS "k1", _q1."user_id_409" AS "p1_i", _q1."_w_27" AS "_seg_w" FROM (SELECT _s2."id_type_407" AS "id_type_407", _s2."id_408" AS "id_408", _s2."user_id_409" AS "user_id_409", _s2."_seg_w" AS "_w_27" FROM (SELECT "id_type_407", "id_408", "user_id_409", 1 AS "_seg_w" FROM unnest(_seg_n4) UNION ALL SELECT "id_type_407", "id_408", "user_id_409", -1 AS "_seg_w" FROM unnest(_seg_o4)) AS _s2) AS _q1 CROSS JOIN LATERAL (SELECT _s4."id_type_346" AS "id_type_118", _s4."id_347" AS "id_119", _s4."linked_id_type_348" AS "linked_id_type_120", _s4."linked_id_349" AS "linked_id_121" FROM "_seg"."segmentation.identities#2" AS _s4 WHERE ((hash_record_extended(ROW(_q1."id_type_407", _q1."id_408"), 0) = hash_record_extended(ROW(_s4."linked_id_type_348", _s4."linked_id_349"), 0)) AND (_q1."id_type_407" = _s4."linked_id_type_348") AND (_q1."id_408" = _s4."linked_id_349")) OFFSET 0) AS _q3
),
"_seg_net" AS (
  SELECT k0, k1, p1_i, sign("_seg_n")::integer AS "_seg_w" FROM (
    SELECT k0, k1, p1_i, sum("_seg_w") AS "_seg_n" FROM "_seg_rows" GROUP BY k0, k1, p1_i HAVING sum("_seg_w") <> 0
  ) AS "_seg_s", generate_series(1, abs("_seg_n"))
),
"_seg_pairs" AS MATERIALIZED (
  SELECT n0 AS "id_type_416", n1 AS "id_417", n2 AS "user_id_418", n3 AS "_seg_count_452", o0 AS _seg_o0, o1 AS _seg_o1, o2 AS _seg_o2, o3 AS _seg_o3, "_seg_place", nullif("_seg_kept", false) AS "_seg_new", "_seg_seen" FROM (
  SELECT *, NOT "_seg_kept" OR "_seg_place" IS NULL OR n2 IS DISTINCT FROM o2 AS "_seg_seen" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, n2, n3, k0 AS n0, k1 AS n1, coalesce(n3 > 0, false) AS "_seg_kept" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, k0, k1, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a3 ELSE coalesce(o3, 0) + coalesce(p0_c, 0) END)::bigint AS n3, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a2 ELSE least(o2, p1_a) END)::bigint AS n2
  FROM (
  SELECT "_seg_k".*, "_seg_o".*, _seg_again OR (((p1_r IS NOT NULL AND NOT coalesce(p1_r > o2, false) AND NOT coalesce(p1_a <= o2, false))) AND coalesce((coalesce(o3, 0) + coalesce(p0_c, 0)) > 0, false)) AS "_seg_reread"
  FROM (SELECT k0, k1, sum("_seg_w") AS p0_c, min(p1_i) FILTER (WHERE "_seg_w" > 0) AS p1_a, min(p1_i) FILTER (WHERE "_seg_w" < 0) AS p1_r
  FROM "_seg_net" AS "_seg_r" GROUP BY k0, k1 OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", "_seg_t"."id_type_416" AS o0, "_seg_t"."id_417" AS o1, "_seg_t"."user_id_418" AS o2, "_seg_t"."_seg_count_452" AS o3 FROM "_seg"."segmentation.identities#7" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."id_type_416", "_seg_t"."id_417"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0) AND "_seg_t"."id_type_416" IS NOT DISTINCT FROM "_seg_k".k0 AND "_seg_t"."id_417" IS NOT DISTINCT FROM "_seg_k".k1
    OFFSET 0) AS "_seg_o" ON true OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT * FROM (
      SELECT _q1."count_452" AS "a3", _q1."min_453" AS "a2" FROM (SELECT _q2."id_type_118" AS "id_type_410", _q2."id_119" AS "id_411", count(*) AS "count_452", min(_q2."user_id_409") AS "min_453" FROM (SELECT _q3."id_type_118" AS "id_type_118", _q3."id_119" AS "id_119", _q3."linked_id_type_120" AS "linked_id_type_120", _q3."linked_id_121" AS "linked_id_121", _q5."id_type_407" AS "id_type_407", _q5."id_408" AS "id_408", _q5."user_id_409" AS "user_id_409" FROM (SELECT _s4."id_type_346" AS "id_type_118", _s4."id_347" AS "id_119", _s4."linked_id_type_348" AS "linked_id_type_120", _s4."linked_id_349" AS "linked_id_121" FROM "_seg"."segmentation.identities#2" AS _s4 WHERE ((hash_record_extended(ROW(_s4."id_type_346", _s4."id_347"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0)) AND (_s4."id_type_346" IS NOT DISTINCT FROM "_seg_k".k0) AND (_s4."id_347" IS NOT DISTINCT FROM "_seg_k".k1))) AS _q3 JOIN (SELECT _s6."id_type_407" AS "id_type_407", _s6."id_408" AS "id_408", _s6."user_id_409" AS "user_id_409" FROM "_seg"."segmentation.identities#6" AS _s6) AS _q5 ON ((hash_record_extended(ROW(_q5."id_type_407", _q5."id_408"), 0) = hash_record_extended(ROW(_q3."linked_id_type_120", _q3."linked_id_121"), 0)) AND (_q5."id_type_407" = _q3."linked_id_type_120") AND (_q5."id_408" = _q3."linked_id_121"))) AS _q2 GROUP BY _q2."id_type_118", _q2."id_119") AS _q1
    ) AS "_seg_q" WHERE "_seg_k"."_seg_reread" OFFSET 0) AS "_seg_a" ON true OFFSET 0) AS "_seg_s" OFFSET 0) AS "_seg_n" OFFSET 0) AS "_seg_v"
  WHERE CASE WHEN NOT "_seg_kept" THEN "_seg_place" IS NOT NULL ELSE "_seg_seen" OR n3 IS DISTINCT FROM o3 END
),
"_seg_changed" AS (
  UPDATE "_seg"."segmentation.identities#7" AS "_seg_t" SET "id_type_416" = "_seg_p"."id_type_416", "id_417" = "_seg_p"."id_417", "user_id_418" = "_seg_p"."user_id_418", "_seg_count_452" = "_seg_p"."_seg_count_452" FROM "_seg_pairs" AS "_seg_p"
  WHERE "_seg_t".ctid = "_seg_p"."_seg_place" AND "_seg_p"."_seg_place" IS NOT NULL AND "_seg_p"."_seg_new"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.identities#7" WHERE ctid = ANY (ARRAY(
    SELECT "_seg_place" FROM "_seg_pairs" WHERE "_seg_new" IS NULL))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.identities#7" ("id_type_416", "id_417", "user_id_418", "_seg_count_452") SELECT "_seg_p"."id_type_416", "_seg_p"."id_417", "_seg_p"."user_id_418", "_seg_p"."_seg_count_452" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NULL
)
SELECT ARRAY(SELECT ROW("_seg_p"._seg_o0, "_seg_p"._seg_o1, "_seg_p"._seg_o2, "_seg_p"._seg_o3)::"_seg"."segmentation.identities#7" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NOT NULL AND "_seg_seen"), ARRAY(SELECT ROW("_seg_p"."id_type_416", "_seg_p"."id_417", "_seg_p"."user_id_418", "_seg_p"."_seg_count_452")::"_seg"."segmentation.identities#7" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_new" AND "_seg_seen")

-- step 6: model "identities", after a change by step 0 or 5
WITH "_seg_rows" AS (
    SELECT (_s1."id_type_43")::text AS "k0", (_s1."id_44")::text AS "k1", _s1."user_id_45" AS "p1_i", _s1."_seg_w" AS "_seg_w" FROM (SELECT "id_type_43", "id_44", "user_id_45", 1 AS "_seg_w" FROM unnest(_seg_n0) UNION ALL SELECT "id_type_43", "id_44", "user_id_45", -1 AS "_seg_w" FROM unnest(_seg_o0)) AS _s1
    UNION ALL
    SELECT (_s1."id_type_416")::text AS "k0", (_s1."id_417")::text AS "k1", _s1."user_id_418" AS "p1_i", _s1."_seg_w" AS "_seg_w" FROM (SELECT "id_type_416", "id_417", "user_id_418", 1 AS "_seg_w" FROM unnest(_seg_n5) UNION ALL SELECT "id_type_416", "id_417", "user_id_418", -1 AS "_seg_w" FROM unnest(_seg_o5)) AS _s1
),
"_seg_net" AS (
  SELECT k0, k1, p1_i, sign("_seg_n")::integer AS "_seg_w" FROM (
    SELECT k0, k1, p1_i, sum("_seg_w") AS "_seg_n" FROM "_seg_rows" GROUP BY k0, k1, p1_i HAVING sum("_seg_w") <> 0
  ) AS "_seg_s", generate_series(1, abs("_seg_n"))
),
"_seg_pairs" AS MATERIALIZED (
  SELECT n0 AS "id_type", n1 AS "id", n2 AS "user_id", n3 AS "_seg_count_456", o0 AS _seg_o0, o1 AS _seg_o1, o2 AS _seg_o2, o3 AS _seg_o3, "_seg_place", nullif("_seg_kept", false) AS "_seg_new", "_seg_seen" FROM (
  SELECT *, NOT "_seg_kept" OR "_seg_place" IS NULL OR n2 IS DISTINCT FROM o2 AS "_seg_seen" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, n2, n3, k0 AS n0, k1 AS n1, coalesce(n3 > 0, false) AS "_seg_kept" FROM (
  SELECT "_seg_place", o0, o1, o2, o3, k0, k1, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a3 ELSE coalesce(o3, 0) + coalesce(p0_c, 0) END)::bigint AS n3, (CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a2 ELSE least(o2, p1_a) END)::bigint AS n2
  FROM (
  SELECT "_seg_k".*, "_seg_o".*, _seg_again OR (((p1_r IS NOT NULL AND NOT coalesce(p1_r > o2, false) AND NOT coalesce(p1_a <= o2, false))) AND coalesce((coalesce(o3, 0) + coalesce(p0_c, 0)) > 0, false)) AS "_seg_reread"
  FROM (SELECT k0, k1, sum("_seg_w") AS p0_c, min(p1_i) FILTER (WHERE "_seg_w" > 0) AS p1_a, min(p1_i) FILTER (WHERE "_seg_w" < 0) AS p1_r
  FROM "_seg_net" AS "_seg_r" GROUP BY k0, k1 OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", "_seg_t"."id_type" AS o0, "_seg_t"."id" AS o1, "_seg_t"."user_id" AS o2, "_seg_t"."_seg_count_456" AS o3 FROM "_seg"."segmentation.identities" AS "_seg_t"
    WHERE hash_record_extended(ROW("_seg_t"."id_type", "_seg_t"."id"), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0) AND "_seg_t"."id_type" IS NOT DISTINCT FROM "_seg_k".k0 AND "_seg_t"."id" IS NOT DISTINCT FROM "_seg_k".k1
    OFFSET 0) AS "_seg_o" ON true OFFSET 0) AS "_seg_k" LEFT JOIN LATERAL (
    SELECT * FROM (
      SELECT _q1."count_456" AS "a3", _q1."min_457" AS "a2" FROM (SELECT _q2."id_type_419" AS "id_type_422", _q2."id_420" AS "id_423", count(*) AS "count_456", min(_q2."user_id_421") AS "min_457" FROM (SELECT _s3."id_type_43" AS "id_type_419", _s3."id_44" AS "id_420", _s3."user_id_45" AS "user_id_421" FROM "_seg"."segmentation.identities#1" AS _s3 WHERE ((hash_record_extended(ROW((_s3."id_type_43")::text, (_s3."id_44")::text), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0)) AND ((_s3."id_type_43")::text IS NOT DISTINCT FROM "_seg_k".k0) AND ((_s3."id_44")::text IS NOT DISTINCT FROM "_seg_k".k1)) UNION ALL SELECT _s4."id_type_416" AS "id_type_419", _s4."id_417" AS "id_420", _s4."user_id_418" AS "user_id_421" FROM "_seg"."segmentation.identities#7" AS _s4 WHERE ((hash_record_extended(ROW((_s4."id_type_416")::text, (_s4."id_417")::text), 0) = hash_record_extended(ROW("_seg_k".k0, "_seg_k".k1), 0)) AND ((_s4."id_type_416")::text IS NOT DISTINCT FROM "_seg_k".k0) AND ((_s4."id_417")::text IS NOT DISTINCT FROM "_seg_k".k1))) AS _q2 GROUP BY _q2."id_type_419", _q2."id_420") AS _q1
    ) AS "_seg_q" WHERE "_seg_k"."_seg_reread" OFFSET 0) AS "_seg_a" ON true OFFSET 0) AS "_seg_s" OFFSET 0) AS "_seg_n" OFFSET 0) AS "_seg_v"
  WHERE CASE WHEN NOT "_seg_kept" THEN "_seg_place" IS NOT NULL ELSE "_seg_seen" OR n3 IS DISTINCT FROM o3 END
),
"_seg_changed" AS (
  UPDATE "_seg"."segmentation.identities" AS "_seg_t" SET "id_type" = "_seg_p"."id_type", "id" = "_seg_p"."id", "user_id" = "_seg_p"."user_id", "_seg_count_456" = "_seg_p"."_seg_count_456" FROM "_seg_pairs" AS "_seg_p"
  WHERE "_seg_t".ctid = "_seg_p"."_seg_place" AND "_seg_p"."_seg_place" IS NOT NULL AND "_seg_p"."_seg_new"
),
"_seg_gone" AS (
  DELETE FROM "_seg"."segmentation.identities" WHERE ctid = ANY (ARRAY(
    SELECT "_seg_place" FROM "_seg_pairs" WHERE "_seg_new" IS NULL))
),
"_seg_come" AS (
  INSERT INTO "_seg"."segmentation.identities" ("id_type", "id", "user_id", "_seg_count_456") SELECT "_seg_p"."id_type", "_seg_p"."id", "_seg_p"."user_id", "_seg_p"."_seg_count_456" FROM "_seg_pairs" AS "_seg_p" WHERE "_seg_place" IS NULL
)
SELECT count(*) FROM "_seg_pairs"
