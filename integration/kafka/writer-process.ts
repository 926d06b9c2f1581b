/*
 * A process that writes in transactions until it is killed. Takes a Target as JSON; prints the handles of checkpoint 1,
 * then writes rows that belong to no checkpoint, says `open` once brokers have them, and waits.
 */
import { openTransactionalWriter, type Target } from './transactional-writer.ts';

const target = JSON.parse(process.argv[2] ?? '') as Target;
const writer = await openTransactionalWriter(target);
await writer.write(['a', 'b']);
process.stdout.write(`${JSON.stringify(await writer.committing.prepareCommit(1))}\n`);
await writer.write(['c']);
// Prepared, and never in a completed checkpoint.
await writer.committing.prepareCommit(2);
await writer.write(['d']);
process.stdout.write('open\n');
setInterval(() => undefined, 60_000);
