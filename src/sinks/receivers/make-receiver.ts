import { segError } from '../../diagnostics/seg-error.ts';
import type { Sink } from '../sink.ts';
import type { Receiver, ReceiverContext } from './receiver.ts';

/** The receiver of a sink; only the library of its type is loaded. @throws SegError for settings that cannot work */
export async function makeReceiver(context: ReceiverContext): Promise<Receiver> {
  switch (context.sink.node.type) {
    case 'webhook':
      return (await import('./webhook.ts')).webhookReceiver(context);
    case 'slack':
      return (await import('./slack.ts')).slackReceiver(context);
    case 'stdout':
      return (await import('./stdout.ts')).stdoutReceiver(context);
    case 'file':
      return (await import('./file.ts')).fileReceiver(context);
    case 'postgres':
      return (await import('./postgres.ts')).postgresReceiver(context);
    case 'kafka':
      return (await loadKafka(context.sink)).kafkaReceiver(context);
    case 'salesforce':
      return (await import('./salesforce.ts')).salesforceReceiver(context);
    case 'hubspot':
      return (await import('./hubspot.ts')).hubspotReceiver(context);
  }
}

/** Its library is installed by those who use it (an optional peer of the package). @throws SegError SEG732 */
async function loadKafka(
  sink: Sink,
): Promise<{ readonly kafkaReceiver: (context: ReceiverContext) => Receiver }> {
  try {
    return await import('./kafka.ts');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes('@platformatic/kafka')) throw error;
    throw segError(
      'SEG732',
      `sink "${sink.name}" needs the package "@platformatic/kafka", which is not installed`,
      {
        at: sink.node.at,
        hint: 'Run "npm install @platformatic/kafka" where seg is installed.',
        cause: error,
      },
    );
  }
}
