/** The part of Python's module `re` that templates use. Patterns run as JavaScript's, with Python's spelling translated. */
import { expectInt, expectString } from '../methods/method.ts';
import { str } from '../print.ts';
import { bind, signature } from '../signature.ts';
import type { Value } from '../template-engine.ts';
import { Fault, hostFunction, HostObject, hostObject, PyTuple } from '../values.ts';

const IGNORECASE = 2;
const MULTILINE = 8;
const DOTALL = 16;
const FLAGS = { IGNORECASE, I: IGNORECASE, MULTILINE, M: MULTILINE, DOTALL, S: DOTALL };

/** Throws Fault SEG216 for a pattern JavaScript cannot run. */
function compile(pattern: Value, flags: Value, anchors: { start?: boolean; end?: boolean } = {}): RegExp {
  if (pattern instanceof Pattern) return compile(pattern.source, pattern.flags, anchors);
  let source = expectString(pattern, 'pattern');
  let bits = expectInt(flags, 'flags');
  const inline = /^\(\?([aiLmsux]+)\)/.exec(source);
  if (inline !== null) {
    source = source.slice(inline[0].length);
    if (inline[1]!.includes('i')) bits |= IGNORECASE;
    if (inline[1]!.includes('m')) bits |= MULTILINE;
    if (inline[1]!.includes('s')) bits |= DOTALL;
  }
  const translated = source
    .replaceAll('(?P<', '(?<')
    .replace(/\(\?P=(\w+)\)/g, '\\k<$1>')
    .replaceAll('\\A', '^')
    .replaceAll('\\Z', '$');
  const anchored = `${anchors.start ? '^' : ''}(?:${translated})${anchors.end ? '$' : ''}`;
  const whole = anchors.start || anchors.end ? anchored : translated;
  const jsFlags = `gd${bits & IGNORECASE ? 'i' : ''}${bits & MULTILINE ? 'm' : ''}${bits & DOTALL ? 's' : ''}`;
  try {
    return new RegExp(whole, jsFlags);
  } catch (error) {
    throw new Fault('SEG216', `malformed pattern "${source}": ${(error as Error).message}`);
  }
}

class Match extends HostObject {
  override readonly typeName = 're.Match object';
  readonly match: RegExpExecArray;
  constructor(match: RegExpExecArray) {
    super();
    this.match = match;
  }

  group(key: Value): Value {
    const found = typeof key === 'number' ? this.match[key] : this.match.groups?.[str(key)];
    if (typeof key === 'number' ? key >= this.match.length : !(str(key) in (this.match.groups ?? {}))) {
      throw new Fault('SEG216', 'no such group');
    }
    return found ?? null;
  }

  override item(key: Value): Value {
    return this.group(key);
  }

  get(name: string): Value {
    const { match } = this;
    const end = match.index + match[0].length;
    switch (name) {
      case 'group':
        return hostFunction(({ args }) => {
          if (args.length <= 1) return this.group(args[0] ?? 0);
          return new PyTuple(args.map((key) => this.group(key)));
        }, name);
      case 'groups':
        return hostFunction(
          ({ args }) => new PyTuple(match.slice(1).map((part) => part ?? args[0] ?? null)),
          name,
        );
      case 'groupdict':
        return hostFunction(
          () => new Map(Object.entries(match.groups ?? {}).map(([key, part]) => [key, part ?? null])),
          name,
        );
      case 'start':
      case 'end':
      case 'span':
        return hostFunction(({ args }) => {
          const [from, to] = match.indices?.[expectInt(args[0] ?? 0, 'group')] ?? [match.index, end];
          return name === 'start' ? from : name === 'end' ? to : new PyTuple([from, to]);
        }, name);
      case 'string':
        return match.input;
      default:
        return undefined;
    }
  }

  override names(): string[] {
    return ['group', 'groups', 'groupdict', 'start', 'end', 'span', 'string'];
  }
}

class Pattern extends HostObject {
  override readonly typeName = 're.Pattern object';
  readonly source: Value;
  readonly flags: Value;
  readonly #functions: Readonly<Record<string, Value>>;
  constructor(source: Value, flags: Value, functions: Readonly<Record<string, Value>>) {
    super();
    this.source = source;
    this.flags = flags;
    this.#functions = functions;
  }
  get(name: string): Value {
    if (name === 'pattern') return this.source;
    const found = this.#functions[name] as ReturnType<typeof hostFunction> | undefined;
    if (found === undefined || name === 'compile' || name === 'escape') return undefined;
    return hostFunction((call) => found.call({ ...call, args: [this, ...call.args] }), name);
  }
  override names(): string[] {
    return Object.keys(this.#functions);
  }
}

function first(pattern: RegExp, text: Value): Value {
  const match = pattern.exec(expectString(text, 'string'));
  return match === null ? null : new Match(match);
}

function findAll(pattern: RegExp, text: string): RegExpExecArray[] {
  return [...text.matchAll(pattern)] as RegExpExecArray[];
}

/** What findall and split give of a match: the whole, the only group, or all groups. */
function groupsOf(match: RegExpExecArray): Value {
  if (match.length === 1) return match[0];
  return match.length === 2 ? (match[1] ?? '') : new PyTuple(match.slice(1).map((part) => part ?? ''));
}

/** A replacement's `\1` and `\g<name>`. */
function expand(template: string, match: RegExpExecArray): string {
  return template.replace(
    /\\(?:g<(\w+)>|(\d{1,2})|([^]))/g,
    (whole, name?: string, digits?: string, escape?: string) => {
      if (escape !== undefined) return { n: '\n', t: '\t', r: '\r', '\\': '\\' }[escape] ?? whole;
      const key = name ?? digits!;
      const found = /^\d+$/.test(key) ? match[Number(key)] : match.groups?.[key];
      if (/^\d+$/.test(key) && Number(key) >= match.length)
        throw new Fault('SEG216', `invalid group reference ${key}`);
      return found ?? '';
    },
  );
}

/** `modules.re`. */
export function reModule(): HostObject {
  const define = (name: string, text: string, run: (values: Value[]) => Value) => {
    const declared = signature(text);
    return hostFunction(({ args, kwargs }) => run(bind(`re.${name}()`, declared, args, kwargs).values), name);
  };
  const functions: Record<string, Value> = {
    compile: define('compile', 'pattern flags=0', ([pattern, flags]) => {
      compile(pattern, flags);
      return new Pattern(pattern, flags, functions);
    }),
    escape: define('escape', 'pattern', ([text]) =>
      expectString(text, 'pattern').replace(/[\s#$&()*+\-.?[\\\]^{|}~]/g, (character) => `\\${character}`),
    ),
    findall: define('findall', 'pattern string flags=0', ([pattern, text, flags]) =>
      findAll(compile(pattern, flags), expectString(text, 'string')).map(groupsOf),
    ),
    finditer: define('finditer', 'pattern string flags=0', ([pattern, text, flags]) =>
      findAll(compile(pattern, flags), expectString(text, 'string')).map((match) => new Match(match)),
    ),
    fullmatch: define('fullmatch', 'pattern string flags=0', ([pattern, text, flags]) =>
      first(compile(pattern, flags, { start: true, end: true }), text),
    ),
    match: define('match', 'pattern string flags=0', ([pattern, text, flags]) =>
      first(compile(pattern, expectInt(flags, 'flags') & ~MULTILINE, { start: true }), text),
    ),
    search: define('search', 'pattern string flags=0', ([pattern, text, flags]) =>
      first(compile(pattern, flags), text),
    ),
    split: define('split', 'pattern string maxsplit=0 flags=0', ([pattern, text, most, flags]) => {
      const whole = expectString(text, 'string');
      const limit = expectInt(most, 'maxsplit');
      const parts: Value[] = [];
      let from = 0;
      for (const match of findAll(compile(pattern, flags), whole).slice(0, limit > 0 ? limit : undefined)) {
        parts.push(whole.slice(from, match.index), ...match.slice(1).map((part) => part ?? null));
        from = match.index + match[0].length;
      }
      return [...parts, whole.slice(from)];
    }),
    sub: define('sub', 'pattern repl string count=0 flags=0', ([pattern, by, text, count, flags]) => {
      const whole = expectString(text, 'string');
      const limit = expectInt(count, 'count');
      let out = '';
      let from = 0;
      for (const match of findAll(compile(pattern, flags), whole).slice(0, limit > 0 ? limit : undefined)) {
        const replacement = expand(expectString(by, 'the replacement'), match);
        out += whole.slice(from, match.index) + replacement;
        from = match.index + match[0].length;
      }
      return out + whole.slice(from);
    }),
  };
  return hostObject({ typeName: "module 're'", attributes: { ...functions, ...FLAGS } });
}
