-- What tools ask when they connect, look around and show a table. Statements end with ";;" and a new line; what stands between is sent as
-- one message, as the tool sends it.
-- tool: Metabase
SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ UNCOMMITTED;;
SET extra_float_digits = 2;;
SET application_name = 'Metabase';;
SHOW TRANSACTION ISOLATION LEVEL;;
SELECT nspname AS "TABLE_SCHEM", current_database() AS "TABLE_CATALOG" FROM pg_catalog.pg_namespace
WHERE nspname <> 'pg_toast' AND (nspname !~ '^pg_temp_' OR nspname = (pg_catalog.current_schemas(true))[1])
ORDER BY "TABLE_SCHEM";;
WITH table_privileges AS (
  SELECT NULL AS role, t.schemaname AS schema, t.objectname AS table,
    pg_catalog.has_any_column_privilege(current_user, format('%I.%I', t.schemaname, t.objectname), 'update') AS update,
    pg_catalog.has_any_column_privilege(current_user, format('%I.%I', t.schemaname, t.objectname), 'select') AS select
  FROM (SELECT schemaname, tablename AS objectname FROM pg_catalog.pg_tables
        UNION SELECT schemaname, viewname FROM pg_catalog.pg_views
        UNION SELECT schemaname, matviewname FROM pg_catalog.pg_matviews) AS t
  WHERE t.schemaname !~ '^pg_' AND t.schemaname <> 'information_schema'
    AND pg_catalog.has_schema_privilege(current_user, t.schemaname, 'usage')
) SELECT t.* FROM table_privileges AS t;;
SELECT c.column_name AS name, c.udt_name AS "database-type", c.table_schema, c.table_name, c.ordinal_position - 1 AS position,
  col_description(CAST(CAST(format('%I.%I', c.table_schema, c.table_name) AS regclass) AS oid), c.ordinal_position) AS remarks
FROM information_schema.columns AS c WHERE c.table_schema !~ '^information_schema|catalog_history|pg_'
ORDER BY c.table_schema, c.table_name, c.ordinal_position;;
SELECT "stream"."by_user"."user_id" AS "user_id", "stream"."by_user"."events" AS "events" FROM "stream"."by_user"
ORDER BY "user_id" ASC LIMIT 2000;;
-- tool: Tableau
SET DateStyle = 'ISO'; SET extra_float_digits = 2;;
BEGIN;declare "SQL_CUR04645D10" cursor for select relname, nspname, relkind from pg_catalog.pg_class c, pg_catalog.pg_namespace n where relkind in ('r', 'v') and nspname not in ('pg_catalog', 'information_schema', 'pg_toast', 'pg_temp_1') and n.oid = relnamespace order by nspname, relname;fetch 2048 in "SQL_CUR04645D10";;
close "SQL_CUR04645D10";commit;;
select n.nspname, c.relname, a.attname, a.atttypid, t.typname, a.attnum, a.attlen, a.atttypmod, a.attnotnull, c.relhasrules, c.relkind, c.oid, pg_get_expr(d.adbin, d.adrelid), case t.typtype when 'd' then t.typbasetype else 0 end, t.typtypmod, c.relhassubclass from (((pg_catalog.pg_class c inner join pg_catalog.pg_namespace n on n.oid = c.relnamespace and c.relname like E'by\\_user' and n.nspname like 'stream') inner join pg_catalog.pg_attribute a on (not a.attisdropped) and a.attnum > 0 and a.attrelid = c.oid) inner join pg_catalog.pg_type t on t.oid = a.atttypid) left outer join pg_attrdef d on a.atthasdef and d.adrelid = a.attrelid and d.adnum = a.attnum order by n.nspname, c.relname, attnum;;
SELECT "by_user"."user_id" AS "user_id", SUM("by_user"."events") AS "sum:events:ok" FROM "stream"."by_user" "by_user" GROUP BY 1;;
-- tool: Power BI
SELECT version();;
SELECT ns.nspname, t.oid, t.typname, t.typtype, t.typnotnull, t.elemtypoid
FROM (
  SELECT typ.oid, typ.typnamespace, typ.typname, typ.typtype, typ.typrelid, typ.typnotnull, typ.relkind, elemtyp.oid AS elemtypoid
  FROM (
    SELECT typ.oid, typnamespace, typname, typrelid, typnotnull, relkind, typelem AS elemoid,
      CASE WHEN proc.proname = 'array_recv' THEN 'a' ELSE typ.typtype END AS typtype
    FROM pg_type AS typ
    LEFT JOIN pg_class AS cls ON (cls.oid = typ.typrelid)
    LEFT JOIN pg_proc AS proc ON proc.oid = typ.typreceive
    LEFT JOIN pg_range ON (pg_range.rngtypid = typ.oid)
  ) AS typ
  LEFT JOIN pg_type AS elemtyp ON elemtyp.oid = elemoid
) AS t JOIN pg_namespace AS ns ON (ns.oid = typnamespace)
WHERE typtype IN ('b', 'r', 'm', 'e', 'd') OR (typtype = 'c' AND relkind = 'c') OR (typtype = 'a' AND elemtypoid IS NOT NULL)
ORDER BY typtype, t.oid;;
SELECT pg_type.oid, enumlabel FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid ORDER BY oid, enumsortorder;;
BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED;;
select TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE from INFORMATION_SCHEMA.tables
where TABLE_SCHEMA not in ('information_schema', 'pg_catalog') order by TABLE_SCHEMA, TABLE_NAME;;
select COLUMN_NAME, ORDINAL_POSITION, IS_NULLABLE, case when (data_type like '%unsigned%') then DATA_TYPE || ' unsigned' else DATA_TYPE end as DATA_TYPE
from INFORMATION_SCHEMA.columns where TABLE_SCHEMA = 'stream' and TABLE_NAME = 'by_user' order by TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION;;
select pkcol.COLUMN_NAME as PK_COLUMN_NAME, fkcol.TABLE_NAME as FK_TABLE_NAME from INFORMATION_SCHEMA.REFERENTIAL_CONSTRAINTS r
join INFORMATION_SCHEMA.KEY_COLUMN_USAGE fkcol on r.CONSTRAINT_SCHEMA = fkcol.CONSTRAINT_SCHEMA and r.CONSTRAINT_NAME = fkcol.CONSTRAINT_NAME
join INFORMATION_SCHEMA.KEY_COLUMN_USAGE pkcol on r.UNIQUE_CONSTRAINT_NAME = pkcol.CONSTRAINT_NAME;;
COMMIT;;
select "$Table"."user_id" as "user_id", "$Table"."events" as "events" from "stream"."by_user" "$Table" limit 1000;;
DISCARD ALL;;
-- tool: Grafana
SELECT current_setting('server_version_num')::int/100 as version;;
SELECT CASE WHEN quote_ident(table_schema) IN (SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
    FROM generate_series(array_lower(string_to_array(current_setting('search_path'), ','), 1),
      array_upper(string_to_array(current_setting('search_path'), ','), 1)) AS i,
      string_to_array(current_setting('search_path'), ',') s)
  THEN quote_ident(table_name) ELSE quote_ident(table_schema) || '.' || quote_ident(table_name) END AS "table"
FROM information_schema.tables WHERE quote_ident(table_schema) NOT IN ('information_schema', 'pg_catalog', '_timescaledb_cache')
ORDER BY 1;;
SELECT now() AS "time", user_id AS metric, events AS value FROM by_user ORDER BY 2;;
