/*
 * npm run services: real Kafka and ZooKeeper for development. Standard output carries only NAME=value lines (`up`) or
 * the status; everything for people goes to standard error.
 */
import { parseArgs } from 'node:util';

import {
  DEFAULT_NAME,
  environmentOf,
  KAFKA_RELEASES,
  listServices,
  runProgram,
  servicesStatus,
  startServices,
  stopAllServices,
  stopServices,
  tell,
  usageErrorOf,
  type KafkaRelease,
  type ServicesStatus,
} from './services/index.ts';

const USAGE = `usage: npm run --silent services -- COMMAND [options]

  up       start ZooKeeper and Kafka; prints KAFKA_BROKERS=… and ZOOKEEPER=… on standard output
  down     stop them and delete their data
  status   tell what runs

  --name NAME      which set of services (default: ${DEFAULT_NAME})
  --kafka VERSION  ${KAFKA_RELEASES.join(' or ')} (up; default: 3.9)
  --brokers N      1, or 3 in racks a, b and c (up; default: 1)
  --no-zookeeper   Kafka alone (up)
  --secure         adds SASL and TLS listeners (up)
  --s3             adds a server that speaks the protocol of S3 (up)
  --all            every set (down, status)
`;

const usageError = usageErrorOf(USAGE);

function readArguments(): {
  command: string;
  name: string;
  kafka: KafkaRelease | undefined;
  brokers: 1 | 3 | undefined;
  zookeeper: boolean | undefined;
  secure: boolean | undefined;
  s3: boolean | undefined;
  all: boolean;
} {
  let parsed;
  try {
    parsed = parseArgs({
      allowPositionals: true,
      options: {
        name: { type: 'string', default: DEFAULT_NAME },
        kafka: { type: 'string' },
        brokers: { type: 'string' },
        'no-zookeeper': { type: 'boolean' },
        secure: { type: 'boolean' },
        s3: { type: 'boolean' },
        all: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = parsed;
  const kafka = KAFKA_RELEASES.find((release) => release === values.kafka);
  if (values.kafka !== undefined && kafka === undefined) {
    throw usageError(`--kafka ${values.kafka}: ${KAFKA_RELEASES.join(' or ')}`);
  }
  if (values.brokers !== undefined && values.brokers !== '1' && values.brokers !== '3') {
    throw usageError(`--brokers ${values.brokers}: 1 or 3`);
  }
  if (positionals.length > 1) throw usageError(`one command, not ${positionals.join(' ')}`);
  return {
    command: values.help === true ? 'help' : (positionals[0] ?? ''),
    name: values.name,
    kafka,
    brokers: values.brokers === undefined ? undefined : values.brokers === '1' ? 1 : 3,
    zookeeper: values['no-zookeeper'] === true ? false : undefined,
    secure: values.secure,
    s3: values.s3,
    all: values.all,
  };
}

function defined<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}

function printStatus(status: ServicesStatus): void {
  const lines = [
    `${status.name}: Kafka ${status.kafka}, ${status.running ? 'up' : 'not all up'}, ${status.directory}`,
    ...status.processes.map((each) => {
      const pid = each.pid === undefined ? '' : ` (process ${String(each.pid)})`;
      return `  ${each.process}: ${each.running ? 'running' : 'stopped'}${each.running ? pid : ''}`;
    }),
    ...Object.entries(environmentOf(status)).map(([name, value]) => `  ${name}=${value}`),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function main(): Promise<number> {
  const { command, all, ...wanted } = readArguments();
  const { name } = wanted;
  switch (command) {
    case 'up': {
      const started = performance.now();
      const services = await startServices({ ...defined(wanted), progress: tell });
      for (const [key, value] of Object.entries(environmentOf(services))) process.stdout.write(`${key}=${value}\n`);
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      tell(`${services.name} is up after ${seconds} s; logs in ${services.directory}`);
      return 0;
    }
    case 'down': {
      const stopped = all ? await stopAllServices() : (await stopServices(name)) ? [name] : [];
      tell(stopped.length === 0 ? 'nothing was up' : `stopped ${stopped.join(', ')}`);
      return 0;
    }
    case 'status': {
      const one = all ? undefined : await servicesStatus(name);
      const statuses = all ? await listServices() : one === undefined ? [] : [one];
      if (statuses.length === 0) tell(all ? 'nothing is up' : `${name} is not up`);
      for (const status of statuses) printStatus(status);
      return statuses.length > 0 && statuses.every((status) => status.running) ? 0 : 1;
    }
    case 'help':
      process.stdout.write(USAGE);
      return 0;
    default:
      throw usageError(command === '' ? 'a command is needed' : `unknown command ${command}`);
  }
}

await runProgram(main);
