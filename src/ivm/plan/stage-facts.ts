/** What is known of a stage's columns and rows, read off its tree. */
import type { Op } from '../relation/ir.ts';
import { columnFact, uniqueKeys } from './facts.ts';
import type { Facts, RelationFacts } from './facts.ts';
import type { Stage, StageColumn } from './stage.ts';

/** @param relation `#1` */
export function stageFacts(
  stages: readonly Stage[],
  relation: string,
  facts: Facts,
): RelationFacts | undefined {
  const stage = stages.find(({ name }) => `#${name}` === relation);
  if (stage?.root == null) return undefined;
  const { root, columns } = stage;
  return {
    column: (name) => columnFact(root, columns.find((column) => column.name === name)?.id ?? '', facts),
    keys: keysIn(root, columns, facts),
  };
}

/** Lists of columns, by their names, by which no two rows are the same. */
export function keysIn(root: Op, columns: readonly StageColumn[], facts: Facts): string[][] {
  const nameOf = (id: string): string | undefined => columns.find((column) => column.id === id)?.name;
  return uniqueKeys(root, facts)
    .map((key) => key.map(nameOf))
    .filter((key): key is string[] => key.every((name) => name !== undefined));
}
