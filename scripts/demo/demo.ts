import { chooseEnds } from './choose-ends.ts';
import { sendOrders, type DemoEnds } from './ends.ts';
import { startJob, type JobProcess } from './job-process.ts';
import { differenceOf, formatTotals, OrderSource, totalsOf } from './orders.ts';

export interface DemoOptions {
  /** The folder of the project. */
  readonly root: string;
  /** Whether to end by itself: a fixed number of orders, and the output judged. */
  readonly once: boolean;
  readonly tell: (line: string) => void;
  /** Aborted by Ctrl-C. */
  readonly interrupted: AbortSignal;
}

const SEED = 20_260_101;
const ORDERS_ONCE = 100_000;
const JOB_DEADLINE_MS = 60_000;
const ORDERS_PER_TICK = 400;
const TICK_MS = 100;
const INTERRUPTED_EXIT_CODE = 130;

/** Runs the demo; resolves to its exit code once nothing of it is left. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const { tell, interrupted, once } = options;
  const ends = await chooseEnds(tell);
  try {
    if (interrupted.aborted) return INTERRUPTED_EXIT_CODE;
    tell(`using ${ends.description}`);
    tell(`running ${ends.jobFile}:`);
    tell('  orders → large (amount > 100 AND region IS NOT NULL) → totals (SUM, COUNT by region) → out');
    return await (once ? runOnce(options, ends) : runLive(options, ends));
  } finally {
    tell('cleaning up');
    await ends.close();
  }
}

async function runOnce({ root, tell, interrupted }: DemoOptions, ends: DemoEnds): Promise<number> {
  const source = new OrderSource(SEED);
  await sendOrders(ends, source, ORDERS_ONCE);
  tell(`${ORDERS_ONCE} orders are there`);
  const job = startJob({ root, ...ends, variables: { ...ends.variables, ...ends.boundedVariables } });
  const deadline = setTimeout(() => {
    tell(`the job did not end within ${JOB_DEADLINE_MS / 1000} s`);
    job.signal('SIGKILL');
  }, JOB_DEADLINE_MS);
  const exitCode = await endOf(job, interrupted);
  clearTimeout(deadline);
  if (interrupted.aborted) return INTERRUPTED_EXIT_CODE;
  if (exitCode !== 0) {
    tell(`the job ended with exit code ${exitCode}`);
    return 1;
  }
  const totals = totalsOf(await ends.readOutput());
  tell(`totals, read back from where the job wrote them:\n${formatTotals(totals)}`);
  const difference = differenceOf(source.totals, totals);
  tell(difference === null ? 'they are right' : `they are wrong: ${difference}`);
  return difference === null ? 0 : 1;
}

async function runLive({ root, tell, interrupted }: DemoOptions, ends: DemoEnds): Promise<number> {
  const source = new OrderSource(SEED);
  await sendOrders(ends, source, ORDERS_PER_TICK);
  tell('Ctrl-C stops it and shows the totals\n');
  const job = startJob({ root, ...ends, variables: { ...ends.variables, ...ends.endlessVariables } });
  const stopped = new AbortController();
  const sending = keepSending(ends, source, stopped.signal);
  const exitCode = await endOf(job, interrupted);
  stopped.abort();
  await sending;
  tell(`totals of ${source.made} orders, as far as the job came:\n${formatTotals(totalsOf(await ends.readOutput()))}`);
  return interrupted.aborted ? INTERRUPTED_EXIT_CODE : exitCode;
}

/** The exit code of the job, which is stopped when the demo is. */
async function endOf(job: JobProcess, interrupted: AbortSignal): Promise<number> {
  const stop = (): void => job.signal('SIGINT');
  if (interrupted.aborted) stop();
  else interrupted.addEventListener('abort', stop, { once: true });
  return job.ended;
}

async function keepSending(ends: DemoEnds, source: OrderSource, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted) {
    await sendOrders(ends, source, ORDERS_PER_TICK);
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
}
