import type { JsonValue } from '../../changelog/change.ts';
import { asList } from '../config.ts';
import type { ColumnInfo } from '../nodes.ts';
import { isObject } from '../project-file.ts';
import type { Property } from '../properties.ts';
import type { Workspace } from '../workspace.ts';
import type { YamlPath } from '../yaml.ts';
import { describe } from './descriptions.ts';
import { objectOrEmpty, textList, textOrNull } from './layers.ts';
import { pythonStr } from '../python-text.ts';
import { objectOf } from '../../json/member-order.ts';

/** The `columns:` of a YAML item, by name; a name that stands twice is SEG116. */
export function readColumns(
  workspace: Workspace,
  property: Property,
  columns: JsonValue | undefined,
  path: YamlPath,
): Record<string, ColumnInfo> {
  const found: [name: string, column: ColumnInfo][] = [];
  const firsts = new Map<string, number>();
  for (const [index, column] of asList(columns).entries()) {
    if (!isObject(column)) continue;
    const at: YamlPath = [...path, 'columns', index];
    const name = pythonStr(column.name);
    const first = firsts.get(name);
    if (first !== undefined) {
      workspace.collector.error('SEG116', `duplicate column "${name}"`, {
        at: property.at([...at, 'name']),
        notes: [{ message: 'First here.', at: property.at([...path, 'columns', first, 'name']) }],
        hint: 'Keep one of the two.',
      });
      continue;
    }
    firsts.set(name, index);
    const config = objectOrEmpty(column.config);
    const info: ColumnInfo = {
      name,
      description: describe(workspace, property, column.description, [...at, 'description']),
      data_type: textOrNull(column.data_type),
      meta: { ...objectOrEmpty(column.meta), ...objectOrEmpty(config.meta) },
      tags: [...new Set([...textList(column.tags), ...textList(config.tags)])],
      quote: typeof column.quote === 'boolean' ? column.quote : null,
      ...(typeof column.path === 'string' ? { path: column.path } : {}),
      ...(column.generated === 'position' || column.generated === 'received_at'
        ? { generated: column.generated }
        : {}),
      ...(typeof column.not_null === 'boolean' ? { not_null: column.not_null } : {}),
    };
    found.push([name, info]);
  }
  return objectOf(found);
}
