/**
 * The oracle of a case: one PL/pgSQL function that holds every view against its own query, every hidden stage against
 * what it stands for, and every change feed against the rows. Within one function each comparison is planned once. The
 * queries stand in plain views, whose names were looked up when they were made, so nothing of the user's can be meant
 * where PostgreSQL's is.
 */
import type { Connection } from '../../src/engines/connection.ts';
import { readPlans } from '../../src/incremental/stored-plan.ts';
import { quoteIdentifier, quoteLiteral, quoteRelation } from '../../src/sql/quote.ts';

export interface Checked {
  readonly name: string;
  /** Has no feed. */
  readonly silent?: boolean;
}

/** Where the queries of views stand as plain views. */
export const oracleSchema = 'oracle';

/** The plain view that is the query of a view. */
export const expectedView = (name: string): string =>
  quoteRelation({ schema: oracleSchema, name: `expected ${name}` });

/** Rows of both, weighted: what is left over is wrong. Equality is that of GROUP BY, as for EXCEPT ALL. */
function leftOver(
  columns: readonly string[],
  actual: string,
  expected: string,
  compared: readonly string[] = columns,
): string {
  const list = compared.join(', ');
  return `SELECT ${list}, sum("_w") AS "_w" FROM (
      SELECT ${list}, 1 AS "_w" FROM ${expected} AS "_e" (${columns.join(', ')})
      UNION ALL SELECT ${list}, -1 FROM ${actual}) AS "_b" GROUP BY ${list} HAVING sum("_w") <> 0`;
}

/** Installs the function `oracle.check(plain boolean)`, or of another name, which answers what is wrong first, or NULL. Remembers the rows as they are. */
export async function installOracle(
  db: Connection,
  views: readonly Checked[],
  name = 'check',
): Promise<void> {
  const plans = new Map((await readPlans(db, '_seg')).map((plan) => [plan.key, plan]));
  const nodes = await db.query<{ view: string; node: number }>('SELECT view, node FROM "_seg".plan');
  const nodeOf = new Map(nodes.rows.map(({ view, node }) => [view, node]));
  const tests: string[] = [];
  const base: string[] = [];
  const report = (what: string, rows: string): void => {
    tests.push(`  SELECT jsonb_agg(to_jsonb("oracle row"))::pg_catalog.text INTO _oracle_found FROM (${rows}) AS "oracle row";
  IF _oracle_found IS NOT NULL THEN RETURN ${quoteLiteral(what)} || _oracle_found; END IF;`);
  };
  for (const { name: view, silent } of views) {
    const key = quoteRelation({ schema: 'public', name: view });
    const plan = plans.get(key);
    if (plan === undefined) throw new Error(`there is no plan of ${key}`);
    for (const stored of plan.stages) {
      const columns = stored.columns.map((column) => quoteIdentifier(column.name));
      const last = stored.stage.name === '';
      if (last && stored.stage.columns.every(({ hidden }) => !hidden)) continue;
      // A sum to which nothing is added any more stands at 0 where a new one is NULL; its count says so, and what is shown.
      const free = new Set(
        stored.stage.columns
          .filter((column) => stored.stage.strategy === 'merge' && /^_seg_sum_/.test(column.name))
          .map((column) => quoteIdentifier(column.name)),
      );
      const compared = columns.filter((column) => !free.has(column));
      report(
        `${view}: ${stored.label}: `,
        leftOver(columns, quoteRelation(stored.table), `(${stored.query})`, compared),
      );
    }
    const visible = plan.stages.at(-1)!.stage.columns.filter(({ hidden }) => !hidden);
    const columns = visible.map((column) => quoteIdentifier(column.name));
    report(`${view}: rows (1 is missing, -1 too many): `, leftOver(columns, key, expectedView(view)));
    if (silent === true) continue;
    const node = nodeOf.get(key)!;
    const log = `FROM "_seg".changelog WHERE node = ${node}`;
    report(
      `${view}: the feed does not add up: `,
      `SELECT "row", sum(w) AS w FROM (SELECT "row", w FROM oracle.base WHERE node = ${node}
         UNION ALL SELECT "row", weight ${log} UNION ALL SELECT to_jsonb("oracle row"), -1 FROM ${key} AS "oracle row") AS s
       GROUP BY "row" HAVING sum(w) <> 0`,
    );
    report(
      `${view}: the feed holds changes that cancel: `,
      `SELECT epoch, "row" ${log} AND (weight = 0 OR _oracle_plain AND epoch > (SELECT seen FROM oracle.epoch))
       GROUP BY epoch, "row" HAVING bool_or(weight = 0) OR bool_or(weight > 0) AND bool_or(weight < 0)`,
    );
    base.push(
      `INSERT INTO oracle.base SELECT ${node}, to_jsonb("oracle row"), 1 FROM ${key} AS "oracle row" UNION ALL SELECT ${node}, "row", -weight ${log}`,
    );
  }
  // A column may bear the name of a variable, FOUND among them.
  const body = `#variable_conflict use_column
DECLARE _oracle_found pg_catalog.text; BEGIN\n${tests.join('\n')}
  UPDATE oracle.epoch SET seen = (SELECT epoch FROM "_seg".epoch);
  RETURN NULL;\nEND`;
  await db.exec(`CREATE TABLE IF NOT EXISTS oracle.base (node integer, "row" pg_catalog.jsonb, w integer);
    CREATE TABLE IF NOT EXISTS oracle.epoch AS SELECT epoch AS seen FROM "_seg".epoch`);
  await db.exec(
    [
      ...base,
      `CREATE FUNCTION oracle.${name}(_oracle_plain boolean) RETURNS pg_catalog.text LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan
       SET search_path = pg_catalog, public AS ${quoteLiteral(body)}`,
    ].join(';\n'),
  );
}
