import { join, relative } from 'node:path';
import type { CommandHandler } from '../command-definition.ts';
import { foundLine } from '../report/found-line.ts';
import { checked } from '../check-project.ts';
import { openProject } from '../open-project.ts';

/** `seg parse`: loads, compiles and checks the project and writes target/manifest.json. */
export const parse: CommandHandler = async (context) => {
  const started = performance.now();
  const project = await checked(await openProject(context));
  context.log.info(foundLine(project.manifest), { name: 'FoundStats', code: 'W006' });
  const seconds = ((performance.now() - started) / 1000).toFixed(2);
  const manifest = relative(context.cwd, join(project.targetPath, 'manifest.json'));
  const written = context.flags.boolean('write-json') ? `; wrote ${manifest}` : '';
  context.log.info(`Loaded the project in ${seconds} seconds${written}`, {
    name: 'ParsePerfInfoPath',
    code: 'I010',
  });
  return 0;
};
