import { Command } from 'commander';

import { nearestName } from '../../core/index.ts';
import { printResult, tell, type CommandContext } from '../command-context.ts';
import { cliErrors } from '../errors.ts';
import { reasonOf } from '../job-file.ts';

interface CreateOptions {
  readonly source: string;
  readonly sink: string;
  readonly name?: string;
  readonly force?: true;
}

export function createCommand(context: CommandContext): Command {
  return new Command('create')
    .description('writes a commented job to start from')
    .argument('[file]', 'where to write it; standard output where it is left out')
    .option('--source <connector>', 'where rows come from', 'datagen')
    .option('--sink <connector>', 'where rows go', 'print')
    .option('--name <name>', "the job's name; else made from the file's")
    .option('--force', 'replaces the file if it is there')
    .action(async (path: string | undefined, options: CreateOptions) => {
      const [{ starterJob }, { catalog }] = await Promise.all([import('../starter-job.ts'), import('../catalog.ts')]);
      const text = await starterJob({
        name: options.name ?? nameOf(path),
        source: find(catalog.sources, 'source', options.source),
        sink: find(catalog.sinks, 'sink', options.sink),
      });
      if (path === undefined) await printResult(context, text);
      else await writeNew(context, path, text, options.force === true);
    });
}

/** `orders` for `jobs/orders.yaml`. */
function nameOf(path: string | undefined): string {
  const base = (path?.split(/[\\/]/).at(-1) ?? '').replace(/\.[^.]*$/, '');
  const name = base.replace(/[^A-Za-z0-9_.-]+/g, '-').replace(/^[^A-Za-z0-9_]+/, '');
  return name === '' ? 'my-job' : name;
}

function find<T>(all: ReadonlyMap<string, T>, kind: string, name: string): T {
  const found = all.get(name);
  if (found !== undefined) return found;
  const names = [...all.keys()];
  const near = nearestName(name, names);
  const hint = near === null ? `; there are: ${names.join(', ')}` : `; did you mean \`${near}\`?`;
  throw cliErrors.create('MR-CLI-USAGE', { problem: `there is no ${kind} \`${name}\`${hint}` });
}

async function writeNew(context: CommandContext, path: string, text: string, force: boolean): Promise<void> {
  const { files } = context.ports;
  const isThere = await files.stat(path).catch((error: unknown) => {
    throw cliErrors.create('MR-CLI-UNWRITABLE-FILE', { path, reason: reasonOf(error) }, error);
  });
  if (isThere !== null && !force) throw cliErrors.create('MR-CLI-FILE-EXISTS', { path });
  try {
    await files.writeText(path, text);
  } catch (error) {
    throw cliErrors.create('MR-CLI-UNWRITABLE-FILE', { path, reason: reasonOf(error) }, error);
  }
  tell(context, `wrote ${path}; next: millrace lint ${path} && millrace run ${path}`);
}
