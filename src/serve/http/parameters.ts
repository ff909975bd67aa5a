/** The parameters of a request: each once, and none that would be ignored. */
import type { FastifyRequest } from 'fastify';
import { didYouMean } from '../../diagnostics/suggest.ts';
import { badRequest } from '../read-model.ts';

/** @throws SegError SEG826 for one that is not known, or is given twice */
export function parametersOf<Name extends string>(
  request: Pick<FastifyRequest, 'raw'>,
  known: readonly Name[],
): Partial<Record<Name, string>> {
  const found: Partial<Record<Name, string>> = {};
  for (const [text, value] of new URLSearchParams(request.raw.url!.split('?')[1] ?? '')) {
    const name = known.find((each) => each === text);
    if (name === undefined)
      throw badRequest(
        `unknown parameter "${text}"`,
        didYouMean(text, known) ?? `There are ${known.join(', ')}.`,
      );
    if (found[name] !== undefined) throw badRequest(`parameter "${name}" is given twice`, 'Give it once.');
    found[name] = value;
  }
  return found;
}
