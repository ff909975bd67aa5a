/** The parameters of a route: declared once, for its schema and for reading them; each is given once, and none is ignored. */
import type { FastifyRequest } from 'fastify';
import { didYouMean } from '../../diagnostics/suggest.ts';
import { badRequest } from '../read-model.ts';

/** As JSON Schema has it. */
export interface Parameter {
  readonly type: 'string' | 'integer' | 'number' | 'boolean';
  readonly description: string;
  readonly format?: 'date-time';
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: number | boolean;
}

type Value<P extends Parameter> = P['type'] extends 'string'
  ? string
  : P['type'] extends 'boolean'
    ? boolean
    : number;

type Values<P extends Readonly<Record<string, Parameter>>> = { [Name in keyof P]?: Value<P[Name]> };

const NUMBER = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i;

export class Parameters<const P extends Readonly<Record<string, Parameter>>> {
  readonly declared: P;

  constructor(declared: P) {
    this.declared = declared;
  }

  /** For a route's schema. */
  get schema() {
    return { type: 'object', properties: this.declared, additionalProperties: false };
  }

  /** @throws SegError SEG826 for one that is not known, is given twice, or has a value that it cannot have */
  read(request: Pick<FastifyRequest, 'raw'>): Values<P> {
    const { values, others } = this.readSome(request);
    const [unknown] = others;
    if (unknown === undefined) return values;
    const known = Object.keys(this.declared);
    throw badRequest(
      `unknown parameter "${unknown[0]}"`,
      didYouMean(unknown[0], known) ?? `There are ${known.join(', ')}.`,
    );
  }

  /** Also those that are not declared, as they stand. @throws SegError SEG826 as `read` */
  readSome(request: Pick<FastifyRequest, 'raw'>): { values: Values<P>; others: [string, string][] } {
    const values: Record<string, string | number | boolean> = {};
    const others: [string, string][] = [];
    for (const [name, text] of new URLSearchParams(request.raw.url!.split('?')[1] ?? '')) {
      const parameter = Object.hasOwn(this.declared, name) ? this.declared[name] : undefined;
      if (parameter === undefined) {
        others.push([name, text]);
        continue;
      }
      if (values[name] !== undefined) throw badRequest(`parameter "${name}" is given twice`, 'Give it once.');
      values[name] = valueOf(name, parameter, text);
    }
    return { values: values as Values<P>, others };
  }
}

function valueOf(name: string, parameter: Parameter, text: string): string | number | boolean {
  const { type, minimum = -Infinity, maximum = Infinity } = parameter;
  if (type === 'string') return text;
  if (type === 'boolean') {
    if (text === 'true' || text === 'false') return text === 'true';
    throw badRequest(`wrong ${name} "${text}"`, 'It takes true or false.');
  }
  const value = NUMBER.test(text) ? Number(text) : NaN;
  if (value >= minimum && value <= maximum && (type === 'number' || Number.isInteger(value))) return value;
  throw badRequest(
    `wrong ${name} "${text}"`,
    `It takes a ${type === 'integer' ? 'whole ' : ''}number from ${minimum} to ${maximum}.`,
  );
}
