/*
 * npm run crash-test: kills a job by SIGKILL at random instants and at every step of the commit protocol, starts it
 * again each time, and compares what it wrote with what it should have. Exit code 0 only for `lost 0, duplicated 0`.
 */
import { crashJobs, formatReport, isPassed, runCrashTest } from '../integration/crash/index.ts';
import { KAFKA_RELEASES, readOptions, runProgram, runWithServices, tell, usageErrorOf } from './services/index.ts';

const DEFAULT_JOB = 'joined';
const USAGE = `usage: npm run crash-test -- [options]

  --kills N        how often the job is killed (default: 20)
  --seed N         decides the orders and when the job is killed; the same seed does the same again (default: by chance)
  --job NAME       ${crashJobs.map(({ name }) => name).join(', ')} (default: ${DEFAULT_JOB})
  --kafka VERSION  ${KAFKA_RELEASES.join(' or ')} (default: 3.9)
  --alignment-timeout DURATION
                   when barriers overtake, such as 0s or never (default: that of jobs)
`;

const usageError = usageErrorOf(USAGE);

function readArguments() {
  const options = {
    kills: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(1 + Math.floor(Math.random() * 1_000_000)) },
    job: { type: 'string', default: DEFAULT_JOB },
    kafka: { type: 'string', default: '3.9' },
    'alignment-timeout': { type: 'string' },
  } as const;
  const values = readOptions(options, usageError);
  const kafka = KAFKA_RELEASES.find((release) => release === values.kafka);
  if (kafka === undefined) throw usageError(`--kafka ${values.kafka}: ${KAFKA_RELEASES.join(' or ')}`);
  const job = crashJobs.find(({ name }) => name === values.job);
  const jobNames = crashJobs.map(({ name }) => name).join(', ');
  if (job === undefined) throw usageError(`--job ${values.job}: one of ${jobNames}`);
  for (const name of ['kills', 'seed'] as const) {
    if (!/^[1-9]\d{0,8}$/.test(values[name])) throw usageError(`--${name} ${values[name]}: a number from 1 on`);
  }
  const alignmentTimeout = values['alignment-timeout'];
  return { kafka, job, kills: Number(values.kills), seed: Number(values.seed), alignmentTimeout };
}

async function main(): Promise<number> {
  const { kafka, job, kills, seed, alignmentTimeout } = readArguments();
  return runWithServices({
    kind: 'crash-test',
    services: { kafka, zookeeper: false },
    leaves: 'job files, logs and checkpoints',
    async run(services, folder) {
      tell(`Kafka ${services.kafka} at ${services.brokers}; job ${job.name}, ${kills} kills, seed ${seed}`);
      const { brokers } = services;
      const report = await runCrashTest({ brokers, job, kills, seed, folder, tell, alignmentTimeout });
      process.stdout.write(`${formatReport(report)}\n`);
      return isPassed(report);
    },
  });
}

await runProgram(main);
