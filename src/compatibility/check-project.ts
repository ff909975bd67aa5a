/** Every model and stored test of a project against what an engine is known to lack: no connection is needed. */
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { SegError } from '../diagnostics/seg-error.ts';
import { placeFor } from '../diagnostics/source-map.ts';
import type { Project } from '../project/load.ts';
import type { GraphNode } from '../project/nodes.ts';
import { SqlSyntaxError, parseStatements } from '../sql/parse.ts';
import { sinkNodes } from '../streaming/connectors/sink-nodes.ts';
import { sourceNodes } from '../streaming/connectors/source-nodes.ts';
import { desiredNode, isStreamed } from '../streaming/desired-node.ts';
import { dialectOf } from '../streaming/dialect-of.ts';
import { storesFailures } from '../deploy/spec.ts';
import { lacksOf, ruledEngine } from '../dialects/lacks-of.ts';
import type { Effect } from '../dialects/rule.ts';
import { columnTypes } from '../project/column-types.ts';

const words: Readonly<Record<Effect, string>> = {
  refused: 'has not ',
  value: 'answers otherwise: ',
  some: 'answers otherwise for some values: ',
  text: 'writes otherwise: ',
};

/** An answer that is another one only for some values, or only as text, is the user's to weigh. */
const kinds: Readonly<Record<Effect, readonly [Diagnostic['severity'], Diagnostic['code']]>> = {
  refused: ['error', 'SEG433'],
  value: ['error', 'SEG441'],
  some: ['warning', 'SEG442'],
  text: ['warning', 'SEG442'],
};

/** What an engine's project is checked for. The project must have been loaded for a target of that engine. */
export function checkProject(project: Project, nodes: readonly GraphNode[]): Diagnostic[] {
  const found = nodes.flatMap((node) => [...declared(project, node), ...checkQuery(project, node)]);
  // One place of a template may stand at several of the SQL.
  const known = new Map(found.map((diagnostic) => [JSON.stringify(diagnostic), diagnostic]));
  return [...known.values()];
}

/** Types of columns that the engine has not. */
function declared(project: Project, node: GraphNode): readonly Diagnostic[] {
  const dialect = dialectOf(project.target);
  if (dialect === undefined || !isStreamed(node) || node.resource_type === 'seed') return [];
  try {
    if (node.resource_type === 'source') sourceNodes(project, dialect, node, true);
    else if (node.resource_type === 'model' && node.config.materialized === 'sink')
      sinkNodes(project, dialect, node, true);
    else desiredNode(project, dialect, node);
    return [];
  } catch (error) {
    if (!(error instanceof SegError)) throw error;
    return error.diagnostics;
  }
}

/** What the target's engine is known to refuse, or to answer otherwise, of a model's or test's query. */
export function checkQuery(project: Project, node: GraphNode): Diagnostic[] {
  if (node.resource_type !== 'model' && node.resource_type !== 'test') return [];
  const query = (node.compiled_code ?? '').replace(/[\s;]+$/, '');
  const { type } = project.target;
  const label = `${node.resource_type} "${node.name}"`;
  const map = project.sourceMaps.get(node.unique_id) ?? null;
  try {
    const engine = ruledEngine(type);
    if (engine === undefined) {
      parseStatements(query);
      return [];
    }
    const maintained = node.resource_type === 'model' || storesFailures(node);
    const options = { maintained, columns: columnTypes(project.manifest, node) };
    return lacksOf(engine, query, options).map(({ effect, what, remedy, offset }): Diagnostic => {
      const { at, notes } = placeFor(map, offset, 1, node.at);
      const told = `${dialectOf(project.target)!.title} ${words[effect]}${what}`;
      const [severity, code] = kinds[effect];
      return { severity, code, message: `${label}: ${told}`, at, notes, hint: remedy };
    });
  } catch (error) {
    if (!(error instanceof SqlSyntaxError)) throw error;
    const { at, notes } = placeFor(map, error.offset, error.length, node.at);
    const own = type === 'risingwave' || type === 'materialize';
    return [
      {
        // The streaming engines have words of their own, which this parser does not know.
        severity: own ? 'warning' : 'error',
        code: 'SEG434',
        message: own
          ? `${label} is not checked: it is not written in PostgreSQL's grammar (${error.message})`
          : `${label}: ${error.message}`,
        at,
        notes,
        hint: own
          ? `${dialectOf(project.target)!.title} itself will say whether it takes it.`
          : 'Write it for this engine in a macro that is dispatched by engine.',
      },
    ];
  }
}
