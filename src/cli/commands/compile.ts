import type { CommandHandler } from '../command-definition.ts';
import { writeCompiled } from '../artifacts.ts';
import { checked } from '../check-project.ts';
import { openProject } from '../open-project.ts';
import { foundLine } from '../report/found-line.ts';
import { selectGraphNodes } from '../selection.ts';

/**
 * `seg compile`: writes the compiled SQL of the selected nodes to target/compiled, and prints it when a selection or
 * `--inline` was given; with `--engine`, says what engines lack of it.
 */
export const compile: CommandHandler = async (context) => {
  const { flags, log } = context;
  if (flags.given('engine')) {
    const { compileForEngines } = await import('./compile-engines.ts');
    return compileForEngines(context);
  }
  const project = await openProject(context);
  const json = flags.string('output') === 'json';
  const inline = flags.string('inline');
  if (inline !== undefined) {
    context.sources.use(project.root, new Map([...project.files, ['<inline>', inline]]));
    const { text } = project.renderInline(inline, '<inline>');
    if (!json) log.info('Compiled inline node is:', { name: 'CompiledNode', code: 'Q042' });
    await context.writeOut(json ? `${JSON.stringify({ compiled: text }, null, 2)}\n` : `${text}\n`);
    return 0;
  }
  await checked(project);
  log.info(foundLine(project.manifest), { name: 'FoundStats', code: 'W006' });
  const nodes = selectGraphNodes(context, project, ['model', 'test']);
  writeCompiled(project, nodes);
  if (flags.list('select').length === 0 && !flags.given('selector')) {
    log.info(`Wrote compiled SQL of ${nodes.length} nodes`);
    return 0;
  }
  // Tests that join a selection are compiled too, but only what was asked for is printed.
  const shown = selectGraphNodes(context, project, ['model', 'test'], { indirectSelection: 'empty' });
  for (const node of shown) {
    if (!('compiled_code' in node) || node.compiled_code === null) continue;
    if (json) {
      await context.writeOut(
        `${JSON.stringify({ node: node.name, compiled: node.compiled_code }, null, 2)}\n`,
      );
      continue;
    }
    log.info(`Compiled node '${node.name}' is:`, { name: 'CompiledNode', code: 'Q042' });
    await context.writeOut(`${node.compiled_code.trimEnd()}\n`);
  }
  return 0;
};
