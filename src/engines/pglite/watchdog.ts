/**
 * The thread that looks after work of the server's (interrupt.ts). It is plain JavaScript in a string, as is the process that it starts: both must
 * run the same from TypeScript sources and from the built program.
 */
import { isMainThread, threadId, Worker } from 'node:worker_threads';
import { evaluateInThread } from './evaluate.ts';

/** A listening socket, and how it is reached. */
export interface Door {
  /** Its file descriptor; undefined where there are none (Windows): then it is heard only between two works. */
  readonly fd: number | undefined;
  readonly host: string;
  readonly port: number;
  /** Who asks for TLS is to be kept, too: only the server has the certificate. */
  readonly tls?: boolean;
}

export interface Watchdog {
  guard(door: Door): void;
  stop(): Promise<void>;
}

/** How often the shared memory is looked at. Work that is seen twice is looked into; from then on as often. */
const LOOK_MS = 250;
/** How many looks until the door is guarded: a process is started for that. */
const LOOKS_BEFORE_DOOR = 4;

/** @param hooks the expression whose `look` and `cancel` this thread is to call */
export function startWatchdog(sequence: SharedArrayBuffer, hooks: string): Watchdog {
  const worker = new Worker(WATCHDOG, {
    eval: true,
    // Options of this process (a debugger's port, modules to load first) are not for it.
    execArgv: [],
    workerData: {
      sequence,
      hooks,
      thread: isMainThread ? 0 : threadId,
      lookMs: LOOK_MS,
      looksBeforeDoor: LOOKS_BEFORE_DOOR,
      doorman: DOORMAN,
    },
  });
  // Without it work goes on until it is done, as where there is no inspector.
  worker.on('error', () => {});
  worker.unref();
  return {
    guard: (door) => worker.postMessage(door),
    stop: async () => {
      await worker.terminate();
    },
  };
}

const WATCHDOG = `
const { parentPort, workerData } = require('node:worker_threads');
const { spawn } = require('node:child_process');
const { Session } = require('node:inspector');
const { hooks, thread, lookMs, looksBeforeDoor, doorman } = workerData;
const sequence = new Int32Array(workerData.sequence);
let door, guarding, looking = false, last = 0, looks = 0;
parentPort.on('message', (told) => (door = told));

// Odd: work goes on.
setInterval(() => {
  const now = Atomics.load(sequence, 0);
  const same = now === last && (now & 1) === 1;
  last = now;
  if (!same) {
    looks = 0;
    guarding?.stdin.end();
    guarding = undefined;
    return;
  }
  looks++;
  if (door?.fd >= 0 && looks >= looksBeforeDoor) guarding ??= guard(door);
  if (looking) return;
  looking = true;
  call('look(' + now + ')', () => (looking = false));
}, lookMs);

const evaluateInThread = ${evaluateInThread.toString()};
function call(expression, done) {
  const session = new Session();
  session.connectToMainThread();
  evaluateInThread(session, thread, hooks + '?.' + expression, done);
}

function guard({ fd, host, port, tls }) {
  const stdio = ['pipe', 'pipe', 'ignore', fd];
  const child = spawn(process.execPath, ['-e', doorman, host, String(port), tls ? 'tls' : ''], { stdio, env: {} });
  child.on('error', () => {});
  child.stdin.on('error', () => {});
  let rest = '';
  child.stdout.setEncoding('latin1').on('data', (text) => {
    const lines = (rest + text).split('\\n');
    rest = lines.pop();
    for (const line of lines) if (/^-?\\d+,-?\\d+$/.test(line)) call('cancel(' + line + ')');
  });
  return child;
}
`;

/**
 * Stands at the door while the server's thread hears nothing: takes connections, tells of cancel requests ("<pid>,<secret>"), keeps all others
 * until its input ends and passes them on then.
 */
const DOORMAN = `
const net = require('node:net');
const [host, port, tls] = process.argv.slice(-3);
const kept = [];
let closed = false;
const server = net.createServer((socket) => {
  let bytes = Buffer.alloc(0);
  const take = (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    while (bytes.length >= 8) {
      const code = bytes.readUInt32BE(4);
      const secures = tls && (code === 80877103 || bytes[0] === 22);
      if (!secures && (code === 80877103 || code === 80877104)) {
        bytes = bytes.subarray(8);
        socket.write('N');
        continue;
      }
      if (!secures && code === 80877102) {
        if (bytes.length < 16) return;
        process.stdout.write(bytes.readInt32BE(8) + ',' + bytes.readInt32BE(12) + '\\n');
        socket.end();
        return;
      }
      socket.off('data', take).pause().setTimeout(0);
      if (closed) pass(socket, bytes);
      else kept.push([socket, bytes]);
      return;
    }
  };
  socket.on('error', () => socket.destroy());
  socket.setTimeout(10000, () => socket.destroy());
  socket.on('data', take);
});
server.maxConnections = 100;
server.listen({ fd: 3 });

function pass(socket, bytes) {
  const main = net.connect(Number(port), host);
  main.setNoDelay(true);
  socket.setNoDelay(true);
  main.write(bytes);
  main.on('error', () => socket.destroy()).on('close', () => socket.destroy());
  socket.on('close', () => main.destroy());
  socket.pipe(main).pipe(socket);
}

process.stdout.on('error', () => {});
process.stdin.on('error', () => {}).on('close', () => {
  closed = true;
  server.close();
  for (const [socket, bytes] of kept) pass(socket, bytes);
});
process.stdin.resume();
`;
