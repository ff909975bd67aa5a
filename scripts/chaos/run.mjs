// `npm run test:chaos`: seg is killed, its disk filled, its memory limited, again and again, and what it holds then is compared with what it
// had acknowledged.
//
//   npm run test:chaos -- sinks --kills 100     ingest and delivery, killed (sinks.mjs); also without "sinks"
//   npm run test:chaos -- kill --rounds 200     "seg ingest" and "seg serve", killed (rounds.mjs)
//   npm run test:chaos -- disk --rounds 200     a small file system that is full, and then is not; mounting it needs root
//   npm run test:chaos -- memory --rounds 200   an engine whose memory cannot grow
import process from 'node:process';

const kinds = ['kill', 'disk', 'memory'];
const [kind] = process.argv.slice(2);
if (kinds.includes(kind)) {
  const { rounds } = await import('./rounds.mjs');
  await rounds(kind, process.argv.slice(3));
} else {
  if (kind === 'sinks') process.argv.splice(2, 1);
  await import('./sinks.mjs');
}
