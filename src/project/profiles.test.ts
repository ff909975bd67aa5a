import { expect, it } from 'vitest';
import { loadFiles, withProject } from './fixture.ts';
import { loadProject } from './load.ts';

const profiles = {
  'profiles.yml': `shop:
  target: "{{ env_var('STAGE', 'dev') }}"
  outputs:
    dev: {type: pglite, path: "{{ env_var('SEG_DATA', '.seg/data') }}", schema: dev, threads: 2}
    prod:
      type: postgres
      host: db
      user: me
      password: "{{ env_var('DBT_ENV_SECRET_PASSWORD') }}"
      port: "{{ env_var('PORT', '5432') | as_number }}"
      dbname: shop
      schema: prod
`,
  'models/a.sql':
    "select '{{ target.name }} {{ target.type }} {{ target.schema }} {{ target.threads }}' as t",
};

it('the target: flag, then variable, then the file', async () => {
  const dev = await loadFiles(profiles);
  expect(dev.target).toMatchObject({
    name: 'dev',
    type: 'pglite',
    schema: 'dev',
    threads: 2,
    database: 'postgres',
  });
  expect(dev.target.fields.path).toBe('.seg/data');
  const env = { SEG_TARGET: 'prod', DBT_ENV_SECRET_PASSWORD: 'hush' };
  const { target } = await loadFiles({ ...profiles, 'models/a.sql': 'select 1' }, { env, threads: 7 });
  expect(target).toMatchObject({
    name: 'prod',
    database: 'shop',
    threads: 7,
    fields: { port: 5432, password: 'hush' },
  });
  expect((await loadFiles(profiles, { env, target: 'dev' })).target.name).toBe('dev');
});

it('secrets never reach a template', async () => {
  const env = { SEG_TARGET: 'prod', DBT_ENV_SECRET_PASSWORD: 'hush' };
  const asks = { ...profiles, 'models/a.sql': "select '{{ target.password }}' as t" };
  await expect(loadFiles(asks, { env })).rejects.toThrow(/password/);
});

it('the file: flag, then variable, then the project, then ~/.dbt', async () => {
  const other = 'shop: {outputs: {default: {type: pglite, schema: other}}}';
  const home = 'shop: {outputs: {default: {type: pglite, schema: home}}}';
  const files = { 'conf/profiles.yml': other, 'me/.dbt/profiles.yml': home };
  await withProject(files, async (folder) => {
    const load = async (options: object) =>
      (await loadProject({ projectDir: folder, ...options })).target.schema;
    expect(await load({ profilesDir: `${folder}/conf` })).toBe('other');
    expect(await load({ env: { DBT_PROFILES_DIR: `${folder}/conf` } })).toBe('other');
    expect(await load({ env: { HOME: `${folder}/me` } })).toBe('app');
  });
  await withProject({ ...files, 'profiles.yml': null }, async (folder) => {
    const project = await loadProject({ projectDir: folder, env: { HOME: `${folder}/me` } });
    expect(project.target.schema).toBe('home');
  });
});

it('files that are ignored are not read', async () => {
  const project = await loadFiles({
    '.segignore': 'models/draft/\n*.bak.sql\n',
    'models/draft/x.sql': '{% broken',
    'models/y.bak.sql': '{% broken',
    'models/a.sql': 'select 1 as x',
  });
  expect(Object.keys(project.manifest.nodes)).toEqual(['model.shop.a']);
});
