/** What a step of a program runs. */

/** A variable of the program: several triggers share this SQL statement, so groups that may be read again all are. */
export const AGAIN = '_seg_again';

export interface StepStatement {
  /** A statement whose answer is the change: arrays of rows, or how many rows (apply.ts). null: `quick` always does. */
  readonly general: string | null;
  /**
   * Does the same in one pass and answers nothing, so that its size is the number of rows it wrote. Only where no later step and
   * no feed reads the change, and, where there is a general form, only while no group must be read again.
   */
  readonly quick: string | null;
}

export function answering(general: string): StepStatement {
  return { general, quick: null };
}

export function statementText({ general, quick }: StepStatement): string {
  return [general, quick].filter((text) => text !== null).join('\n');
}

/** @param into the variables that take the answer; of a quick statement the first, a number */
export function runStatement({ general, quick }: StepStatement, into: string): string {
  const answered = `    ${general ?? ''}\n    INTO ${into};`;
  if (quick === null) return answered;
  const counted = `    ${quick};\n    GET DIAGNOSTICS ${into} = ROW_COUNT;`;
  if (general === null) return counted;
  return `    IF ${AGAIN} THEN\n${answered}\n    ELSE\n${counted}\n    END IF;`;
}
