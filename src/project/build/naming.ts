import type { JsonValue } from '../../changelog/change.ts';
import type { Location } from '../../diagnostics/diagnostic.ts';
import type { Package } from '../package.ts';
import type { JsonObject } from '../project-file.ts';
import { ConfigValue } from '../context/config-value.ts';
import { nodeContext } from '../context/node-context.ts';
import { toJson } from '../../jinja/to-json.ts';
import { fromHost } from '../../jinja/values.ts';
import { projectOverrides, varsOf } from '../workspace.ts';
import type { Workspace } from '../workspace.ts';
import { pythonStr } from '../python-text.ts';

/** PostgreSQL cuts longer names silently, so two models could become one. */
const maxNameBytes = 63;

/**
 * The schema and name of a node's relation: what the project's `generate_schema_name` / `generate_alias_name` /
 * `generate_database_name` say, else dbt's defaults (`<target.schema>` or `<target.schema>_<custom>`, the node's own name).
 */
export function relationNames(
  workspace: Workspace,
  owner: Package,
  node: { name: string; resource_type: string },
  config: JsonObject,
  at: Location,
): { database: string; schema: string; alias: string } {
  const { target } = workspace;
  const custom = text(config.schema);
  const generated = (macro: string, value: JsonValue): string | undefined => {
    if (!projectOverrides(workspace, macro)) return undefined;
    const current: JsonObject = { ...node, config };
    const globals = nodeContext({
      packageName: owner.name,
      vars: varsOf(workspace, owner.name),
      user: `macro "${macro}"`,
      execute: true,
      config: new ConfigValue(() => config),
      self: undefined,
      node: () => current,
      graph: () => ({}),
      ref: () => null,
      source: () => null,
      doc: () => undefined,
    });
    const called = workspace.jinja.callMacro(macro, [value, fromHost(current, new Map())], {}, globals);
    const result = toJson(called.value);
    return (typeof result === 'string' ? result : called.text).trim();
  };
  const schema =
    generated('generate_schema_name', custom) ??
    (custom === null ? target.schema : `${target.schema}_${custom.trim()}`);
  const alias =
    generated('generate_alias_name', text(config.alias)) ?? text(config.alias)?.trim() ?? node.name;
  const database =
    generated('generate_database_name', text(config.database)) ?? text(config.database) ?? target.database;
  for (const [kind, name] of [
    ['schema', schema],
    ['relation', alias],
  ] as const) {
    if (name === '') {
      workspace.collector.error('SEG120', `${node.resource_type} "${node.name}" has an empty ${kind} name`, {
        at,
      });
    } else if (kind === 'schema') checkLength(workspace, 'schema name', name, at);
    else if (node.resource_type !== 'test')
      checkLength(workspace, 'relation name', name, at, 'Give the node a shorter name, or a shorter "alias"');
  }
  return { database, schema, alias };
}

/** Refuses a name that PostgreSQL would cut. @param what `relation name` */
export function checkLength(
  workspace: Workspace,
  what: string,
  name: string,
  at: Location,
  advice = 'Choose a shorter name',
): void {
  if (Buffer.byteLength(name) <= maxNameBytes) return;
  workspace.collector.error('SEG120', `${what} "${name}" is longer than ${maxNameBytes} bytes`, {
    at,
    hint: `${advice}: PostgreSQL would cut it.`,
  });
}

function text(value: JsonValue | undefined): string | null {
  return value === undefined || value === null ? null : pythonStr(value);
}
