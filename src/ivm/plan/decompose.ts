/**
 * A tree → stages. Every stage is a tree that one strategy keeps; what does not fit into the same stage is split off as a
 * hidden stage, stored, and scanned by the one above like any table.
 *
 *   - a tree without state of its own is linear;
 *   - grouping operators one above the other share a stage while one partition key goes through all of them;
 *   - sides of joins and of set operations, and uncorrelated subqueries, that group or extend are stages of their own;
 *   - FULL JOIN is a left join UNION ALL the right rows without a match.
 */
import {
  col,
  columnOf,
  conjuncts,
  freeIds,
  mapExpr,
  mapOwnExprs,
  ownSubqueries,
  subqueriesIn,
  subqueryOf,
  usesNow,
} from '../relation/expression.ts';
import { Unsupported, outputOf } from '../relation/ir.ts';
import type { Expr, Join, Limit, Op, Relation } from '../relation/ir.ts';
import type { Part } from '../relation/apart.ts';
import { prune } from '../relation/prune.ts';
import { canonicalText } from '../relation/rename.ts';
import type { Ids } from '../relation/rename.ts';
import { ownWork, readsClock, relationsIn, treeWork } from './classify.ts';
import { withDuplicates } from './duplicates.ts';
import { columnFact } from './facts.ts';
import { ColumnTypes } from './fallible.ts';
import type { Facts } from './facts.ts';
import { withGuardsBelow } from './guards.ts';
import { withLateConstants } from './late-constants.ts';
import { hashJoins } from './hash-joins.ts';
import type { TypesOf } from './merge-plan.ts';
import { mergeApart, mergeStage, mergesAlways } from './merge-stage.ts';
import type { MergeContext } from './merge-stage.ts';
import { firstRows } from './first-rows.ts';
import { chooseStrategy, reachable } from './choose-strategy.ts';
import { joinSubqueries } from './joined-subqueries.ts';
import { StoredKeys, filtered } from './stored-keys.ts';
import { storedBelow } from './stored-below.ts';
import { fullJoin } from './full-join.ts';
import { columnsRead, recomputedPart, stageOfPart } from './recomputed-stage.ts';
import { naturalKey, pushable } from './partition.ts';
import type { Stage, StageColumn } from './stage.ts';
import { keysIn, stageFacts } from './stage-facts.ts';
import { replaceIn, timeApart, valuesToStore } from './temporal.ts';
import { topOf } from './top.ts';
import { suffixOf } from './suffix.ts';

export class Decomposer {
  readonly #ids: Ids;
  readonly #keysOf: (relation: string) => readonly (readonly string[])[];
  readonly #facts: Facts;
  readonly #merging: MergeContext;
  readonly #types = new ColumnTypes();
  readonly #keys: StoredKeys;
  readonly stages: Stage[] = [];
  readonly #byText = new Map<string, Stage>();
  /** Intermediate results that are recomputed because some of their query is not understood or cannot be kept, and why. */
  readonly #parts = new Map<string, string>();
  #names = 0;

  /**
   * @param keysOf unique, non-null column lists of a relation
   * @param typesOf types of the arguments of aggregates; without it none is merged
   */
  constructor(
    ids: Ids,
    keysOf: (relation: string) => readonly (readonly string[])[],
    facts: Facts = () => undefined,
    typesOf: TypesOf = () => undefined,
  ) {
    this.#merging = { ids, typesOf, split: (op) => this.#split(op) };
    this.#keys = new StoredKeys(this.#types, this.#merging, (op) => this.#split(this.#reduce(op)));
    this.#ids = ids;
    this.#keysOf = keysOf;
    this.#facts = (relation) =>
      relation.startsWith('#') ? stageFacts(this.stages, relation, this.#facts) : facts(relation);
  }

  /** Stages in the order they must be maintained; the last one is the view. */
  decompose(relation: Relation, parts: readonly Part[] = []): Stage[] {
    const need = new Set(relation.output.map(({ id }) => id));
    const keyColumns = (of: string): readonly string[] => this.#keysOf(of)[0] ?? [];
    this.#types.add(relation.root);
    const asked = prune(relation.root, need, keyColumns);
    const guarded = withGuardsBelow(withLateConstants(asked, this.#types.of), this.#types.of);
    const pruned = guarded === asked ? asked : prune(guarded, need, keyColumns);
    for (const part of parts) {
      const used = columnsRead(pruned, `#${part.name}`);
      if (used !== undefined) this.stages.push(stageOfPart(part, used));
      this.#parts.set(`#${part.name}`, part.why);
    }
    this.#names = parts.length;
    const columns = relation.output.map(({ id, name }) => ({ id, name, hidden: false }));
    const root = this.#reduceWhole(pruned);
    const why = this.#onlyPart(root);
    if (why !== undefined) throw new Unsupported(why);
    const view = this.#stage('', root, columns);
    const keys = view.root === null ? [] : keysIn(view.root, columns, this.#facts);
    this.stages.push(keys.length === 0 ? view : { ...view, keys });
    return this.stages;
  }

  /** Why the part is recomputed of which the view is no more than the columns, or some of the rows: it need not be kept twice. */
  #onlyPart(op: Op): string | undefined {
    if (op.kind === 'scan') return this.#parts.get(op.relation);
    const passes = (op.kind === 'project' && !op.sets) || op.kind === 'filter';
    return passes && ownSubqueries(op).length === 0 ? this.#onlyPart(op.child) : undefined;
  }

  /** What cannot be kept and uses nothing from outside is recomputed by itself; what is above it is kept as usual. */
  #reduce(op: Op): Op {
    const known = this.stages.length;
    try {
      return this.#reduceWhole(op);
    } catch (error) {
      if (!(error instanceof Unsupported) || freeIds(op).size > 0) throw error;
      this.#undo(known);
      return this.#split(op, error.construct);
    }
  }

  #reduceWhole(op: Op): Op {
    if (op.kind === 'project' || op.kind === 'filter') {
      const joined = joinSubqueries(op, this.#ids, this.#types.of, (side) => this.#split(this.#reduce(side)));
      if (joined !== undefined) return this.#reduceWhole(joined);
      const stored = this.#keys.ofSubqueries(op.kind === 'filter' ? this.#keys.ofCondition(op) : op);
      if (stored !== op) return this.#reduceWhole(stored);
    }
    if (op.kind === 'join') {
      const stored = this.#keys.ofJoin(op);
      if (stored !== op) return this.#reduceWhole(stored);
    }
    const at = mapOwnExprs(op, (expr) => this.#reduceSubqueries(expr));
    switch (at.kind) {
      case 'scan':
      case 'values':
      case 'function':
        return at;
      case 'project':
      case 'filter':
        return this.#reduceAbove(this.#timed({ ...at, child: this.#reduce(at.child) }));
      case 'join': {
        const join = { ...at, left: this.#reduce(at.left), right: this.#reduce(at.right) };
        const apart = timeApart(join);
        return apart === undefined
          ? this.#reduceJoin(join)
          : this.#timed({ ...apart, child: this.#reduceJoin(apart.child) });
      }
      case 'set': {
        const side = (child: Op): Op => {
          const reduced = this.#reduce(at.operation === 'union' && !at.all ? withDuplicates(child) : child);
          const kept = at.operation === 'union' || !this.#keys.anyCanFail(reduced, outputOf(reduced));
          return treeWork(reduced) === 'linear' && kept ? reduced : this.#split(reduced);
        };
        const whole: Op = { ...at, left: side(at.left), right: side(at.right) };
        if (ownWork(whole) === 'linear' || pushable(whole).size > 0) return whole;
        // The sides are kept, and their rows found there.
        const still = (child: Op): Op => (child.kind === 'scan' ? child : this.#split(child));
        return { ...whole, left: still(whole.left), right: still(whole.right) };
      }
      default: {
        const below = this.#reduce(at.child);
        // Groups that are merged are kept apart: there are fewer of them than of the rows they stand for.
        const apart = ownWork(at) === 'grouping' ? mergeApart(below, this.#merging) : below;
        const timed = this.#keys.ofGroups(this.#timed({ ...at, child: apart }));
        if (timed.kind === 'window' && this.#suffixable(timed)) return timed;
        const whole = this.#suffixable(timed.child) ? { ...timed, child: this.#split(timed.child) } : timed;
        const { child } = whole;
        if (ownWork(whole) === 'linear') return whole;
        if (whole.kind === 'limit') return this.#limited(whole);
        const natural = naturalKey(whole);
        const key = natural.filter((id) => pushable(whole).has(id));
        // Without a key that reaches the tables (a function makes it of a row, or the clock decides it), the rows below are
        // kept, and their partitions found there.
        const unfound = key.length === 0 && natural.length > 0 && child.kind !== 'scan';
        if (treeWork(child) === 'linear' && (!unfound || mergesAlways(whole, this.#merging))) return whole;
        return key.length > 0 && reachable(whole, key)
          ? whole
          : { ...whole, child: this.#splitInside(child) };
      }
    }
  }

  /** The first rows by an order are found by an index, which must hold the rows themselves: what LIMIT is taken of is stored. */
  #limited(op: Limit): Op {
    if (freeIds(op.child).size > 0 || topOf(op) !== undefined) return op;
    const bounded = op.limit !== null && op.order.length > 0;
    return bounded || treeWork(op.child) !== 'linear' ? { ...op, child: this.#split(op.child) } : op;
  }

  /** Where a value compared with the clock is found by no index as it is, what it is computed from is stored with it. */
  #timed<T extends Op & { readonly child: Op }>(op: T): T {
    const values = valuesToStore(op);
    if (values.length === 0 || freeIds(op.child).size > 0) return op;
    const computed = values
      .filter((value) => columnOf(value) === undefined)
      .map((expr) => ({ id: this.#ids.id('due'), expr }));
    const passed = outputOf(op.child).map((id) => ({ id, expr: col(id) }));
    // What is stored is computed of the rows that the other conditions let through.
    const guards =
      op.kind === 'filter' && computed.some(({ expr }) => this.#keys.fails(expr))
        ? conjuncts(op.condition).filter((part) => !usesNow(part) && subqueriesIn(part).length === 0)
        : [];
    const rows = filtered(op.child, guards);
    const below: Op =
      computed.length === 0
        ? op.child
        : { kind: 'project', child: rows, columns: [...passed, ...computed], sets: false };
    const by = new Map(computed.map(({ id, expr }) => [JSON.stringify(expr), col(id)]));
    const child = this.#split(below);
    const over = { ...replaceIn(op, by), child } as T;
    return over;
  }

  /** What stands above windows is kept with them, unless it hides rows that the windows must find again. */
  #reduceAbove(op: Extract<Op, { kind: 'project' | 'filter' }>): Op {
    if (!this.#suffixable(op.child)) return op;
    if (ownSubqueries(op).length > 0) return { ...op, child: this.#split(op.child) };
    if (op.kind === 'filter' && firstRows(op) !== undefined) return op;
    try {
      suffixOf(op, this.#facts, this.#ids);
      return op;
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error;
      return { ...op, child: this.#split(op.child) };
    }
  }

  #suffixable(op: Op): boolean {
    try {
      return suffixOf(op, this.#facts, this.#ids) !== undefined;
    } catch (error) {
      if (error instanceof Unsupported) return false;
      throw error;
    }
  }

  #reduceJoin(join: Join): Op {
    const correlated = freeIds(join.right).size > 0;
    const apart = (side: Op, unless: (work: string) => boolean): Op =>
      unless(treeWork(side)) ? side : this.#split(side);
    const notGrouping = (work: string): boolean => work !== 'grouping';
    const linear = (work: string): boolean => work === 'linear';
    if (join.join === 'full') {
      const sides = { left: apart(join.left, linear), right: apart(join.right, linear) };
      return fullJoin({ ...join, ...sides }, this.#ids, (op) => this.#split(op));
    }
    const left = apart(join.left, notGrouping);
    const right = correlated ? join.right : apart(join.right, join.join === 'left' ? linear : notGrouping);
    const whole: Join = { ...join, left, right };
    if (treeWork(left) === 'linear' || reachable(whole, [])) return whole;
    return { ...whole, left: this.#split(left) };
  }

  #reduceSubqueries(expr: Expr): Expr {
    return mapExpr(expr, (node) => {
      const sub = subqueryOf(node);
      if (sub === undefined) return undefined;
      const query = this.#reduce(sub.query);
      const free = freeIds(query).size === 0;
      const probed = sub.test !== null && free && this.#keys.anyCanFail(query, sub.output);
      const apart = free && treeWork(query) !== 'linear';
      const test = sub.test === null ? null : this.#reduceSubqueries(sub.test);
      return {
        Sub: { ...sub, test, query: probed ? this.#split(query) : apart ? this.#splitBelow(query) : query },
      };
    });
  }

  /** What can fail of a subquery's columns is computed when it is asked, as PostgreSQL does: perhaps nobody asks. */
  #splitBelow(op: Op): Op {
    const fails = op.kind === 'project' && !op.sets && op.columns.some(({ expr }) => this.#keys.fails(expr));
    return fails ? { ...op, child: this.#splitBelow(op.child) } : op.kind === 'scan' ? op : this.#split(op);
  }

  /** Of a correlated tree what does not depend on the row outside. */
  #splitInside(op: Op): Op {
    if (freeIds(op).size === 0) return op.kind === 'scan' || op.kind === 'values' ? op : this.#split(op);
    if (op.kind !== 'project' && op.kind !== 'filter') return this.#split(op);
    return { ...op, child: this.#splitInside(op.child) };
  }

  /** Splits a tree off as a hidden stage (one that is there already, when it is the same query), and scans that. */
  #split(op: Op, recomputedFor?: string): Op {
    if (freeIds(op).size > 0) throw new Unsupported('a correlated subquery that would have to be stored');
    const ids = outputOf(op);
    const text = canonicalText(op);
    let stage = this.#byText.get(text);
    if (stage === undefined) {
      const name = String(++this.#names);
      // Of some queries only the number of rows matters; a table that keeps them needs a column all the same.
      const kept: Op =
        ids.length > 0
          ? op
          : {
              kind: 'project',
              child: op,
              columns: [{ id: this.#ids.id('row'), expr: { A_Const: { boolval: { boolval: true } } } }],
              sets: false,
            };
      const columns = outputOf(kept).map((id) => ({ id, name: id, hidden: false }));
      stage =
        recomputedFor === undefined
          ? this.#stage(name, kept, columns)
          : {
              name,
              root: kept,
              columns,
              ...recomputedPart(recomputedFor),
              reads: [...relationsIn(kept)],
              readsClock: readsClock(kept),
            };
      if (recomputedFor !== undefined) this.#parts.set(`#${name}`, recomputedFor);
      this.#byText.set(text, stage);
      this.stages.push(stage);
    }
    const names = stage.columns.filter(({ hidden }) => !hidden).map(({ name }) => name);
    return {
      kind: 'scan',
      relation: `#${stage.name}`,
      occurrence: this.#ids.occurrence(),
      columns: ids.map((id, i) => ({ id, name: names[i]!, ...this.#typed(op, id) })),
      mode: 'now',
    };
  }

  #typed(op: Op, id: string): { type?: string } {
    const { type } = columnFact(op, id, this.#facts);
    return type === undefined ? {} : { type };
  }

  /** What would be recomputed as a whole may be kept over intermediate results of what is below. */
  #stage(name: string, asked: Op, columns: readonly StageColumn[]): Stage {
    const known = this.stages.length;
    const whole = this.#stageOf(name, asked, columns);
    if (whole.strategy !== 'recompute') return whole;
    const ofWhole = this.#undo(known);
    const over = storedBelow(asked, this.#ids, (op) => this.#split(op));
    const stage = over === undefined ? whole : this.#stageOf(name, over, columns);
    if (stage.strategy !== 'recompute') return stage;
    this.#undo(known);
    for (const [text, made] of ofWhole) {
      this.stages.push(made);
      this.#byText.set(text, made);
    }
    // What stands over everything else tells why: what is below it was no hindrance.
    return { ...whole, reason: stage.reason };
  }

  /** Takes back the intermediate results from the given one on. */
  #undo(known: number): [text: string, stage: Stage][] {
    const undone = new Set(this.stages.splice(known));
    const entries = [...this.#byText].filter(([, stage]) => undone.has(stage));
    for (const [text] of entries) this.#byText.delete(text);
    return entries;
  }

  #stageOf(name: string, asked: Op, columns: readonly StageColumn[]): Stage {
    const root = hashJoins(asked, this.#facts);
    const known = this.stages.length;
    const merged = mergeStage(root, columns, this.#merging);
    if (merged?.kind === 'not') this.#undo(known);
    if (merged?.kind === 'below') return this.#stageOf(name, merged.root, columns);
    const because = merged?.kind === 'not' ? merged.because : null;
    const stage =
      merged?.kind === 'stage'
        ? { name, ...merged.stage }
        : chooseStrategy(name, root, columns, because, {
            ids: this.#ids,
            facts: this.#facts,
            keysOf: this.#keysOf,
            typeOf: this.#types.of,
          });
    const tree = stage.root ?? root;
    return { ...stage, reads: [...relationsIn(tree)], readsClock: readsClock(tree) };
  }
}
