/** The words of dbt's progress lines for one node (core/dbt/events/types.py: LogStartLine, LogModelResult ...). */
import type { GraphNode } from '../../project/nodes.ts';
import type { NodeResult } from '../../run/events.ts';

export type Paint = 'green' | 'yellow' | 'red' | 'plain';

export interface NodeLine {
  readonly text: string;
  /** What stands in brackets, before ` in 0.05s`. */
  readonly status: string;
  readonly paint: Paint;
  /** dbt's event, for JSON logs. */
  readonly event: { readonly name: string; readonly code: string };
}

export function startLine(node: GraphNode): NodeLine {
  return {
    text: `START ${describe(node)}`,
    status: 'RUN',
    paint: 'plain',
    event: { name: 'LogStartLine', code: 'Q011' },
  };
}

export function finishLine({ node, status, message, failures }: NodeResult): NodeLine {
  if (status === 'skipped') {
    const what = isTest(node)
      ? `${node.resource_type} ${displayName(node)}`
      : `relation ${displayName(node)}`;
    return {
      text: `SKIP ${what}`,
      status: 'SKIP',
      paint: 'yellow',
      event: { name: 'SkippingDetails', code: 'Q034' },
    };
  }
  if (isTest(node)) return testLine(node, status, failures);
  const event = EVENTS[node.resource_type]!;
  const [ok, wrong] = node.resource_type === 'seed' ? ['loaded', 'loading'] : ['created', 'creating'];
  switch (status) {
    case 'error':
    case 'fail':
      return { text: `ERROR ${wrong} ${describe(node)}`, status: 'ERROR', paint: 'red', event };
    case 'no-op':
      return { text: `OK unchanged ${describe(node)}`, status: 'unchanged', paint: 'green', event };
    case 'success':
    case 'pass':
    case 'warn':
      return { text: `OK ${ok} ${describe(node)}`, status: message ?? 'OK', paint: 'green', event };
  }
}

function testLine(node: GraphNode, status: NodeResult['status'], failures: number | null): NodeLine {
  const event = EVENTS['test']!;
  const name = displayName(node);
  const counted = (word: string) => (failures === null ? word : `${word} ${failures}`);
  switch (status) {
    case 'fail':
      return { text: `${counted('FAIL')} ${name}`, status: counted('FAIL'), paint: 'red', event };
    case 'warn':
      return { text: `${counted('WARN')} ${name}`, status: counted('WARN'), paint: 'yellow', event };
    case 'error':
      return { text: `ERROR ${name}`, status: 'ERROR', paint: 'red', event };
    case 'pass':
    case 'success':
    case 'no-op':
    case 'skipped':
      return { text: `PASS ${name}`, status: 'PASS', paint: 'green', event };
  }
}

const EVENTS: Record<string, { name: string; code: string }> = {
  model: { name: 'LogModelResult', code: 'Q012' },
  source: { name: 'LogModelResult', code: 'Q012' },
  seed: { name: 'LogSeedResult', code: 'Q016' },
  test: { name: 'LogTestResult', code: 'Q007' },
};

/** `sql view model dev.stg_orders`, `seed file dev.raw_orders`, `test not_null_a`, `unit_test orders::adds_up`. */
function describe(node: GraphNode): string {
  switch (node.resource_type) {
    case 'model':
      return `sql ${node.config.materialized} model ${displayName(node)}`;
    case 'seed':
      return `seed file ${displayName(node)}`;
    case 'source':
      return `source table ${displayName(node)}`;
    case 'test':
    case 'unit_test':
    case 'scenario':
    case 'sink':
      return `${node.resource_type} ${displayName(node)}`;
  }
}

/** Relations with their schema, tests by name, unit tests as `model::name`. */
export function displayName(node: GraphNode): string {
  switch (node.resource_type) {
    case 'model':
    case 'seed':
      return `${node.schema}.${node.alias}`;
    case 'source':
      return `${node.schema}.${node.identifier}`;
    case 'unit_test':
      return `${node.model}::${node.name}`;
    case 'test':
    case 'scenario':
    case 'sink':
      return node.name;
  }
}

export function isTest(node: GraphNode): boolean {
  return (
    node.resource_type === 'test' || node.resource_type === 'unit_test' || node.resource_type === 'scenario'
  );
}
