/** Compiled SQL as the target's engine is to get it: written so that it means there what it means on PostgreSQL. */
import { ruledEngine, writtenFor } from '../dialects/lacks-of.ts';
import type { SourceMap } from '../diagnostics/source-map.ts';
import type { Rendered } from '../jinja/template-engine.ts';
import { columnTypes } from './column-types.ts';
import type { Manifest } from './manifest.ts';
import type { Target } from './profiles.ts';

/** Changes `compiled_code` of models and tests, and their maps. `loadSqlParser` must have been awaited. */
export function writeForEngine(
  manifest: Pick<Manifest, 'nodes' | 'sources'>,
  sourceMaps: Map<string, SourceMap>,
  target: Target,
): void {
  const engine = ruledEngine(target.type);
  if (engine === undefined) return;
  for (const [id, node] of Object.entries(manifest.nodes)) {
    const map = sourceMaps.get(id);
    if (node.resource_type === 'seed' || node.compiled_code === null || map === undefined) continue;
    const options = { maintained: true, columns: columnTypes(manifest, node) };
    const written = writtenFor(engine, { text: node.compiled_code, map }, options);
    node.compiled_code = written.text;
    sourceMaps.set(id, written.map);
  }
}

/** A query that is no node's own. */
export function queryForEngine<R extends Rendered>(query: R, target: Target): R {
  const engine = ruledEngine(target.type);
  return engine === undefined ? query : { ...query, ...writtenFor(engine, query, { maintained: true }) };
}
