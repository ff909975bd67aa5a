/** Spans of time and fixed offsets from UTC, as Python's module `datetime` has them. */
import { float, isNumber, toNumber } from '../numbers.ts';
import type { Value } from '../template-engine.ts';
import { hostFunction, HostObject } from '../values.ts';

const DAY_MS = 86_400_000;
const two = (value: number) => String(value).padStart(2, '0');

export class PyTimezone extends HostObject {
  override readonly typeName = 'datetime.timezone object';
  readonly minutes: number;
  constructor(minutes: number) {
    super();
    this.minutes = minutes;
  }
  get(): undefined {
    return undefined;
  }
  override print(): string {
    if (this.minutes === 0) return 'UTC';
    return `UTC${offsetText(this.minutes)}`;
  }
  override equals(other: Value): boolean {
    return other instanceof PyTimezone && other.minutes === this.minutes;
  }
}

export const UTC = new PyTimezone(0);

export function offsetText(minutes: number): string {
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** A span of time in microseconds. */
export class PyTimedelta extends HostObject {
  override readonly typeName = 'datetime.timedelta object';
  readonly micros: number;
  constructor(micros: number) {
    super();
    this.micros = micros;
  }

  get days(): number {
    return Math.floor(this.micros / (DAY_MS * 1000));
  }

  get(name: string): Value {
    const rest = this.micros - this.days * DAY_MS * 1000;
    if (name === 'days') return this.days;
    if (name === 'seconds') return Math.floor(rest / 1e6);
    if (name === 'microseconds') return rest % 1e6;
    if (name === 'total_seconds') return hostFunction(() => float(this.micros / 1e6), name);
    return undefined;
  }

  override names(): string[] {
    return ['days', 'seconds', 'microseconds', 'total_seconds'];
  }

  override print(): string {
    const rest = this.micros - this.days * DAY_MS * 1000;
    const seconds = Math.floor(rest / 1e6);
    const micros = rest % 1e6;
    const days = this.days === 0 ? '' : `${this.days} day${Math.abs(this.days) === 1 ? '' : 's'}, `;
    const clock = `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
    return days + clock + (micros === 0 ? '' : `.${String(micros).padStart(6, '0')}`);
  }

  override operate(operator: string, other: Value, reversed: boolean): Value {
    if (other instanceof PyTimedelta) {
      if (operator === '+') return new PyTimedelta(this.micros + other.micros);
      if (operator === '-' && !reversed) return new PyTimedelta(this.micros - other.micros);
      if (operator === '/' && !reversed) return float(this.micros / other.micros);
      if (operator === '//' && !reversed) return Math.floor(this.micros / other.micros);
    } else if (isNumber(other)) {
      if (operator === '*') return new PyTimedelta(Math.round(this.micros * toNumber(other)));
      if (operator === '/' && !reversed) return new PyTimedelta(Math.round(this.micros / toNumber(other)));
    }
    return undefined;
  }

  override compareTo(other: Value): number | undefined {
    return other instanceof PyTimedelta ? this.micros - other.micros : undefined;
  }

  override equals(other: Value): boolean {
    return other instanceof PyTimedelta && other.micros === this.micros;
  }
}
