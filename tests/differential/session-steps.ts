/** Numbers → the steps of several sessions, in the order in which they are issued. */
import { Choices } from './choices.ts';
import type { SessionStep } from './sessions.ts';
import type { StepSpec } from './spec.ts';
import { statement } from './statements.ts';
import type { Table } from './tables.ts';

/** Writes that are made within transactions; each is one statement. */
const writes = ['insert', 'update', 'delete', 'upsert', 'merge', 'several', 'copy'] as const;

/** @param made views that are to be made meanwhile */
export function scheduleOf(
  steps: readonly StepSpec[],
  tables: readonly Table[],
  made: readonly string[],
  sessions: number,
): SessionStep[] {
  const open = Array.from({ length: sessions }, () => false);
  const schedule: SessionStep[] = [];
  const rest = [...made];
  for (const [i, { do: name, n }] of steps.entries()) {
    const choices = new Choices(n);
    const session = choices.below(sessions);
    const add = (sql: string): void => void schedule.push({ session, sql });
    // The views come somewhere in the middle, each by a session that has no transaction open.
    if (rest.length > 0 && i >= steps.length / 3 && !open[session]!) {
      const level = choices.of(['read committed', 'repeatable read', 'serializable']);
      add(`SET default_transaction_isolation = '${level}'`);
      schedule.push({ session, make: rest.shift()! });
      continue;
    }
    if (!open[session]!) {
      if (choices.oneIn(4)) {
        add(choices.oneIn(2) ? `TRUNCATE ${choices.of(tables).name}` : one(name, tables, choices));
        continue;
      }
      const level = choices.of(['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE', 'READ COMMITTED']);
      add(`BEGIN ISOLATION LEVEL ${level}`);
      // The snapshot is taken by the first statement, whatever it reads.
      if (choices.oneIn(2)) add(`SELECT 1 FROM ${choices.of(tables).name} LIMIT 1`);
      open[session] = true;
      continue;
    }
    if (choices.oneIn(3)) {
      add(choices.oneIn(4) ? 'ROLLBACK' : 'COMMIT');
      open[session] = false;
      continue;
    }
    add(one(name, tables, choices));
  }
  for (const view of rest) schedule.push({ session: 0, sql: 'COMMIT' }, { session: 0, make: view });
  return schedule;
}

/**
 * Whether TRUNCATE may meet a deadlock where views exist: it takes its table alone before anything of seg's runs, so one that comes
 * after another write of its transaction, beside a second one, or names several tables, may wait for writers that wait for it.
 */
export function truncatesCross(steps: readonly SessionStep[]): boolean {
  const open = new Set<number>();
  const truncating = new Set<number>();
  for (const { session, sql = '' } of steps.slice(1)) {
    if (sql.startsWith('BEGIN')) open.add(session);
    else if (/^(COMMIT|ROLLBACK)/.test(sql)) open.delete(session);
    else if (sql.startsWith('TRUNCATE')) {
      if (open.has(session) || sql.includes(', ')) return true;
      truncating.add(session);
    }
  }
  return truncating.size > 1;
}

function one(name: string, tables: readonly Table[], choices: Choices): string {
  const kind =
    name === 'truncate' || (writes as readonly string[]).includes(name) ? name : choices.of(writes);
  // What the runner would have to send as COPY is written as INSERT.
  return statement(kind === 'copy' ? 'insert' : kind, tables, choices, { flood: false, few: false });
}
