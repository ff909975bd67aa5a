import type { Value } from './template-engine.ts';

/** Thrown by dbt's `return(value)`; the macro around it catches it. Not an Error: it needs no stack trace. */
export class ReturnSignal {
  readonly value: Value;
  constructor(value: Value) {
    this.value = value;
  }
}
