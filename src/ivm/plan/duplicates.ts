/** Where duplicates are taken out anyway. */
import type { Op } from '../relation/ir.ts';
import { ownWork } from './classify.ts';

/** Below a UNION that takes duplicates out, nothing else need do so. */
export function withDuplicates(op: Op): Op {
  if (op.kind === 'distinct') return op.child;
  if (op.kind === 'project' || op.kind === 'filter')
    return { ...op, child: ownWork(op) === 'linear' ? withDuplicates(op.child) : op.child };
  if (op.kind === 'set' && op.operation === 'union')
    return { ...op, all: true, left: withDuplicates(op.left), right: withDuplicates(op.right) };
  return op;
}
