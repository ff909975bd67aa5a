/**
 * One client of the Postgres port. Its messages are gathered into units that belong together (a simple query; everything
 * up to a Sync or Flush; a COPY with its data), and each unit runs in the client's turn. A transaction keeps the turn
 * until it ends, or until the client has been idle in it for too long.
 */
import type { Socket } from 'node:net';
import { DatabaseError } from '../../engines/connection.ts';
import {
  readyForQuery,
  commandComplete,
  copyInResponse,
  errorMessage,
  messagesIn,
} from './backend-messages.ts';
import type { WireError } from './backend-messages.ts';
import { FrameReader, message, ProtocolViolation, readText } from './frontend-frames.ts';
import type { Frame } from './frontend-frames.ts';
import { Login } from './login.ts';
import { PreparedNames } from './prepared-names.ts';
import { statementFacts } from './statement.ts';
import type { Listening, StatementFacts } from './statement.ts';
import type { SessionState } from './wire-engine.ts';
import type { WireHost } from './wire-host.ts';

/** A client is not read from while so much of it waits to be run. */
const MAX_INBOX = 16 * 1024 * 1024;
/** Data of one COPY FROM STDIN, which must be held whole. */
const MAX_COPY = 512 * 1024 * 1024;
/** A client gets no further answers while so much waits to be read by it. */
const MAX_OUTBOX = 4 * 1024 * 1024;
/** Clients that keep a transaction open although they are busy, while others wait. */
const LONGEST_TRANSACTION_MS = 5 * 60_000;
const LOGIN_MS = 10_000;
/** SQL that no parser accepts: takes the place of a statement that must not run, so that the engine makes an error of it. */
const REFUSED_SQL = 'seg_refused';

interface Unit {
  readonly frames: Frame[];
  /** Ends with a message after which the engine says that it is ready. */
  readonly ends: boolean;
  /** COPY data behind a query. */
  readonly copy: boolean;
}

/** What an answer means for this unit. */
interface Expectations {
  readonly injectedCloses: boolean[];
  readonly tags: { readonly from: string; readonly to: string }[];
  readonly listens: Listening[];
  error: WireError | undefined;
  copyAnnounced: boolean;
  deallocateAll: boolean;
}

export class WireClient {
  readonly pid: number;
  readonly secret: number;
  readonly channels = new Set<string>();
  readonly #socket: Socket;
  readonly #host: WireHost;
  readonly #reader = new FrameReader();
  readonly #names: PreparedNames;
  readonly #gone = new AbortController();
  #login: Login | undefined;
  #session: SessionState | undefined;
  #command = false;
  #gathered: Frame[] = [];
  #copy: { readonly query: Frame; readonly data: Frame[]; size: number } | undefined;
  #running = false;
  #status = 'I';
  #endTurn: (() => void) | undefined;
  #turnSince = 0;
  #waiting: AbortController | undefined;
  #idle: NodeJS.Timeout | undefined;
  #pendingListens: Listening[] = [];
  #skipToSync = false;
  #madeTemporary = false;
  #ended = false;

  constructor(socket: Socket, host: WireHost, pid: number, secret: number) {
    this.#socket = socket;
    this.#host = host;
    this.pid = pid;
    this.secret = secret;
    this.#names = new PreparedNames(pid);
    this.#login = new Login(host.access, pid, secret);
    socket.setNoDelay(true);
    socket.setTimeout(LOGIN_MS, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#gone.abort(new Error('the client has gone'));
      void this.#pump();
    });
  }

  /** A cancel request: what waits for its turn does not run. What runs cannot be stopped; the engine has one thread. */
  cancel(): void {
    this.#waiting?.abort(CANCELLED);
  }

  notify(sender: number, channel: string, payload: string): void {
    if (!this.channels.has(channel) || this.#socket.destroyed) return;
    const pid = Buffer.alloc(4);
    pid.writeInt32BE(sender);
    this.#socket.write(message('A', pid, channel, payload));
  }

  /** The server stops: says so and closes. */
  stop(): void {
    this.#socket.end(errorMessage({ sqlstate: '57P01', message: 'the server is stopping' }, 'FATAL'));
    this.#gone.abort(new Error('the server is stopping'));
    void this.#pump();
  }

  #receive(chunk: Buffer): void {
    this.#reader.push(chunk);
    if (this.#reader.size > MAX_INBOX && this.#running) this.#socket.pause();
    void this.#pump();
  }

  /** Runs units one after the other, as long as there are any; cleans up when the client has gone. */
  async #pump(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      while (!this.#gone.signal.aborted) {
        const frame = this.#reader.next();
        if (frame === undefined) break;
        if (this.#login !== undefined) await this.#logIn(this.#login, frame);
        else await this.#take(frame);
        if (this.#socket.isPaused()) this.#socket.resume();
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#running = false;
    }
    if (this.#gone.signal.aborted && !this.#ended) {
      this.#ended = true;
      await this.#cleanUp().catch((error: unknown) => this.#host.report(error));
    }
  }

  #fail(error: unknown): void {
    if (this.#gone.signal.aborted) return;
    const known: WireError =
      error instanceof ProtocolViolation
        ? { sqlstate: '08P01', message: error.message }
        : error instanceof DatabaseError
          ? { sqlstate: error.sqlstate, message: error.message }
          : { sqlstate: 'XX000', message: 'internal error of the server' };
    if (known.sqlstate === 'XX000') this.#host.report(error);
    this.#hangUp(known);
  }

  #hangUp(error: WireError): void {
    this.#socket.end(errorMessage(error, 'FATAL'));
    this.#gone.abort(new Error(error.message));
  }

  async #logIn(login: Login, frame: Frame): Promise<void> {
    const step = login.take(frame);
    if ('cancel' in step) {
      this.#host.cancel(step.cancel.pid, step.cancel.secret);
      this.#socket.end();
      this.#gone.abort(new Error('a cancel request'));
      return;
    }
    this.#reader.started = step.started;
    if ('refused' in step) return this.#hangUp(step.refused);
    if (step.reply !== undefined) this.#socket.write(step.reply);
    if (step.granted === undefined) return;
    this.#login = undefined;
    this.#socket.setTimeout(0);
    const { reader, settings, command } = step.granted;
    this.#command = command;
    this.#session = {
      reader,
      settings: new Map(settings),
      customSettings: new Set([...settings.keys()].filter((name) => name.includes('.'))),
      role: 'none',
      changed: settings.size > 0,
    };
    await this.#enterTurn();
    const parameters = await this.#host.parameters();
    this.#leaveTurn();
    this.#socket.write(Buffer.concat([...login.welcome(parameters), readyForQuery('I')]));
  }

  /** One message: kept until its unit is whole, then the unit runs. */
  async #take(frame: Frame): Promise<void> {
    const { type } = frame;
    if (type === 'X') {
      this.#socket.end();
      this.#gone.abort(new Error('the client has ended'));
      return;
    }
    if (this.#copy !== undefined) return this.#takeCopy(this.#copy, frame);
    if (this.#skipToSync) {
      if (type !== 'S') return;
      this.#skipToSync = false;
      this.#socket.write(readyForQuery(this.#status));
      return;
    }
    switch (type) {
      case 'Q':
        return this.#simpleQuery(frame);
      case 'P':
      case 'B':
      case 'D':
      case 'E':
      case 'C':
        this.#gathered.push(frame);
        return;
      case 'F':
      case 'S':
      case 'H': {
        const frames = [...this.#gathered, frame];
        this.#gathered = [];
        return this.#run({ frames, ends: type !== 'H', copy: false });
      }
      case 'd':
      case 'c':
      case 'f':
        // Data that comes after its COPY has failed.
        return;
      default:
        throw new ProtocolViolation(`unknown message type "${type}"`);
    }
  }

  async #simpleQuery(frame: Frame): Promise<void> {
    const [sql] = readText(frame.body, 0);
    const facts = statementFacts(sql);
    const allowed = this.#session?.reader !== true || facts.refusal === undefined;
    if (facts.copyIn !== undefined && allowed) {
      this.#copy = { query: frame, data: [], size: 0 };
      this.#socket.write(copyInResponse(facts.copyIn.binary, facts.copyIn.columns));
      return;
    }
    await this.#run({ frames: [frame], ends: true, copy: false });
  }

  async #takeCopy(copy: { query: Frame; data: Frame[]; size: number }, frame: Frame): Promise<void> {
    if (frame.type === 'H' || frame.type === 'S') return;
    if (!'dcf'.includes(frame.type)) {
      throw new ProtocolViolation(`unexpected message type "${frame.type}" during COPY from stdin`);
    }
    copy.size += frame.bytes.length;
    if (copy.size > MAX_COPY) {
      // From here on only the end is waited for.
      copy.data.length = 0;
      copy.data.push(COPY_TOO_LARGE);
      if (frame.type === 'd') return;
    } else copy.data.push(frame);
    if (frame.type === 'd') return;
    this.#copy = undefined;
    await this.#run({ frames: [copy.query, ...copy.data], ends: true, copy: true });
  }

  /** Runs a unit in the client's turn and sends the answer. */
  async #run(unit: Unit): Promise<void> {
    clearTimeout(this.#idle);
    const expect: Expectations = {
      injectedCloses: [],
      tags: [],
      listens: [],
      error: undefined,
      copyAnnounced: unit.copy,
      deallocateAll: false,
    };
    const messages = unit.frames.flatMap((frame) => this.#prepare(frame, unit, expect));
    try {
      await this.#enterTurn();
    } catch (error) {
      if (error !== CANCELLED) throw error;
      this.#socket.write(
        errorMessage({ sqlstate: '57014', message: 'canceling statement due to user request' }),
      );
      if (unit.ends) this.#socket.write(readyForQuery(this.#status));
      else this.#skipToSync = true;
      return;
    }
    this.#host.counted(this.#session?.reader === true ? 'reader' : 'owner');
    const answer = await this.#host.engine.run(Buffer.concat(messages));
    const out: Buffer[] = [];
    // Until the engine says that it is ready, the turn is kept: the unit goes on.
    let ready = false;
    for (const { type, bytes, body } of messagesIn(answer)) {
      if (type === 'Z') {
        ready = true;
        this.#status = String.fromCharCode(body[0]!);
        if (this.#status === 'I') this.#host.engine.committed();
      }
      out.push(...this.#translate(type, bytes, body, expect));
    }
    if (expect.deallocateAll) await this.#closeStatements();
    if (ready && this.#status === 'I') {
      this.#settleListens();
      this.#leaveTurn();
    } else this.#watchIdle();
    const room = this.#socket.write(Buffer.concat(out));
    if (!room && this.#socket.writableLength > MAX_OUTBOX) await this.#drained();
    // Whoever sends without pause must not keep other sockets from being read.
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** A message as the engine gets it. */
  #prepare(frame: Frame, unit: Unit, expect: Expectations): Buffer[] {
    if (frame.type === 'C' && frame.body[0] === 0x53) expect.injectedCloses.push(false);
    else if (frame.type === 'C') expect.injectedCloses.push(false);
    if (frame.type === 'Q') {
      const [sql] = readText(frame.body, 0);
      return [message('Q', this.#checked(sql, unit, expect))];
    }
    if (frame.type !== 'P') return [this.#names.translate(frame)];
    const [name, afterName] = readText(frame.body, 0);
    const [sql, rest] = readText(frame.body, afterName);
    const text = this.#checked(sql, unit, expect);
    const parse = message('P', this.#names.engineName(name), text, frame.body.subarray(rest));
    if (name !== '') return [parse];
    // A statement without a name takes the place of the one before.
    expect.injectedCloses.push(true);
    return [message('C', Buffer.from('S'), this.#names.engineName('')), parse];
  }

  /** The SQL that runs for a client's; notes what its answer means. */
  #checked(sql: string, unit: Unit, expect: Expectations): string {
    const facts = statementFacts(sql);
    const refusal = this.#refusal(facts, unit);
    if (refusal !== undefined) {
      expect.error = refusal;
      return REFUSED_SQL;
    }
    const session = this.#session!;
    if (facts.setsSomething) session.changed = true;
    for (const name of facts.customSettings) session.customSettings.add(name);
    if (facts.makesTemporary) this.#madeTemporary = true;
    expect.listens.push(...facts.listens);
    if (facts.discardsAll) {
      expect.listens.push({ channel: '*', on: false });
      expect.deallocateAll = true;
    }
    for (const { kind } of facts.naming) {
      if (kind === 'unlisten') expect.tags.push({ from: 'UNLISTEN', to: 'UNLISTEN' });
      if (kind === 'discard all') expect.tags.push({ from: 'RESET', to: 'DISCARD ALL' });
      if (kind === 'deallocate all') {
        expect.tags.push({ from: 'UNLISTEN', to: 'DEALLOCATE ALL' });
        expect.deallocateAll = true;
      }
    }
    return this.#names.translateSql(sql, facts);
  }

  #refusal(facts: StatementFacts, unit: Unit): WireError | undefined {
    if (this.#session!.reader) {
      // What our parser does not understand is not let through to the engine's.
      const refusal = facts.syntaxError ?? facts.refusal;
      if (refusal !== undefined) return refusal;
    }
    if (facts.copyAmongOthers || (facts.copyIn !== undefined && !unit.copy)) {
      return {
        sqlstate: '0A000',
        message: 'COPY FROM STDIN must be a simple query of its own',
        hint: 'Send it alone, not with other statements and not as a prepared statement.',
      };
    }
    return undefined;
  }

  /** A message of the engine as this client gets it; none when it is not for this client. */
  #translate(type: string, bytes: Buffer, body: Buffer, expect: Expectations): Buffer[] {
    switch (type) {
      case 'A': {
        const [channel, next] = readText(body, 4);
        this.#host.notify(this.pid, channel, readText(body, next)[0]);
        return [];
      }
      case '3':
        return expect.injectedCloses.shift() === true ? [] : [bytes];
      case 'G':
        if (!expect.copyAnnounced) return [bytes];
        expect.copyAnnounced = false;
        return [];
      case 'E': {
        if (expect.error !== undefined) return [errorMessage(expect.error)];
        const text = body.toString('utf8');
        const restored = this.#names.restore(text);
        return [restored === text ? bytes : message('E', Buffer.from(restored, 'utf8'))];
      }
      case 'C': {
        const tag = readText(body, 0)[0];
        if (tag === 'LISTEN' || tag === 'UNLISTEN' || tag === 'RESET')
          this.#pendingListens.push(...expect.listens.splice(0, 1));
        if (tag === 'ROLLBACK') this.#pendingListens = [];
        if (expect.tags[0]?.from !== tag) return [bytes];
        return [commandComplete(expect.tags.shift()!.to)];
      }
      default:
        return [bytes];
    }
  }

  /** LISTEN and UNLISTEN count from the commit on. */
  #settleListens(): void {
    for (const { channel, on } of this.#pendingListens) {
      if (on) this.channels.add(channel);
      else if (channel === '*') this.channels.clear();
      else this.channels.delete(channel);
    }
    this.#pendingListens = [];
  }

  async #enterTurn(): Promise<void> {
    if (this.#endTurn !== undefined) {
      if (
        Date.now() - this.#turnSince > LONGEST_TRANSACTION_MS &&
        !this.#command &&
        this.#host.othersWait()
      ) {
        throw new DatabaseError(
          'terminating connection: the transaction has taken too long while others wait',
          {
            sqlstate: '25P04',
          },
        );
      }
      return;
    }
    this.#waiting = new AbortController();
    try {
      const signal = AbortSignal.any([this.#waiting.signal, this.#gone.signal]);
      this.#endTurn = await this.#host.takeTurn(signal);
    } finally {
      this.#waiting = undefined;
    }
    this.#turnSince = Date.now();
    try {
      await this.#host.engine.enter(this.#session!);
    } catch (error) {
      this.#leaveTurn();
      throw error;
    }
  }

  #leaveTurn(): void {
    clearTimeout(this.#idle);
    this.#endTurn?.();
    this.#endTurn = undefined;
    this.#host.written();
  }

  #watchIdle(): void {
    this.#idle = setTimeout(
      () => {
        if (this.#running || this.#gone.signal.aborted) return;
        this.#hangUp({
          sqlstate: '25P03',
          message: 'terminating connection due to idle-in-transaction timeout',
          hint: 'The embedded database has one session: while a transaction is open, nobody else can work.',
        });
        void this.#pump();
      },
      this.#command ? this.#host.idleMs * 20 : this.#host.idleMs,
    );
    this.#idle.unref();
  }

  async #drained(): Promise<void> {
    if (this.#socket.destroyed) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#socket.off('drain', done);
        this.#gone.signal.removeEventListener('abort', done);
        resolve();
      };
      this.#socket.on('drain', done);
      this.#gone.signal.addEventListener('abort', done);
    });
  }

  async #closeStatements(): Promise<void> {
    const all = this.#names.all();
    this.#names.clear();
    const closes = all.map((name) => message('C', Buffer.from('S'), name));
    if (closes.length > 0) await this.#host.engine.run(Buffer.concat([...closes, message('S')]));
  }

  /** Leaves nothing behind in the session: no transaction, no prepared statements, no temporary tables. */
  async #cleanUp(): Promise<void> {
    clearTimeout(this.#idle);
    this.#host.forget(this);
    if (this.#session === undefined) return;
    if (this.#endTurn === undefined) {
      if (this.#names.all().length === 0 && !this.#madeTemporary) return;
      this.#endTurn = await this.#host.takeTurn();
    }
    try {
      if (this.#status !== 'I') await this.#host.engine.run(message('Q', 'ROLLBACK'));
      else await this.#host.engine.run(message('S'));
      await this.#closeStatements();
      if (this.#madeTemporary) {
        await this.#host.engine.enter(null);
        await this.#host.engine.run(message('Q', 'DISCARD TEMP'));
      }
    } finally {
      this.#leaveTurn();
    }
  }
}

const CANCELLED = new Error('cancelled');

const COPY_TOO_LARGE: Frame = (() => {
  const bytes = message('f', `more than ${MAX_COPY} bytes in one COPY; send several`);
  return { type: 'f', bytes, body: bytes.subarray(5) };
})();
