import type { HostCall, Value } from './template-engine.ts';
import { equals } from './compare.ts';
import { builtinFunction, Fault, Undefined } from './values.ts';

const NAMES =
  'index index0 revindex revindex0 first last length depth depth0 previtem nextitem cycle changed'.split(' ');

/** The variable `loop`. Reads its list live: items appended while looping are visited, as in Python. */
export class Loop {
  readonly pythonType = 'LoopContext';
  index0 = -1;
  readonly items: readonly Value[];
  readonly depth: number;
  /** For `recursive` loops: renders the loop's body over another list. */
  readonly recurse: ((call: HostCall) => Value) | undefined;
  #changed: readonly Value[] | undefined;

  constructor(items: readonly Value[], depth: number, recurse: ((call: HostCall) => Value) | undefined) {
    this.items = items;
    this.depth = depth;
    this.recurse = recurse;
  }

  attributeNames(): readonly string[] {
    return NAMES;
  }

  attribute(name: string): Value {
    const { index0, items } = this;
    switch (name) {
      case 'index':
        return index0 + 1;
      case 'index0':
        return index0;
      case 'revindex':
        return items.length - index0;
      case 'revindex0':
        return items.length - index0 - 1;
      case 'first':
        return index0 === 0;
      case 'last':
        return index0 === items.length - 1;
      case 'length':
        return items.length;
      case 'depth':
        return this.depth;
      case 'depth0':
        return this.depth - 1;
      case 'previtem':
        return index0 > 0 ? items[index0 - 1] : new Undefined('previtem', 'there is no previous item');
      case 'nextitem':
        return index0 + 1 < items.length
          ? items[index0 + 1]
          : new Undefined('nextitem', 'there is no next item');
      case 'cycle':
        return builtinFunction(({ args }) => {
          if (args.length === 0) throw new Fault('SEG213', 'loop.cycle() needs items to cycle through');
          return args[index0 % args.length];
        }, 'cycle');
      case 'changed':
        return builtinFunction(({ args }) => this.#isChanged(args), 'changed');
      default:
        return undefined;
    }
  }

  #isChanged(values: readonly Value[]): boolean {
    const last = this.#changed;
    this.#changed = values;
    return (
      last === undefined ||
      last.length !== values.length ||
      !last.every((item, at) => equals(item, values[at]))
    );
  }
}
