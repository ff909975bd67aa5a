/**
 * What the embedded server does to its disk, watched write by write. PostgreSQL fails a statement whose table cannot grow, and gives up
 * when its log cannot; a statement may write any amount of both. So before the space ends tables no longer grow, and a statement that
 * goes on writing log is ended as by a cancel request, while there still is room for the log of what is undone.
 */
import type { DatabaseError } from '../connection.ts';
import { DiskFull, FREE_TO_WRITE, LOG_SEGMENT } from './disk-reserve.ts';
import type { DiskReserve } from './disk-reserve.ts';
import { requestCancel, withdrawCancel } from './failure.ts';
import type { EngineModule, FileNode } from './failure.ts';

/** The server's own numbers (Emscripten's). */
const ENOSPC = 51;
const EDQUOT = 19;
const EOPNOTSUPP = 138;

/** Bytes written between two looks at the disk. */
const LOOK_EVERY_BYTES = 2 ** 20;

export class DiskGuard {
  readonly #reserve: DiskReserve;
  #module: EngineModule | undefined;
  #unseen = Infinity;
  #low = false;
  #logBytes = 0;
  #ended = false;
  #checkpoints = false;

  constructor(reserve: DiskReserve) {
    this.#reserve = reserve;
  }

  /** Whether there is log enough to let go of, at most so many bytes of it. */
  isCheckpointDue(mostLog: number): boolean {
    return this.#logBytes >= mostLog || (this.#logBytes >= LOG_SEGMENT && this.#reserve.isShort);
  }

  /** From here on; what the server wrote to recover went by unseen, since there it may use all there is. */
  watch(module: EngineModule): void {
    this.#module = module;
    this.#ended = false;
    this.#logBytes = 0;
    const files = module.FS.lookupPath('/pglite/data').node.stream_ops;
    const { open, write, setattr } = files;
    const refuse = (errno: number): Error => new module.FS.ErrnoError(errno);
    files.open = (stream) => {
      if (stream.node.name.startsWith('xlogtemp')) this.#newSegment();
      open(stream);
    };
    files.setattr = (stream, attributes) => {
      // A file that grows by being told its size has holes, and the disk may be full when they are filled: where that must not fail.
      // PostgreSQL writes zeros when it is told that this cannot be done.
      if (attributes.size !== undefined && attributes.size > files.getattr(stream).size)
        throw refuse(EOPNOTSUPP);
      setattr(stream, attributes);
    };
    files.write = (stream, buffer, offset, length, position, canOwn) => {
      if (isSegment(stream.node)) this.#logBytes += length;
      this.#unseen += length;
      if (this.#unseen >= LOOK_EVERY_BYTES) this.#look();
      const grows = (): boolean => isRelation(stream.node) && position + length > files.getattr(stream).size;
      if (this.#low && grows() && this.#look()) throw refuse(ENOSPC);
      try {
        return write(stream, buffer, offset, length, position, canOwn);
      } catch (error) {
        const { errno } = error as { errno?: unknown };
        if ((errno !== ENOSPC && errno !== EDQUOT) || grows() || !this.#reserve.spend()) throw error;
        this.#end();
        return write(stream, buffer, offset, length, position, canOwn);
      }
    };
  }

  /** Writes all pages and lets go of the log before them. It is not to be ended by the log that it writes itself. */
  async checkpoint(run: () => Promise<void>): Promise<void> {
    this.#checkpoints = true;
    try {
      await run();
      this.#logBytes = 0;
    } finally {
      this.#checkpoints = false;
    }
  }

  /** A statement is done, its error explained. */
  settle(): void {
    if (!this.#ended) return;
    this.#ended = false;
    // One that was done before it looked at the flag must not end the next one.
    withdrawCancel(this.#module!);
  }

  /** The error of a statement that is about the disk, with the path; undefined for others. */
  explain(error: DatabaseError): DatabaseError | undefined {
    if (error instanceof DiskFull) return undefined;
    if (error.sqlstate === '57014' && this.#ended) return this.#reserve.full();
    return error.sqlstate === '53100' ? this.#reserve.full(error) : undefined;
  }

  #newSegment(): void {
    this.#look();
    if (!this.#low) return;
    this.#end();
    if (this.#reserve.free() < LOG_SEGMENT + LOOK_EVERY_BYTES) this.#reserve.spend();
  }

  /** Ends what runs as soon as it can be undone. */
  #end(): void {
    if (this.#checkpoints) return;
    this.#ended = true;
    requestCancel(this.#module!);
  }

  /** Whether space is so low that no table may grow. */
  #look(): boolean {
    this.#unseen = 0;
    this.#low = this.#reserve.free() < FREE_TO_WRITE;
    return this.#low;
  }
}

function isSegment({ name, parent }: FileNode): boolean {
  return parent.name === 'pg_wal' && name.length === 24;
}

/** A table, an index, or a file of a sort: whatever can be refused without harm. */
function isRelation({ parent }: FileNode): boolean {
  return parent.parent.name === 'base';
}
