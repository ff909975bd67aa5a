import type { Session } from 'node:inspector';

/**
 * Evaluates an expression in a thread that may be busy, in JavaScript or WebAssembly, between two of its instructions: V8's inspector does that. It
 * opens no port. Its text is also part of a script (watchdog.ts), so it uses nothing but its arguments.
 * @param session a session that is connected to the process's first thread; it is disconnected at the end, since an open one keeps a thread from ending
 * @param thread the `threadId` of the thread; 0 for the first one
 */
export function evaluateInThread(
  session: Session,
  thread: number,
  expression: string,
  done: () => void = () => {},
): void {
  const end = (): void => {
    session.disconnect();
    done();
  };
  if (thread === 0) {
    session.post('Runtime.evaluate', { expression }, end);
    return;
  }
  const message = JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } });
  session.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo } }) => {
    if (workerInfo.title.startsWith(`[worker ${thread}]`))
      session.post('NodeWorker.sendMessageToWorker', { sessionId, message });
  });
  session.on('NodeWorker.receivedMessageFromWorker', () => session.post('NodeWorker.disable', end));
  session.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
}
