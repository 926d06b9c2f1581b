import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { DemoEnds } from './ends.ts';

/** Files instead of topics, for machines that can run no broker. */
export async function startFileEnds(): Promise<DemoEnds> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-demo-'));
  const orders = join(folder, 'orders.jsonl');
  const totals = join(folder, 'order-totals.jsonl');
  await writeFile(orders, '');
  return {
    variables: { ORDERS: orders },
    boundedVariables: {},
    endlessVariables: { FOLLOW: 'true' },
    outputFile: totals,
    jobFile: 'examples/demo/order-totals-files.yaml',
    description: `files in ${folder}`,
    send: (lines) => appendFile(orders, lines.map((line) => `${line}\n`).join('')),
    async readOutput() {
      const text = await readFile(totals, 'utf8').catch(() => '');
      return text.split('\n').filter((line) => line !== '');
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
