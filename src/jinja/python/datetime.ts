/** The part of Python's module `datetime` that templates use: datetime, date, timedelta, timezone.utc. */
import { bindMethod, expectInt, expectString, method } from '../methods/method.ts';
import type { Method } from '../methods/method.ts';
import { float, isNumber, toNumber } from '../numbers.ts';
import { bind, signature } from '../signature.ts';
import type { HostCall, Value } from '../template-engine.ts';
import { Fault, hostFunction, HostObject, hostObject, PyTuple } from '../values.ts';
import { formatTime, parseTime } from './time-format.ts';
import { offsetText, PyTimedelta, PyTimezone, UTC } from './timedelta.ts';

const DAY_MS = 86_400_000;

function own<T>(table: Readonly<Record<string, Method<T>>>, self: T, name: string): Value {
  return Object.hasOwn(table, name) ? bindMethod(name, self, table[name]!) : undefined;
}

/** A day, or (with `dateOnly` false) a moment; `ms` counts as if its clock were UTC. */
export class PyDateTime extends HostObject {
  override readonly typeName: string;
  readonly ms: number;
  readonly micros: number;
  readonly zone: PyTimezone | null;
  readonly dateOnly: boolean;

  /** @param micros 0 to 999, below the millisecond */
  constructor(ms: number, options: { micros?: number; zone?: PyTimezone | null; dateOnly?: boolean } = {}) {
    super();
    this.ms = ms;
    this.micros = options.micros ?? 0;
    this.zone = options.zone ?? null;
    this.dateOnly = options.dateOnly ?? false;
    this.typeName = this.dateOnly ? 'datetime.date object' : 'datetime.datetime object';
    if (!(ms >= Date.UTC(1, 0, 1) - 2e15 && ms < Date.UTC(10000, 0, 1))) {
      throw new Fault('SEG216', 'date value out of range');
    }
  }

  /** An instant in UTC, such as dbt's `run_started_at`. */
  static utc(instant: Date): PyDateTime {
    return new PyDateTime(instant.getTime(), { zone: UTC });
  }

  get date(): Date {
    return new Date(this.ms);
  }

  get microsecond(): number {
    return this.date.getUTCMilliseconds() * 1000 + this.micros;
  }

  /** The instant, whatever the zone. */
  get instant(): number {
    return this.ms - (this.zone?.minutes ?? 0) * 60_000;
  }

  get(name: string): Value {
    const { date } = this;
    switch (name) {
      case 'year':
        return date.getUTCFullYear();
      case 'month':
        return date.getUTCMonth() + 1;
      case 'day':
        return date.getUTCDate();
      default:
        break;
    }
    const shared = own(dateMethods, this, name);
    if (shared !== undefined || this.dateOnly) return shared;
    switch (name) {
      case 'hour':
        return date.getUTCHours();
      case 'minute':
        return date.getUTCMinutes();
      case 'second':
        return date.getUTCSeconds();
      case 'microsecond':
        return this.microsecond;
      case 'tzinfo':
        return this.zone;
      default:
        return own(datetimeMethods, this, name);
    }
  }

  override names(): string[] {
    const own = ['year', 'month', 'day', ...Object.keys(dateMethods)];
    return this.dateOnly
      ? own
      : [...own, 'hour', 'minute', 'second', 'microsecond', ...Object.keys(datetimeMethods)];
  }

  isoformat(separator = 'T'): string {
    const text = this.date.toISOString();
    if (this.dateOnly) return text.slice(0, 10);
    const micros = this.microsecond === 0 ? '' : `.${String(this.microsecond).padStart(6, '0')}`;
    const zone = this.zone === null ? '' : offsetText(this.zone.minutes);
    return text.slice(0, 10) + separator + text.slice(11, 19) + micros + zone;
  }

  override print(): string {
    return this.isoformat(' ');
  }

  override format(spec: string): string {
    return formatTime(this, spec);
  }

  plus(micros: number): PyDateTime {
    const total = this.micros + micros;
    const ms = Math.floor(total / 1000);
    if (this.dateOnly)
      return new PyDateTime(this.ms + Math.floor(micros / (DAY_MS * 1000)) * DAY_MS, { dateOnly: true });
    return new PyDateTime(this.ms + ms, { micros: total - ms * 1000, zone: this.zone });
  }

  override operate(operator: string, other: Value, reversed: boolean): Value {
    if (other instanceof PyTimedelta) {
      if (operator === '+') return this.plus(other.micros);
      if (operator === '-' && !reversed) return this.plus(-other.micros);
    }
    if (other instanceof PyDateTime && operator === '-' && !reversed && this.comparable(other)) {
      return new PyTimedelta((this.instant - other.instant) * 1000 + this.micros - other.micros);
    }
    return undefined;
  }

  comparable(other: PyDateTime): boolean {
    return this.dateOnly === other.dateOnly && (this.zone === null) === (other.zone === null);
  }

  override compareTo(other: Value): number | undefined {
    if (!(other instanceof PyDateTime) || !this.comparable(other)) return undefined;
    return this.instant - other.instant || this.micros - other.micros;
  }

  override equals(other: Value): boolean {
    return this.compareTo(other) === 0;
  }
}

const PARTS = 'year month day hour minute second microsecond';

function build(parts: readonly number[], zone: PyTimezone | null, dateOnly: boolean): PyDateTime {
  const [year = 1, month = 1, day = 1, hour = 0, minute = 0, second = 0, micro = 0] = parts;
  const date = new Date(Date.UTC(2000, month - 1, day, hour, minute, second, Math.floor(micro / 1000)));
  date.setUTCFullYear(year, month - 1, day);
  const right = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && date.getUTCHours() === hour;
  if (
    !right ||
    minute > 59 ||
    second > 59 ||
    minute < 0 ||
    second < 0 ||
    month < 1 ||
    micro < 0 ||
    micro > 999_999
  ) {
    throw new Fault('SEG216', 'day, month or time is out of range');
  }
  return new PyDateTime(date.getTime(), { micros: micro % 1000, zone, dateOnly });
}

function partsOf(value: PyDateTime): number[] {
  const { date } = value;
  const day = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
  return [...day, date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds(), value.microsecond];
}

function weekday(value: PyDateTime): number {
  return (value.date.getUTCDay() + 6) % 7;
}

const dateMethods: Readonly<Record<string, Method<PyDateTime>>> = {
  isoformat: method("sep='T'", (self, [separator]) => self.isoformat(expectString(separator, 'sep'))),
  isoweekday: method('', (self) => weekday(self) + 1),
  isocalendar: method(
    '',
    (self) => new PyTuple(['%G', '%V', '%u'].map((part) => Number(formatTime(self, part)))),
  ),
  replace: method(`${PARTS.replace(/\w+/g, '$&=None')} tzinfo=None`, (self, values) => {
    const parts = partsOf(self).map((part, index) =>
      values[index] === null ? part : expectInt(values[index], 'part'),
    );
    const zone = values[7] instanceof PyTimezone ? values[7] : self.zone;
    return build(parts, zone, self.dateOnly);
  }),
  strftime: method('format', (self, [format]) => formatTime(self, expectString(format, 'format'))),
  weekday: method('', weekday),
};

const datetimeMethods: Readonly<Record<string, Method<PyDateTime>>> = {
  astimezone: method('tz', (self, [zone]) => {
    if (!(zone instanceof PyTimezone)) throw new Fault('SEG215', 'astimezone() needs a timezone');
    return new PyDateTime(self.instant + zone.minutes * 60_000, { micros: self.micros, zone });
  }),
  date: method('', (self) => new PyDateTime(Math.floor(self.ms / DAY_MS) * DAY_MS, { dateOnly: true })),
  timestamp: method('', (self) => float(self.instant / 1000 + self.micros / 1e6)),
};

/** A class as templates use it: callable, with functions of its own. */
function pythonClass(
  name: string,
  text: string,
  make: (values: Value[]) => Value,
  statics: Record<string, Value>,
): HostObject {
  const declared = signature(text);
  const call = ({ args, kwargs }: HostCall) => make(bind(name, declared, args, kwargs).values);
  return hostObject({ typeName: `class '${name}'`, attributes: statics, call });
}

function numbers(values: readonly Value[]): number[] {
  return values.map((value) => expectInt(value, 'part of a date'));
}

function fromIso(text: string, dateOnly: boolean): PyDateTime {
  const match =
    /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?(Z|[+-]\d{2}:?\d{2})?)?$/.exec(
      text,
    );
  if (match === null) throw new Fault('SEG216', `invalid isoformat string: '${text}'`);
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '0', zone] = match;
  const parts = [year, month, day, hour, minute, second, fraction.padEnd(6, '0')].map(Number);
  return build(dateOnly ? parts.slice(0, 3) : parts, zone === undefined ? null : parseZone(zone), dateOnly);
}

/** `Z`, `+02:00` or `+0200`. */
function parseZone(text: string): PyTimezone {
  const [, sign, hours, minutes] = /^([+-])(\d{2}):?(\d{2})$/.exec(text) ?? [];
  if (sign === undefined) return UTC;
  return new PyTimezone((sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)));
}

/** `modules.datetime`. @param now the clock */
export function datetimeModule(now: () => Date): HostObject {
  const local = (): PyDateTime => {
    const instant = now();
    return new PyDateTime(instant.getTime() - instant.getTimezoneOffset() * 60_000);
  };
  const day = (value: PyDateTime) =>
    new PyDateTime(Math.floor(value.ms / DAY_MS) * DAY_MS, { dateOnly: true });
  const datetime = pythonClass(
    'datetime',
    'year month day hour=0 minute=0 second=0 microsecond=0 tzinfo=None',
    (values) => build(numbers(values.slice(0, 7)), values[7] instanceof PyTimezone ? values[7] : null, false),
    {
      now: hostFunction(({ args, kwargs }) => {
        const zone = args[0] ?? kwargs.get('tz');
        if (!(zone instanceof PyTimezone)) return local();
        return new PyDateTime(now().getTime() + zone.minutes * 60_000, { zone });
      }, 'now'),
      utcnow: hostFunction(() => new PyDateTime(now().getTime()), 'utcnow'),
      today: hostFunction(local, 'today'),
      fromisoformat: hostFunction(
        ({ args }) => fromIso(expectString(args[0], 'argument'), false),
        'fromisoformat',
      ),
      fromtimestamp: hostFunction(({ args }) => {
        if (!isNumber(args[0])) throw new Fault('SEG215', 'fromtimestamp() needs a number');
        const ms = toNumber(args[0]) * 1000;
        if (args[1] instanceof PyTimezone)
          return new PyDateTime(ms + args[1].minutes * 60_000, { zone: args[1] });
        return new PyDateTime(ms - new Date(ms).getTimezoneOffset() * 60_000);
      }, 'fromtimestamp'),
      strptime: hostFunction(({ args }) => {
        const { parts, zoneMinutes } = parseTime(
          expectString(args[0], 'argument 1'),
          expectString(args[1], 'argument 2'),
        );
        return build(parts, zoneMinutes === undefined ? null : new PyTimezone(zoneMinutes), false);
      }, 'strptime'),
    },
  );
  const date = pythonClass('date', 'year month day', (values) => build(numbers(values), null, true), {
    today: hostFunction(() => day(local()), 'today'),
    fromisoformat: hostFunction(
      ({ args }) => fromIso(expectString(args[0], 'argument'), true),
      'fromisoformat',
    ),
  });
  const UNITS = [DAY_MS * 1000, 1e6, 1, 1000, 6e7, 3.6e9, DAY_MS * 7000];
  const timedelta = pythonClass(
    'timedelta',
    'days=0 seconds=0 microseconds=0 milliseconds=0 minutes=0 hours=0 weeks=0',
    (values) =>
      new PyTimedelta(
        Math.round(
          values.reduce<number>((sum, value, index) => {
            if (!isNumber(value)) throw new Fault('SEG215', 'timedelta() needs numbers');
            return sum + toNumber(value) * UNITS[index]!;
          }, 0),
        ),
      ),
    {},
  );
  const timezone = pythonClass(
    'timezone',
    'offset',
    ([offset]) => {
      if (!(offset instanceof PyTimedelta)) throw new Fault('SEG215', 'timezone() needs a timedelta');
      return new PyTimezone(offset.micros / 6e7);
    },
    { utc: UTC },
  );
  return hostObject({ typeName: "module 'datetime'", attributes: { datetime, date, timedelta, timezone } });
}
