import { segError } from '../../diagnostics/seg-error.ts';
import type { Shape } from '../shape.ts';
import type { Sink } from '../sink.ts';

/**
 * A CRM finds its records by one field; it must be what identifies ours.
 * @throws SegError SEG730
 */
export function requireKey(sink: Sink, shape: Shape, field: string, setting: string): void {
  if (shape.key.length === 1 && shape.key[0] === field) return;
  throw segError(
    'SEG730',
    `records of sink "${sink.name}" are not identified by its ${setting}, "${field}"`,
    {
      at: sink.node.at,
      hint: `Put the key of the model into the field: mapping: {${field}: ...}, primary_key: ${field}.`,
    },
  );
}
