import { ServicesError, USAGE_EXIT_CODE } from '../services/index.ts';
import type { DemoEnds } from './ends.ts';
import { startFileEnds } from './file-ends.ts';
import { startKafkaEnds } from './kafka-ends.ts';

/** Kafka where the machine can run it, else files; says why. */
export async function chooseEnds(tell: (line: string) => void): Promise<DemoEnds> {
  try {
    tell('starting Kafka');
    return await startKafkaEnds(`demo-${process.pid}`, tell);
  } catch (error) {
    if (!(error instanceof ServicesError) || error.exitCode !== USAGE_EXIT_CODE) throw error;
    tell(`${error.message}. The demo uses files instead`);
    return startFileEnds();
  }
}
