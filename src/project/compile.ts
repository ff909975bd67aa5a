import type { JsonValue } from '../changelog/change.ts';
import type { Location } from '../diagnostics/diagnostic.ts';
import { segError, SegError } from '../diagnostics/seg-error.ts';
import type { SourceMap } from '../diagnostics/source-map.ts';
import type { Rendered, Value } from '../jinja/template-engine.ts';
import { toJson } from '../jinja/to-json.ts';
import { atYaml } from './build/generic-tests.ts';
import { readRef, readSource, renderTemplate } from './build/sql-draft.ts';
import type { RefCall, SourceCall, SqlDraft, Template } from './build/sql-draft.ts';
import { ConfigValue } from './context/config-value.ts';
import { nodeContext } from './context/node-context.ts';
import type { Env } from './environment-variables.ts';
import { joinMapped, sliceMapped } from '../jinja/mapped-text.ts';
import type { ModelNode, RelationNode, SeedNode, SourceNode } from './nodes.ts';
import type { JsonObject } from './project-file.ts';
import { RelationValue } from './relation-value.ts';
import type { Lookup } from './resolve.ts';
import { readSelect } from './select-statement.ts';
import { varsOf } from './workspace.ts';
import type { Workspace } from './workspace.ts';

/** What a render puts in the place of what the project says; unit tests and scenarios use it. */
export interface RenderOverrides {
  /** By model (or seed) name: SQL that stands for the relation, such as a quoted name or a bracketed query. */
  readonly refs?: Readonly<Record<string, string>>;
  /** By `source.table`. */
  readonly sources?: Readonly<Record<string, string>>;
  readonly this?: string;
  readonly vars?: Readonly<Record<string, JsonValue>>;
  /** By macro name (`is_incremental`, `dbt.now` or `now`): the value a call gives. */
  readonly macros?: Readonly<Record<string, JsonValue>>;
  readonly envVars?: Readonly<Record<string, JsonValue>>;
}

export interface InlineResult extends Rendered {
  readonly dependsOn: string[];
}

/** A query and the ephemeral models it reads, which come before it as common table expressions. */
interface Body {
  readonly select: ReturnType<typeof readSelect>;
  /** unique_ids of ephemeral models, each after those it reads itself. */
  readonly ephemeral: readonly string[];
  readonly macros: readonly string[];
}

/** Makes final SQL of drafts whose references are resolved. */
export class Compiler {
  readonly #workspace: Workspace;
  readonly #lookup: Lookup;
  readonly #drafts: ReadonlyMap<string, SqlDraft>;
  readonly #graph: () => JsonObject;
  readonly #bodies = new Map<string, Body>();

  constructor(
    workspace: Workspace,
    lookup: Lookup,
    drafts: ReadonlyMap<string, SqlDraft>,
    graph: () => JsonObject,
  ) {
    this.#workspace = workspace;
    this.#lookup = lookup;
    this.#drafts = drafts;
    this.#graph = graph;
  }

  /**
   * Compiles nodes in the given order (ephemeral parents first): sets `compiled_code` and adds the macros the final render
   * used. Mistakes go to the workspace's collector. Returns the source map of each compiled text.
   */
  compileAll(order: readonly string[]): Map<string, SourceMap> {
    const maps = new Map<string, SourceMap>();
    for (const id of order) {
      const draft = this.#drafts.get(id);
      if (draft === undefined) continue;
      this.#workspace.collector.attempt(() => {
        const body = this.#body(draft, {});
        const compiled = this.#inject(body, {});
        const { node } = draft;
        node.compiled = true;
        node.compiled_code = compiled.text;
        node.depends_on.macros = [...new Set([...node.depends_on.macros, ...body.macros])].sort();
        maps.set(id, compiled.map);
      });
    }
    return maps;
  }

  /** Renders one node anew with overrides. Throws SegError. */
  renderNode(id: string, overrides: RenderOverrides): Rendered {
    const draft = this.#drafts.get(id);
    if (draft === undefined) throw new Error(`invariant: no template of ${id}`);
    return this.#inject(this.#body(draft, overrides), overrides);
  }

  /**
   * Renders SQL that is no node's own, in the root project's context.
   * @param about the node a hook belongs to: `this` and `model` stand for it
   */
  renderInline(sql: string, file: string, about?: RelationNode): InlineResult {
    const workspace = this.#workspace;
    const dependsOn = new Set<string>();
    const ephemeral: string[] = [];
    const template: Template = {
      owner: workspace.rootPackage,
      file,
      layers: [],
      text: sql,
      user: file,
      node: () => (about ?? {}) as unknown as JsonObject,
    };
    const user = `query "${file}"`;
    const { rendered } = renderTemplate(workspace, template, {
      execute: true,
      self: about === undefined ? undefined : relationOf(about),
      graph: this.#graph,
      ref: (call) => {
        const found = this.#find(call, template.owner.name, user);
        dependsOn.add(found.unique_id);
        return this.#relation(found, ephemeral);
      },
      source: (call) => {
        const found = this.#findSource(call, template.owner.name, user);
        dependsOn.add(found.unique_id);
        return relationOf(found);
      },
    });
    if (ephemeral.length === 0) return { ...rendered, dependsOn: [...dependsOn] };
    const select = readSelect(rendered, user, { file, line: 1, column: 1 }, workspace.target.type);
    const text = this.#inject({ select, ephemeral: this.#closure(ephemeral, {}), macros: [] }, {});
    return { ...text, dependsOn: [...dependsOn] };
  }

  /** Calls a macro in the root project's context. Throws SegError, SEG224 for an unknown macro. */
  callMacro(name: string, args: Readonly<Record<string, JsonValue>>): { text: string; value: JsonValue } {
    const { packageName, globals } = this.#operationContext(name);
    const known = name.includes('.') ? name : `${packageName}.${name}`;
    const { jinja, invocation } = this.#workspace;
    invocation.phase.execute = true;
    const { text, value } = jinja.callMacro(jinja.hasMacro(known) ? known : name, [], args, globals);
    return { text, value: toJson(value) };
  }

  #operationContext(name: string): { packageName: string; globals: Record<string, Value> } {
    const { rootPackage } = this.#workspace;
    const user = `macro "${name}"`;
    const globals = nodeContext({
      packageName: rootPackage.name,
      vars: varsOf(this.#workspace, rootPackage.name),
      user,
      execute: true,
      config: new ConfigValue(() => ({})),
      self: undefined,
      node: () => ({}),
      graph: this.#graph,
      ref: (call) => relationOf(this.#find(readRef(call), rootPackage.name, user)),
      source: (call) => relationOf(this.#findSource(readSource(call), rootPackage.name, user)),
      doc: (block) => this.#workspace.docs.get(block)?.text,
    });
    return { packageName: rootPackage.name, globals };
  }

  #body(draft: SqlDraft, overrides: RenderOverrides): Body {
    const plain = Object.keys(overrides).length === 0;
    const known = plain ? this.#bodies.get(draft.node.unique_id) : undefined;
    if (known !== undefined) return known;
    const body = this.#render(draft, overrides);
    if (plain) this.#bodies.set(draft.node.unique_id, body);
    return body;
  }

  #render(draft: SqlDraft, overrides: RenderOverrides): Body {
    const { node, owner } = draft;
    const workspace = this.#workspace;
    const user = `${node.resource_type} "${node.name}"`;
    const ephemeral: string[] = [];
    const self = new RelationValue({
      database: node.database,
      schema: node.schema,
      identifier: node.alias,
      type: node.resource_type === 'model' ? node.config.materialized : 'test',
      ...(overrides.this === undefined ? {} : { printed: overrides.this }),
    });
    const template: Template = {
      ...draft,
      text: node.raw_code,
      user,
      known: draft.config,
      node: () => ({ ...node, config: draft.config.values }) as unknown as JsonObject,
    };
    const vars = varsOf(workspace, owner.name);
    const env =
      overrides.envVars === undefined ? undefined : textEnv(workspace.invocation.env, overrides.envVars);
    const { rendered, macros } = atYaml(draft.arguments === undefined ? '' : draft.file, node.at, () =>
      renderTemplate(workspace, template, {
        execute: true,
        self,
        graph: this.#graph,
        ...(overrides.vars === undefined ? {} : { vars: vars.with(overrides.vars) }),
        ...(env === undefined ? {} : { env }),
        ...(overrides.macros === undefined ? {} : { macros: overrides.macros }),
        ref: (call) => {
          const found = this.#find(call, owner.name, user);
          this.#mustDepend(node.depends_on.nodes, found.unique_id, call.at, `ref('${call.name}')`, user);
          const replaced = overrides.refs?.[found.name];
          if (replaced !== undefined) return relationOf(found, replaced);
          return this.#relation(found, ephemeral);
        },
        source: (call) => {
          const found = this.#findSource(call, owner.name, user);
          const shown = `source('${call.source}', '${call.table}')`;
          this.#mustDepend(node.depends_on.nodes, found.unique_id, call.at, shown, user);
          return relationOf(found, overrides.sources?.[`${found.source_name}.${found.name}`]);
        },
      }),
    );
    const select = readSelect(rendered, user, node.at, workspace.target.type);
    return { select, ephemeral: this.#closure(ephemeral, overrides), macros };
  }

  /** What `ref` gives: the relation, or the name of the CTE an ephemeral model becomes. */
  #relation(found: ModelNode | SeedNode, ephemeral: string[]): Value {
    if (found.resource_type !== 'model' || found.config.materialized !== 'ephemeral')
      return relationOf(found);
    if (!ephemeral.includes(found.unique_id)) ephemeral.push(found.unique_id);
    return relationOf(found, `__dbt__cte__${found.name}`, 'cte');
  }

  /** Ephemeral models with those they read, each after what it needs. */
  #closure(direct: readonly string[], overrides: RenderOverrides): string[] {
    const ordered: string[] = [];
    for (const id of direct) {
      const { ephemeral } = this.#body(this.#drafts.get(id)!, overrides);
      for (const inner of [...ephemeral, id]) if (!ordered.includes(inner)) ordered.push(inner);
    }
    return ordered;
  }

  /** Puts ephemeral models before a query: into its own WITH when it has one. */
  #inject(body: Body, overrides: RenderOverrides): Rendered {
    const { rendered, insert } = body.select;
    if (body.ephemeral.length === 0) return rendered;
    const parts: (string | Rendered)[] = [];
    for (const [index, id] of body.ephemeral.entries()) {
      const draft = this.#drafts.get(id)!;
      parts.push(`${index > 0 ? ', ' : ''} __dbt__cte__${draft.node.name} as (\n`);
      parts.push(this.#body(draft, overrides).select.rendered, '\n)');
    }
    const before = sliceMapped(rendered, 0, insert.offset);
    const after = sliceMapped(rendered, insert.offset, rendered.text.length);
    return insert.hasWith
      ? joinMapped([before, ...parts, ',', after])
      : joinMapped([before, insert.offset > 0 ? '\nwith' : 'with', ...parts, '\n', after]);
  }

  #find(call: RefCall, from: string, user: string): ModelNode | SeedNode {
    const found = this.#lookup.ref(call, from);
    if (found !== undefined && 'node' in found) return found.node;
    throw new SegError(this.#lookup.refMistake(call, from, user));
  }

  #findSource(call: SourceCall, from: string, user: string): SourceNode {
    const found = this.#lookup.source(call, from);
    if (found !== undefined && 'node' in found) return found.node;
    throw new SegError(this.#lookup.sourceMistake(call, from, user));
  }

  /** A reference that only shows when `execute` is true was not there when the graph was made. */
  #mustDepend(known: readonly string[], id: string, at: Location, shown: string, user: string): void {
    if (known.includes(id)) return;
    throw segError('SEG307', `${shown} of ${user} was not found when the graph was made`, {
      at,
      hint: `It stands where only the final render comes. Name it in a comment too: -- depends_on: {{ ${shown} }}`,
    });
  }
}

function relationOf(node: ModelNode | SeedNode | SourceNode, printed?: string, type?: string): RelationValue {
  return new RelationValue({
    database: node.database,
    schema: node.schema,
    identifier: node.alias,
    type: type ?? (node.resource_type === 'model' ? node.config.materialized : 'table'),
    ...(printed === undefined ? {} : { printed }),
  });
}

function textEnv(env: Env, overrides: Readonly<Record<string, JsonValue>>): Env {
  const texts = Object.entries(overrides).map(([key, value]) => [
    key,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  return { ...env, ...(Object.fromEntries(texts) as Record<string, string>) };
}
