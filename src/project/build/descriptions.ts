import type { JsonValue } from '../../changelog/change.ts';
import { segError } from '../../diagnostics/seg-error.ts';
import { didYouMean } from '../../diagnostics/suggest.ts';
import { hostFunction } from '../../jinja/values.ts';
import { baseContext } from '../context/base-context.ts';
import { toJson } from '../../jinja/to-json.ts';
import type { Property } from '../properties.ts';
import { isTemplate } from '../render-tree.ts';
import { varsOf } from '../workspace.ts';
import type { Workspace } from '../workspace.ts';
import type { YamlPath } from '../yaml.ts';

/** A description with its `{{ doc('name') }}` filled in. Unknown blocks are SEG238 at the description. */
export function describe(
  workspace: Workspace,
  property: Property,
  description: JsonValue | undefined,
  path: YamlPath,
): string {
  if (typeof description !== 'string') return '';
  if (!isTemplate(description)) return description;
  const { owner, file } = property;
  const at = property.at(path);
  const doc = hostFunction((call) => {
    const words = call.args.map(toJson).filter((word) => typeof word === 'string');
    const name = words.at(-1) ?? '';
    const [found] = [words.length > 1 ? `${words[0]}.${name}` : `${owner.name}.${name}`, name]
      .map((key) => workspace.docs.get(key))
      .filter((block) => block !== undefined);
    if (found !== undefined) return found.text;
    throw segError('SEG238', `unknown docs block "${name}"`, {
      at,
      hint:
        didYouMean(name, workspace.docs.keys()) ??
        'Define it in a .md file: {% docs name %} ... {% enddocs %}.',
    });
  }, 'doc');
  const globals = baseContext(workspace.invocation, {
    vars: varsOf(workspace, owner.name),
    user: file,
    target: workspace.target,
    projectName: owner.name,
  });
  const rendered = workspace.collector.attempt(() =>
    toJson(workspace.jinja.renderNative(file, description, { ...globals, doc }, at)),
  );
  return typeof rendered === 'string' ? rendered : JSON.stringify(rendered ?? '');
}
