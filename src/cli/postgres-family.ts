import { segError } from '../diagnostics/seg-error.ts';
import type { Project } from '../project/load.ts';
import { dialectOf } from '../streaming/dialect-of.ts';

/** @throws SegError SEG929 when a command is for engines whose views seg maintains itself. @param because what the other engine does */
export function requirePostgresFamily(project: Project, command: string, because: string): void {
  const dialect = dialectOf(project.target);
  if (dialect === undefined) return;
  throw segError('SEG929', `"${command}" does not work on ${dialect.title}, which ${because}`, {
    hint: 'It works on targets of type pglite and postgres.',
  });
}
