/* A process that writes in transactions until it is killed. */
import { openTransactionalWriter, type Target } from './transactional-writer.ts';

/**
 * Takes a Target as JSON; prints the handles of checkpoint 1, then writes rows that belong to no completed checkpoint,
 * says `open`, and waits.
 */
export async function writeUntilKilled(json: string): Promise<void> {
  const target = JSON.parse(json) as Target;
  const writer = await openTransactionalWriter(target);
  await writer.write(['a', 'b']);
  process.stdout.write(`${JSON.stringify(await writer.committing.prepareCommit(1))}\n`);
  await writer.write(['c']);
  await writer.committing.prepareCommit(2);
  await writer.write(['d']);
  process.stdout.write('open\n');
  setInterval(() => undefined, 60_000);
}
