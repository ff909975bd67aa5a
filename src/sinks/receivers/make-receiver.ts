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
      return (await import('./kafka.ts')).kafkaReceiver(context);
    case 'salesforce':
      return (await import('./salesforce.ts')).salesforceReceiver(context);
    case 'hubspot':
      return (await import('./hubspot.ts')).hubspotReceiver(context);
  }
}
