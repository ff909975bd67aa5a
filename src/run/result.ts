import { join, relative, sep } from 'node:path';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { SegError } from '../diagnostics/seg-error.ts';
import { DatabaseError } from '../engines/connection.ts';
import type { NodeOutcome } from '../deploy/outcome.ts';
import type { Project } from '../project/load.ts';
import type { GraphNode } from '../project/nodes.ts';
import type { TestResult } from '../testing/test-result.ts';
import { compiledPath } from './compiled-path.ts';
import type { NodeResult, NodeStatus } from './events.ts';

type ProjectPlace = Pick<Project, 'root' | 'targetPath'>;

/** A node's result while it is being worked on: what `finish` fills in is when it ended. */
export class ResultClock {
  readonly #startedAt = new Date();
  readonly #started = performance.now();

  finish(
    project: ProjectPlace,
    node: GraphNode,
    status: NodeStatus,
    more: Partial<Omit<NodeResult, 'node' | 'status' | 'startedAt' | 'completedAt' | 'compiledPath'>> = {},
  ): NodeResult {
    return {
      node,
      status,
      message: null,
      rows: null,
      failures: null,
      seconds: (performance.now() - this.#started) / 1000,
      startedAt: this.#startedAt.toISOString(),
      completedAt: new Date().toISOString(),
      diagnostics: [],
      details: null,
      compiledPath: shownCompiledPath(project, node),
      failuresRelation: null,
      ...more,
    };
  }
}

/** What deployment did, in the words shown in brackets. */
export function outcomeMessage(node: GraphNode, outcome: NodeOutcome): string {
  const difference = `+${outcome.inserted} -${outcome.deleted}`;
  switch (outcome.action) {
    case 'created':
      return outcome.rows === null ? `CREATE ${isView(node) ? 'VIEW' : 'TABLE'}` : `SELECT ${outcome.rows}`;
    case 'changed':
      return outcome.reshaped && outcome.rows !== null
        ? `REPLACE ${outcome.rows}`
        : isView(node)
          ? 'CREATE VIEW'
          : difference;
    case 'refreshed':
      return isView(node) ? 'CREATE VIEW' : difference;
    case 'unchanged':
    case 'dropped':
    case 'released':
    case 'orphaned':
      return outcome.action;
  }
}

/** The line for a node that nobody asked for: it followed a change upstream, or is gone from the project. */
export function afterwards(
  outcome: NodeOutcome,
  prune: boolean,
): { readonly level: 'info' | 'warn'; readonly text: string } | undefined {
  const { label, action, inserted, deleted } = outcome;
  if (action === 'orphaned') {
    const rest = prune
      ? 'and holds rows that cannot be computed again: drop its table by hand'
      : 'but still deployed; --prune drops it';
    return { level: 'warn', text: `${label} is gone from the project ${rest}` };
  }
  if (action === 'dropped')
    return { level: 'info', text: `dropped ${label}, which is gone from the project` };
  if (action === 'released')
    return { level: 'info', text: `released ${label}, which is gone from the project: its table stays` };
  if (inserted + deleted === 0) return undefined;
  return { level: 'info', text: `${label} followed: +${inserted} -${deleted} rows` };
}

export function testOutcome(test: TestResult): Pick<
  NodeResult,
  'message' | 'failures' | 'details' | 'diagnostics' | 'steps' | 'edits'
> & {
  status: NodeStatus;
} {
  const failed = test.status === 'fail' || test.status === 'error';
  return {
    status: test.status,
    message: test.message,
    failures: test.failures,
    details: test.diagnostics === undefined ? (test.detail ?? null) : null,
    steps: test.steps,
    edits: test.edits,
    diagnostics:
      test.diagnostics ??
      (test.status === 'error' || (failed && test.kind !== 'test')
        ? [{ severity: 'error', code: 'SEG601', message: test.message ?? 'the test failed', at: test.at }]
        : []),
  };
}

/** A thrown error as diagnostics of a node; anything that is no user's mistake is thrown on. */
export function errorDiagnostics(error: unknown, node: GraphNode): readonly Diagnostic[] {
  if (error instanceof SegError) return error.diagnostics;
  if (error instanceof DatabaseError) {
    return [
      {
        severity: 'error',
        code: 'SEG413',
        message: `${node.resource_type} "${node.name}": ${error.message}`,
        at: node.at,
        notes: error.detail === undefined ? [] : [{ message: error.detail }],
        hint: error.hint,
      },
    ];
  }
  throw error;
}

function isView(node: GraphNode): boolean {
  return node.resource_type === 'model' && node.config.materialized === 'view';
}

/** As people find it from the project's folder; null for nodes that have no compiled SQL of interest. */
function shownCompiledPath(project: ProjectPlace, node: GraphNode): string | null {
  const path = node.resource_type === 'model' || node.resource_type === 'test' ? compiledPath(node) : null;
  return path === null ? null : relative(project.root, join(project.targetPath, path)).replaceAll(sep, '/');
}
