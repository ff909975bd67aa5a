import type { Value } from '../jinja/template-engine.ts';
import { HostObject, hostFunction } from '../jinja/values.ts';
import { quoteIdentifier } from '../sql/quote.ts';

/** What `ref()`, `source()` and `this` give: printed, it is the relation's quoted name; dbt's attributes work on it. */
export class RelationValue extends HostObject {
  override readonly typeName = 'Relation';
  readonly database: string;
  readonly schema: string;
  readonly identifier: string;
  /** `view`, `table`, `cte` ... as dbt names it; null when not known. */
  readonly type: string | null;
  readonly #shown: { readonly schema: boolean; readonly identifier: boolean };
  /** Stands in for the name: an ephemeral model's CTE, a unit test's fixture. */
  readonly #printed: string | undefined;

  constructor(parts: {
    database: string;
    schema: string;
    identifier: string;
    type?: string | null;
    shown?: { readonly schema: boolean; readonly identifier: boolean };
    printed?: string;
  }) {
    super();
    this.database = parts.database;
    this.schema = parts.schema;
    this.identifier = parts.identifier;
    this.type = parts.type ?? null;
    this.#shown = parts.shown ?? { schema: true, identifier: true };
    this.#printed = parts.printed;
  }

  override print(): string {
    if (this.#printed !== undefined) return this.#printed;
    const parts = [this.#shown.schema ? this.schema : '', this.#shown.identifier ? this.identifier : ''];
    return parts
      .filter((part) => part !== '')
      .map(quoteIdentifier)
      .join('.');
  }

  override equals(other: Value): boolean {
    return other instanceof RelationValue && other.print() === this.print();
  }

  override names(): string[] {
    return [
      'database',
      'schema',
      'identifier',
      'name',
      'table',
      'alias',
      'type',
      'include',
      'quote',
      'render',
    ];
  }

  override get(name: string): Value {
    switch (name) {
      case 'database':
        return this.database;
      case 'schema':
        return this.schema;
      case 'identifier':
      case 'name':
      case 'table':
      case 'alias':
        return this.identifier;
      case 'type':
        return this.type;
      case 'is_view':
        return this.type === 'view';
      case 'is_table':
        return this.type === 'table';
      case 'is_cte':
        return this.type === 'cte';
      case 'is_materialized_view':
        return this.type === 'materialized_view';
      case 'include':
        // The database is never printed: PostgreSQL knows no query across databases.
        return hostFunction(
          ({ kwargs }) =>
            this.#with({
              schema: kwargs.has('schema') ? Boolean(kwargs.get('schema')) : this.#shown.schema,
              identifier: kwargs.has('identifier')
                ? Boolean(kwargs.get('identifier'))
                : this.#shown.identifier,
            }),
          'include',
        );
      case 'without_identifier':
        return hostFunction(() => this.#with({ ...this.#shown, identifier: false }), name);
      case 'quote':
      case 'incorporate':
        return hostFunction(() => this, name);
      case 'render':
        return hostFunction(() => this.print(), name);
      default:
        return undefined;
    }
  }

  #with(shown: { schema: boolean; identifier: boolean }): RelationValue {
    return new RelationValue({
      database: this.database,
      schema: this.schema,
      identifier: this.identifier,
      type: this.type,
      shown,
      printed: this.#printed,
    });
  }
}
