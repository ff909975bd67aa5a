/** The clock's program → PL/pgSQL: what differs from the programs of tables. */
import { FROM, TO } from '../plan/temporal.ts';
import { addedVariable, countVariable, removedVariable } from './program-data.ts';
import type { ClockStep, InputProgram, ProgramStep, TableEvent } from './program-data.ts';

/** Where the clock stood before and after it moved: declared, and read from the transition tables. */
export function instants(program: InputProgram, event: TableEvent): { declared: string; read: string } {
  if (!moves(program, event)) return { declared: '', read: '' };
  return {
    declared: `  ${FROM} timestamptz;\n  ${TO} timestamptz;\n`,
    read: `  SELECT "now" FROM _seg_old INTO ${FROM};\n  SELECT "now" FROM _seg_new INTO ${TO};\n`,
  };
}

/**
 * A step after a move of the clock.
 * @param refresh the step as a whole
 * @param into the variables that take a statement's answer
 */
export function emitMoved(step: ProgramStep, clock: ClockStep, into: string, refresh: string): string {
  const body =
    clock.statement === null
      ? refresh
      : `    IF ${clock.whole} THEN\n${refresh}\n    ELSE\n    ${clock.statement}\n    INTO ${into};\n    END IF;`;
  return `    IF ${[...changedBefore(step), clock.moved].join('\n      OR ')} THEN\n${body}\n    END IF;`;
}

/** Conditions: whether a step before this one, which it reads, changed anything. */
export function changedBefore({ after }: ProgramStep): string[] {
  return after.map((i) => `cardinality(${removedVariable(i)}) + cardinality(${addedVariable(i)}) > 0`);
}

/** The clock moves each second, and mostly changes nothing: such a step is not written down. */
export function notedWhenMoved(program: InputProgram, event: TableEvent, note: string): string {
  if (note === '' || !moves(program, event)) return note;
  const changed = program.steps.map((step, i) =>
    step.wanted ? `cardinality(${removedVariable(i)}) + cardinality(${addedVariable(i)})` : countVariable(i),
  );
  return `  IF _seg_whole OR ${changed.join(' + ')} > 0 THEN\n  ${note}  END IF;\n`;
}

function moves(program: InputProgram, event: TableEvent): boolean {
  return event === 'update' && program.steps.some(({ clock }) => clock !== undefined);
}
