/** A small manifest for the tests of this folder: a -> b -> c, a -> d, source s.t -> a, tests on them. Not shipped code. */
import type { Manifest } from '../project/manifest.ts';

type Json = Record<string, unknown>;

export function node(kind: string, name: string, parents: string[], more: Json = {}): Json {
  const file = (more['original_file_path'] as string | undefined) ?? `models/${name}.sql`;
  return {
    resource_type: kind,
    unique_id: `${kind}.shop.${name}`,
    name,
    package_name: 'shop',
    original_file_path: file,
    path: file.replace(/^[^/]+\//, ''),
    fqn: ['shop', ...file.split('/').slice(1, -1), name],
    tags: [],
    config: { enabled: true, tags: [], meta: {} },
    unrendered_config: {},
    patch_path: null,
    checksum: { name: 'sha256', checksum: `sum of ${name}` },
    depends_on: { nodes: parents, macros: [] },
    columns: {},
    ...more,
  };
}

export function manifestOf(nodes: Json[], more: Json = {}): Manifest {
  const section = (...kinds: string[]) =>
    Object.fromEntries(
      nodes
        .filter((item) => kinds.includes(item['resource_type'] as string))
        .map((item) => [item['unique_id'] as string, item]),
    );
  return {
    metadata: { project_name: 'shop' },
    nodes: section('model', 'seed', 'test'),
    sources: section('source'),
    unit_tests: section('unit_test'),
    scenarios: section('scenario'),
    exposures: section('exposure'),
    macros: {},
    ...more,
  } as unknown as Manifest;
}

export const shop = manifestOf([
  node('source', 't', [], {
    unique_id: 'source.shop.s.t',
    source_name: 's',
    fqn: ['shop', 'staging', 's', 't'],
    original_file_path: 'models/staging/sources.yml',
  }),
  node('seed', 'prices', [], { original_file_path: 'seeds/prices.csv', fqn: ['shop', 'prices'] }),
  node('model', 'a', ['source.shop.s.t'], {
    original_file_path: 'models/staging/a.sql',
    patch_path: 'shop://models/staging/schema.yml',
    tags: ['nightly', 'base'],
    config: { materialized: 'view', meta: { owner: 'ann', tier: 1 }, tags: ['nightly', 'base'] },
  }),
  node('model', 'b', ['model.shop.a', 'seed.shop.prices'], {
    original_file_path: 'models/marts/b.sql',
    tags: ['nightly'],
    config: { materialized: 'materialized_view', changelog: true },
    unrendered_config: { materialized: 'incremental' },
  }),
  node('model', 'c', ['model.shop.b'], { original_file_path: 'models/marts/core/c.sql' }),
  node('model', 'd', ['model.shop.a'], { original_file_path: 'models/marts/d.sql' }),
  node('test', 'not_null_a_id', ['model.shop.a'], {
    test_metadata: { name: 'not_null', namespace: null, kwargs: {} },
    original_file_path: 'models/staging/schema.yml',
    config: { severity: 'WARN' },
  }),
  node('test', 'relationships_c_a', ['model.shop.c', 'model.shop.a'], {
    test_metadata: { name: 'relationships', namespace: null, kwargs: {} },
    original_file_path: 'models/marts/schema.yml',
  }),
  node('test', 'no_free_lunch', ['model.shop.d'], { original_file_path: 'tests/no_free_lunch.sql' }),
  node('unit_test', 'b_adds_up', ['model.shop.b'], { original_file_path: 'models/marts/unit.yml' }),
  node('scenario', 'a_day', ['model.shop.c'], { original_file_path: 'tests/a_day.yml' }),
  node('exposure', 'board', ['model.shop.c'], { original_file_path: 'models/exposures.yml' }),
]);
