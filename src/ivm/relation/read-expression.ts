/** libpg-query expression → seg's: names become column ids, subqueries trees, readings of the clock `{ Now }`. */
import { Unsupported } from './ir.ts';
import type { Expr, Subquery } from './ir.ts';
import type { Node, SelectReader } from './reader.ts';
import { printExpr } from './print-expression.ts';
import { exactly } from './reader.ts';
import type { Scope } from './scope.ts';

export class ExpressionReader {
  readonly reader: SelectReader;
  readonly scope: Scope;

  constructor(reader: SelectReader, scope: Scope) {
    this.reader = reader;
    this.scope = scope;
  }

  /** @throws Unsupported also for what cannot be printed, while another way is still open to the query */
  read(value: unknown): Expr {
    const expr = this.#visit(value) as Expr;
    printExpr(expr, { now: '', query: () => '', reading: true });
    return expr;
  }

  /** What holds expressions and is none: a window of a WINDOW clause. */
  readClause(value: Node): Expr {
    return this.#visit(value) as Expr;
  }

  #visit(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#visit(item));
    if (value === null || typeof value !== 'object') return value;
    const node = value as Node;
    if ('ColumnRef' in node) return this.#column(node['ColumnRef'] as Node);
    if ('SubLink' in node) return this.#subquery(node['SubLink'] as Node);
    if ('FuncCall' in node) this.#checkFunction(node['FuncCall'] as Node);
    if (isClockFunction(node, this.reader.catalog.clock.schema)) return { Now: {} };
    for (const kind of ['SQLValueFunction', 'ParamRef', 'XmlExpr', 'XmlSerialize', 'SetToDefault']) {
      if (kind in node) throw new Unsupported(construct(kind));
    }
    // Places in the text are of no use and would make equal expressions differ.
    return Object.fromEntries(
      Object.entries(node).flatMap(([key, inner]) =>
        key === 'location' || key === 'list_start' || key === 'list_end' ? [] : [[key, this.#visit(inner)]],
      ),
    );
  }

  #column(ref: Node): Expr {
    const fields = ref['fields'] as { String?: { sval: string } }[];
    const path = fields.flatMap(({ String: name }) => (name === undefined ? [] : [name.sval]));
    return path.length === fields.length ? this.scope.column(path) : this.scope.wholeRow(path);
  }

  #subquery(link: Node): Expr {
    const select = (link['subselect'] as Node)['SelectStmt'] as Node;
    const clock = this.reader.catalog.clock;
    const type = subqueryTypes[textOf(link['subLinkType'], 'EXISTS_SUBLINK')];
    if (type === undefined) throw new Unsupported(`a subquery of kind ${String(link['subLinkType'])}`);
    if (type === 'scalar' && isClock(select, clock)) return { Now: {} };
    const { op, output } = this.reader.select(select, this.scope);
    const test = link['testexpr'] === undefined ? null : this.read(link['testexpr']);
    const names = (link['operName'] as { String?: { sval?: string } }[] | undefined) ?? [
      { String: { sval: '=' } },
    ];
    if (test !== null && 'RowExpr' in test && type !== 'any')
      throw new Unsupported('a row compared with ALL');
    if (names.length > 1) throw new Unsupported('an operator with a schema before a subquery');
    const operator = names[0]?.String?.sval ?? '=';
    if (!/^[-+*/<>=~!@#%^&|`?]+$/.test(operator)) throw new Unsupported(`the operator ${operator}`);
    const sub: Subquery = {
      type,
      test,
      operator,
      query: exactly(op, output),
      output: output.map(({ id }) => id),
    };
    return { Sub: sub };
  }

  #checkFunction(call: Node): void {
    const path = (call['funcname'] as { String?: { sval?: string } }[]).map(
      ({ String: name }) => name?.sval ?? '',
    );
    const name = path.at(-1) ?? '';
    const clock = this.reader.catalog.clock;
    if (path.length === 2 && path[0] === clock.schema && name === 'now') return;
    const traits = this.reader.catalog.function(name);
    if (traits === undefined) throw new Unsupported(`the function ${name}`);
    if (traits.volatile) throw new Unsupported(`the volatile function ${name}`);
  }
}

/** A field of a parse tree that holds a word, where the parser leaves out the first of an enumeration. */
export function textOf(value: unknown, missing = ''): string {
  return typeof value === 'string' ? value : missing;
}

const subqueryTypes: Record<string, Subquery['type'] | undefined> = {
  EXISTS_SUBLINK: 'exists',
  ANY_SUBLINK: 'any',
  ALL_SUBLINK: 'all',
  EXPR_SUBLINK: 'scalar',
  ARRAY_SUBLINK: 'array',
};

function construct(kind: string): string {
  if (kind === 'SQLValueFunction') return 'current_timestamp and its kin';
  return kind;
}

/** `(SELECT clock.now FROM _seg.clock)` */
function isClock(select: Node, clock: { schema: string; name: string }): boolean {
  const from = select['fromClause'] as { RangeVar?: Node }[] | undefined;
  const table = from?.length === 1 ? from[0]?.RangeVar : undefined;
  if (table?.['schemaname'] !== clock.schema || table['relname'] !== clock.name) return false;
  const targets = select['targetList'] as { ResTarget?: { val?: { ColumnRef?: { fields?: unknown[] } } } }[];
  const fields = targets.length === 1 ? targets[0]?.ResTarget?.val?.ColumnRef?.fields : undefined;
  const last = fields?.at(-1) as { String?: { sval?: string } } | undefined;
  return (
    last?.String?.sval === 'now' && select['whereClause'] === undefined && select['limitCount'] === undefined
  );
}

function isClockFunction(node: Node, schema: string): boolean {
  const call = node['FuncCall'] as
    { funcname?: { String?: { sval?: string } }[]; args?: unknown[] } | undefined;
  const path = call?.funcname?.map(({ String: name }) => name?.sval);
  return path?.length === 2 && path[0] === schema && path[1] === 'now' && (call?.args ?? []).length === 0;
}
