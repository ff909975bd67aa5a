// A Kafka broker of one node (KRaft) in a temporary directory, for tests: its jars come from Maven Central through mvn and are
// kept in a cache folder. Needs Java 17 or later and mvn; a broker that cannot be had is an error, never a silent skip.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './temporary-postgres.mjs';

const version = '3.9.1';

function jars() {
  const cache = process.env.SEG_KAFKA_JARS ?? join(homedir(), '.cache', 'seg', `kafka-${version}`);
  if (existsSync(cache) && readdirSync(cache).includes(`kafka_2.13-${version}.jar`)) return cache;
  const folder = mkdtempSync(join(tmpdir(), 'seg-kafka-pom-'));
  mkdirSync(cache, { recursive: true });
  writeFileSync(
    join(folder, 'pom.xml'),
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>seg</groupId><artifactId>kafka</artifactId><version>1</version><dependencies><dependency>
<groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${version}</version>
</dependency></dependencies></project>`,
  );
  const got = spawnSync('mvn', ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${cache}`], {
    cwd: folder,
    stdio: 'inherit',
  });
  rmSync(folder, { recursive: true, force: true });
  if (got.error || got.status !== 0)
    throw new Error('the jars of Kafka cannot be had: mvn and Maven Central are needed');
  return cache;
}

/** Starts a broker. Answers its address and how to stop it. */
export async function startKafka() {
  const classpath = join(jars(), '*');
  const [port, controller] = [await freePort(), await freePort()];
  const folder = mkdtempSync(join(tmpdir(), 'seg-kafka-'));
  const properties = join(folder, 'server.properties');
  writeFileSync(
    properties,
    Object.entries({
      'process.roles': 'broker,controller',
      'node.id': 1,
      'controller.quorum.voters': `1@127.0.0.1:${controller}`,
      listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
      'controller.listener.names': 'CONTROLLER',
      'log.dirs': join(folder, 'logs'),
      'num.partitions': 3,
      'offsets.topic.num.partitions': 1,
      'offsets.topic.replication.factor': 1,
      'transaction.state.log.num.partitions': 1,
      'transaction.state.log.replication.factor': 1,
      'transaction.state.log.min.isr': 1,
      'group.initial.rebalance.delay.ms': 0,
    })
      .map(([key, value]) => `${key}=${value}`)
      .join('\n'),
  );
  const java = ['-Xmx512m', '-cp', classpath];
  const formatted = spawnSync(
    'java',
    [...java, 'kafka.tools.StorageTool', 'format', '-t', 'c2VnLXRlc3Qta2Fma2EtMQ', '-c', properties],
    { encoding: 'utf8' },
  );
  if (formatted.error || formatted.status !== 0)
    throw new Error(`Kafka did not format its storage: ${formatted.stdout}${formatted.stderr}`);
  const broker = spawn('java', [...java, 'kafka.Kafka', properties], { stdio: 'ignore' });
  const stop = () => {
    broker.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  for (let tries = 0; !(await listens(port)); tries++) {
    if (broker.exitCode !== null || tries > 600) {
      stop();
      throw new Error('Kafka did not start');
    }
    await sleep(200);
  }
  return { brokers: `127.0.0.1:${port}`, stop };
}

function listens(port) {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
