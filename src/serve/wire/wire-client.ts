/**
 * One client of the Postgres port. Its messages are gathered into units that belong together (unit.ts), and each unit runs in
 * the client's turn. A transaction keeps the turn until it ends, or until the client has been idle in it for too long.
 */
import { readSync } from 'node:fs';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { DatabaseError } from '../../engines/connection.ts';
import type { Bounds } from '../../engines/pglite/interrupt.ts';
import { readBounds } from '../engine/read-limits.ts';
import { copyInResponse, errorMessage, readyForQuery, warningMessage } from './backend-messages.ts';
import type { WireError } from './backend-messages.ts';
import { BackendReader } from './backend-reader.ts';
import { descriptorOf } from './descriptor.ts';
import { ClientSession } from './client-session.ts';
import { CANCELLED, ClientTurn } from './client-turn.ts';
import {
  FrameReader,
  MAX_LOGIN_MESSAGE,
  MAX_MESSAGE,
  message,
  ProtocolViolation,
  readText,
} from './frontend-frames.ts';
import type { Frame } from './frontend-frames.ts';
import { Login } from './login.ts';
import { Outbox } from './outbox.ts';
import { statementFacts } from './statement.ts';
import type { StatementFacts } from './statement.ts';
import { UnitRun } from './unit.ts';
import type { Unit } from './unit.ts';
import type { ServerTls } from '../tls.ts';
import type { WireHost } from './wire-host.ts';

/** A client is not read from while so much of it waits to be run. */
const MAX_INBOX = 16 * 1024 * 1024;
/** Data of one COPY FROM STDIN, which must be held whole. */
const MAX_COPY = 512 * 1024 * 1024;
/** What a listener has not read; with more it is cut off, since nothing else would bound it. */
const MAX_UNREAD = 8 * 1024 * 1024;

/** The first byte of a TLS connection. */
const TLS_HANDSHAKE = 0x16;

export class WireClient {
  readonly pid: number;
  readonly secret: number;
  #socket: Socket;
  readonly #host: WireHost;
  readonly #reader = new FrameReader();
  readonly #gone = new AbortController();
  readonly #turn: ClientTurn;
  #login: Login | undefined;
  #session: ClientSession | undefined;
  readonly #deadline: NodeJS.Timeout;
  #gathered: Frame[] = [];
  #gatheredSize = 0;
  #copy: { readonly query: Frame; readonly data: Frame[]; size: number } | undefined;
  #running = false;
  /** Nothing has come yet. */
  #untouched = true;
  /** The engine is at a unit of this client. */
  #inEngine = false;
  #status = 'I';
  #skipToSync = false;
  /** What is to be done once the engine is ready. */
  #closeLater = false;
  #resetLater: UnitRun['resets'] = 'no';
  #ended = false;

  constructor(socket: Socket, host: WireHost, pid: number, secret: number) {
    this.#host = host;
    this.pid = pid;
    this.secret = secret;
    this.#login = new Login(host.access, pid, secret, host.tls !== undefined);
    this.#turn = new ClientTurn(host, (error) => {
      if (this.#running || this.#gone.signal.aborted) return;
      this.#hangUp(error);
      void this.#pump();
    });
    socket.setNoDelay(true);
    this.#deadline = setTimeout(() => this.dropUnknown(), host.loginMs);
    this.#deadline.unref();
    this.#socket = socket;
    this.#attend(socket);
  }

  #attend(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      if (socket !== this.#socket) return;
      clearTimeout(this.#deadline);
      this.#leave(new Error('the client has gone'));
      void this.#pump();
    });
  }

  /** From here on what comes and goes is encrypted; `hello` has come already, and is the beginning of that. */
  #secure(tls: ServerTls, hello?: Buffer): void {
    const plain = this.#socket;
    plain.removeAllListeners('data').pause();
    if (hello !== undefined) plain.unshift(hello);
    const secured = new TLSSocket(plain, {
      isServer: true,
      secureContext: tls.context,
      // Who begins without asking must say which protocol it means.
      ...(hello === undefined ? {} : { ALPNProtocols: ['postgresql'] }),
    });
    this.#login?.secured();
    this.#socket = secured;
    this.#attend(secured);
    plain.on('close', () => secured.destroy());
  }

  /** Whether it has logged in. */
  get known(): boolean {
    return this.#login === undefined;
  }

  /** Ends a connection that has not logged in: it has had its time, or others need its place. */
  dropUnknown(): void {
    if (!this.known) this.#socket.destroy();
  }

  /** A cancel request: what waits for its turn does not run, and what runs is ended. */
  cancel(): void {
    this.#turn.cancel();
    if (this.#inEngine) this.#host.engine.interrupt();
  }

  notify(sender: number, channel: string, payload: string): void {
    if (this.#session?.channels.has(channel) !== true || this.#socket.destroyed) return;
    const pid = Buffer.alloc(4);
    pid.writeInt32BE(sender);
    this.#socket.write(message('A', pid, channel, payload));
    if (this.#socket.writableLength <= MAX_UNREAD || this.#running) return;
    this.#host.report(
      new DatabaseError(`a listener of "${channel}" reads nothing: cut off`, { sqlstate: '53400' }),
    );
    this.#socket.destroy();
  }

  /** The engine's session is another one now: who had something in the old one must not go on as if it were there. */
  engineRestarted(): void {
    const session = this.#session;
    if (session === undefined || !session.hasLost) return;
    session.forgetAll();
    this.#hangUp({
      sqlstate: '57P02',
      message: 'terminating connection because the embedded server was restarted',
      hint: 'Connect again: what was committed is there.',
    });
    void this.#pump();
  }

  /** The server stops: says so and closes. */
  stop(): void {
    this.#socket.end(errorMessage({ sqlstate: '57P01', message: 'the server is stopping' }, 'FATAL'));
    this.#leave(new Error('the server is stopping'));
    void this.#pump();
  }

  #leave(reason: Error): void {
    // Who has said goodbye is cleaned up behind when the socket closes: that must not be given up.
    if (this.#gone.signal.aborted) return;
    this.#gone.abort(reason);
    this.#turn.giveUp(reason);
  }

  #receive(chunk: Buffer): void {
    const { tls } = this.#host;
    // A TLS handshake without a question before it; no message of the protocol begins like that.
    if (tls !== undefined && this.#untouched && chunk[0] === TLS_HANDSHAKE) return this.#secure(tls, chunk);
    this.#untouched = false;
    this.#reader.push(chunk);
    const most = this.known ? MAX_INBOX : MAX_LOGIN_MESSAGE;
    if (this.#reader.size > most && this.#running) this.#socket.pause();
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
          ? { sqlstate: error.sqlstate, message: error.message, hint: error.hint }
          : { sqlstate: 'XX000', message: 'internal error of the server' };
    if (known.sqlstate === 'XX000') this.#host.report(error);
    this.#hangUp(known);
  }

  #hangUp(error: WireError): void {
    this.#socket.end(errorMessage(error, 'FATAL'));
    this.#leave(new Error(error.message));
  }

  async #logIn(login: Login, frame: Frame): Promise<void> {
    const step = login.take(frame);
    if ('cancel' in step) {
      this.#host.cancel(step.cancel.pid, step.cancel.secret);
      this.#socket.end();
      this.#leave(new Error('a cancel request'));
      return;
    }
    if ('secures' in step) {
      // What is sent ahead of the handshake could be anybody's.
      if (this.#reader.size > 0)
        throw new ProtocolViolation('unencrypted data came after the request for TLS');
      this.#socket.write('S');
      return this.#secure(this.#host.tls!);
    }
    this.#reader.started = step.started;
    if ('refused' in step) return this.#hangUp(step.refused);
    if (step.reply !== undefined) this.#socket.write(step.reply);
    if (step.granted === undefined) return;
    if (!this.#host.hasPlace()) return this.#hangUp({ sqlstate: '53300', message: 'too many clients' });
    this.#login = undefined;
    clearTimeout(this.#deadline);
    this.#reader.limit = MAX_MESSAGE;
    const { reader, settings, command } = step.granted;
    this.#turn.isCommand = command;
    const defaults = new Map(settings);
    if (!command && !settings.has('search_path')) defaults.set('search_path', await this.#host.searchPath());
    this.#session = new ClientSession(this.pid, defaults, reader);
    await this.#turn.enter(this.#session.state);
    try {
      const parameters = await this.#host.parameters();
      this.#socket.write(Buffer.concat([...login.welcome(parameters), readyForQuery('I')]));
    } finally {
      this.#turn.leave();
    }
  }

  /** One message: kept until its unit is whole, then the unit runs. */
  async #take(frame: Frame): Promise<void> {
    const { type } = frame;
    if (type === 'X') {
      this.#socket.end();
      this.#leave(new Error('the client has ended'));
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
      case 'E':
        if (this.#portal(frame)?.copyIn !== undefined) return this.#beginCopy(frame);
        return this.#gather(frame);
      case 'P':
      case 'B':
      case 'D':
      case 'C':
        return this.#gather(frame);
      case 'F':
      case 'S':
        await this.#run({ frames: [...this.#takeGathered(), frame], ends: true, copy: false });
        return;
      case 'H':
        return this.#flush(frame);
      case 'd':
      case 'c':
      case 'f':
        // Data that comes after its COPY has failed.
        return;
      default:
        throw new ProtocolViolation(`unknown message type "${type}"`);
    }
  }

  /** Whoever only prepares, and asks for the answers, keeps nobody waiting until it says Sync: nothing of it needs that. */
  async #flush(frame: Frame): Promise<void> {
    const frames = this.#takeGathered();
    const prepares = !this.#turn.held && frames.every(isOfStatements);
    if (!prepares) {
      await this.#run({ frames: [...frames, frame], ends: false, copy: false });
      return;
    }
    if (frames.length === 0) return;
    const unit = { frames: [...frames, SYNC], ends: false, copy: false, hidesReady: true };
    if (await this.#run(unit)) this.#skipToSync = true;
  }

  async #gather(frame: Frame): Promise<void> {
    if (frame.type === 'P' || frame.type === 'B') noteNames(this.#session!, frame);
    this.#gathered.push(frame);
    this.#gatheredSize += frame.bytes.length;
    // Whoever never says Sync is not gathered without end.
    if (this.#gatheredSize > MAX_INBOX) {
      await this.#run({ frames: this.#takeGathered(), ends: false, copy: false });
    }
  }

  #takeGathered(): Frame[] {
    const gathered = this.#gathered;
    this.#gathered = [];
    this.#gatheredSize = 0;
    return gathered;
  }

  #portal(frame: Frame): StatementFacts | undefined {
    return this.#session!.portals.get(readText(frame.body, 0)[0]);
  }

  /** COPY FROM STDIN by Execute: what comes before it runs, then its data is gathered. */
  async #beginCopy(frame: Frame): Promise<void> {
    const { copyIn, refusal, readerRefusal } = this.#portal(frame)!;
    const failed = await this.#run({ frames: [...this.#takeGathered(), FLUSH], ends: false, copy: false });
    if (this.#skipToSync) return;
    if (failed || refusal !== undefined || (this.#session!.state.reader && readerRefusal !== undefined)) {
      return this.#gather(frame);
    }
    this.#copy = { query: frame, data: [], size: 0 };
    this.#socket.write(copyInResponse(copyIn!.binary, copyIn!.columns));
  }

  async #simpleQuery(frame: Frame): Promise<void> {
    const [sql] = readText(frame.body, 0);
    const { copyIn, refusal, readerRefusal } = statementFacts(sql);
    const refused = refusal ?? (this.#session!.state.reader ? readerRefusal : undefined);
    if (copyIn !== undefined && refused === undefined) {
      this.#copy = { query: frame, data: [], size: 0 };
      this.#socket.write(copyInResponse(copyIn.binary, copyIn.columns));
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
    const extended = copy.query.type === 'E';
    const frames = [copy.query, ...copy.data, ...(extended ? [FLUSH] : [])];
    await this.#run({ frames, ends: !extended, copy: true });
  }

  /** Runs a unit in the client's turn and sends the answer. Answers whether it has failed. */
  async #run(unit: Unit): Promise<boolean> {
    this.#turn.stopWatching();
    const session = this.#session!;
    const run = new UnitRun(unit, session, this.#status !== 'I', {
      notify: (channel, payload) => this.#host.notify(this.pid, channel, payload),
      learnNames: (names) => this.#host.engine.learnNames(names),
      explain: (error) => this.#host.engine.explain(error),
    });
    try {
      await this.#turn.enter(session.state);
    } catch (error) {
      if (error !== CANCELLED) throw error;
      this.#socket.write(
        errorMessage({ sqlstate: '57014', message: 'canceling statement due to user request' }),
      );
      if (unit.ends) this.#socket.write(readyForQuery(this.#status));
      else this.#skipToSync = true;
      return true;
    }
    this.#host.counted(session.state.reader ? 'reader' : 'owner');
    const answer = new BackendReader();
    const out = new Outbox();
    // Until the engine says that it is ready, the turn is kept: the unit goes on.
    let ready = false;
    const onChunk = (chunk: Buffer): void => {
      for (const part of answer.push(chunk)) {
        if (part.type === 'Z') {
          ready = true;
          this.#status = String.fromCharCode(part.body[0]!);
        }
        const told = run.translate(part);
        if (told !== undefined) out.add(told);
      }
    };
    const bounds: Bounds = {
      ...(session.state.reader ? readBounds(this.#host.readMs) : {}),
      abandoned: () => this.#hungUp(),
      onInterrupted: (why) => {
        if (why === 'time') run.timeIsUp(this.#host.readMs);
      },
    };
    this.#inEngine = true;
    try {
      await this.#host.engine.run(Buffer.concat(run.messages), onChunk, bounds);
    } finally {
      this.#inEngine = false;
    }
    if (run.deallocatesAll) this.#closeLater = true;
    if (run.resets !== 'no') this.#resetLater = run.resets;
    if (ready) await this.#afterwards(session, out);
    else this.#turn.watchIdle();
    await this.#send(out);
    // Whoever sends without pause must not keep other sockets from being read.
    await new Promise((resolve) => setImmediate(resolve));
    return run.failed;
  }

  /** The engine is ready: what the unit means for the client's part of the session. */
  async #afterwards(session: ClientSession, out: Outbox): Promise<void> {
    const { engine } = this.#host;
    const idle = this.#status === 'I';
    if (idle) await engine.committed();
    if (this.#closeLater) await this.#closeStatements(session);
    this.#closeLater = false;
    if (this.#resetLater !== 'no' && this.#status !== 'E') {
      await engine.resetToLogin(session.state, this.#resetLater === 'all');
    }
    this.#resetLater = 'no';
    if (!idle) return this.#turn.watchIdle();
    if (session.madeTemporary) {
      session.madeTemporary = false;
      const dropped = await engine.dropTemporary();
      if (dropped.length > 0)
        out.add(
          warningMessage({
            sqlstate: '01000',
            message: `temporary ${dropped.join(', ')}: dropped at the end of the transaction`,
            hint: 'All clients share the one session of the embedded database.',
          }),
        );
    }
    session.settle();
    this.#turn.leave();
  }

  /**
   * Whether the client is gone, found out in the middle of its statement, when no event of its socket is heard: what has come meanwhile is
   * read past the socket, in its order.
   */
  #hungUp(): boolean {
    if (this.#socket.destroyed) return true;
    // What is encrypted cannot be read past its socket.
    if (this.#socket instanceof TLSSocket) return false;
    const fd = descriptorOf(this.#socket);
    if (fd === undefined || this.#socket.isPaused() || this.#socket.readableLength > 0) return false;
    const chunk = Buffer.alloc(64 * 1024);
    try {
      while (this.#reader.size <= MAX_INBOX) {
        const count = readSync(fd, chunk);
        if (count === 0) return true;
        this.#reader.push(Buffer.from(chunk.subarray(0, count)));
      }
      return false;
    } catch (error) {
      return !['EAGAIN', 'EWOULDBLOCK', 'EINTR'].includes((error as NodeJS.ErrnoException).code ?? '');
    }
  }

  async #send(out: Outbox): Promise<void> {
    try {
      await out.send(this.#socket, () => this.#drained());
    } catch (error) {
      this.#host.report(error);
      throw new DatabaseError('the answer could not be put aside for its client', {
        sqlstate: '53100',
        cause: error,
      });
    }
  }

  /** False when the client has gone. */
  async #drained(): Promise<boolean> {
    if (this.#socket.destroyed) return false;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#socket.off('drain', done);
        this.#gone.signal.removeEventListener('abort', done);
        resolve();
      };
      this.#socket.on('drain', done);
      this.#gone.signal.addEventListener('abort', done);
    });
    return !this.#gone.signal.aborted;
  }

  async #closeStatements(session: ClientSession): Promise<void> {
    const all = session.names.all();
    session.forgetStatements();
    const closes = all.map((name) => message('C', Buffer.from('S'), name));
    if (closes.length > 0) await this.#host.engine.run(Buffer.concat([...closes, message('S')]));
  }

  /** Leaves nothing behind in the session: no transaction, no prepared statements, no temporary tables. */
  async #cleanUp(): Promise<void> {
    this.#turn.stopWatching();
    this.#host.forget(this);
    const session = this.#session;
    if (session === undefined) return;
    if (!this.#turn.held) {
      if (session.names.all().length === 0) return;
      this.#turn.comeBack();
      await this.#turn.take();
    }
    try {
      if (this.#status !== 'I') await this.#host.engine.run(message('Q', 'ROLLBACK'));
      else await this.#host.engine.run(message('S'));
      await this.#closeStatements(session);
      // Whatever else it has left goes with its place in the session.
      await this.#host.engine.enter(null);
    } finally {
      this.#turn.leave();
    }
  }
}

/** What the client's statements and portals are of. */
function noteNames({ statements, portals }: ClientSession, { type, body }: Frame): void {
  const [first, next] = readText(body, 0);
  const [second] = readText(body, next);
  if (type === 'P') statements.set(first, statementFacts(second));
  else {
    const facts = statements.get(second);
    if (facts === undefined) portals.delete(first);
    else portals.set(first, facts);
  }
}

/** Parse, Describe and Close of prepared statements. */
function isOfStatements({ type, body }: Frame): boolean {
  return type === 'P' || ((type === 'D' || type === 'C') && body[0] === 'S'.charCodeAt(0));
}

const SYNC: Frame = { type: 'S', bytes: message('S'), body: Buffer.alloc(0) };
const FLUSH: Frame = { type: 'H', bytes: message('H'), body: Buffer.alloc(0) };

const COPY_TOO_LARGE: Frame = (() => {
  const bytes = message('f', `more than ${MAX_COPY} bytes in one COPY; send several`);
  return { type: 'f', bytes, body: bytes.subarray(5) };
})();
