import type { ConnectorContext, SinkConnector, SinkSpec } from '../../core/index.ts';
import { checkStreamFormat } from '../lines/stream-format.ts';
import { describeWriteErrors, fileErrors } from './errors.ts';
import { FileCommitter } from './file-committer.ts';
import { deliversExactlyOnce, fileSinkOptions, type FileSinkOptions } from './file-sink-options.ts';
import { FileWriter, requireRun } from './file-writer.ts';
import { PART_PREFIX } from './part-files.ts';

/** Lines in files: one file per subtask, or one per subtask and checkpoint. */
export const fileSink: SinkConnector = Object.freeze({
  kind: 'sink',
  name: 'file',
  doc: 'Writes records as lines of files, one file per subtask.',
  options: fileSinkOptions,
  formatUse: 'required',
  example: 'path: out\nformat: json',
  acceptedModes: () => ['append'],
  check: (spec) => checkStreamFormat(spec.format),
  prepare: prepareDirectory,
  createWriter: (spec) => new FileWriter(spec),
  isTransactional: deliversExactlyOnce,
  createCommitter: (spec, { run, ports }) =>
    new FileCommitter((spec.options as FileSinkOptions).path, spec.stepId, requireRun(run), ports),
} satisfies SinkConnector);

/** Where a job goes on from a checkpoint, what is there is its own. */
async function prepareDirectory(spec: SinkSpec, { ports: { files }, isRestored }: ConnectorContext): Promise<void> {
  const { path, overwrite } = spec.options as FileSinkOptions;
  await describeWriteErrors(path, async () => {
    await files.makeDirectory(path);
    if (isRestored === true) return;
    for (const name of [...(await files.list(path))].sort()) {
      const file = `${path}/${name}`;
      if (!name.startsWith(PART_PREFIX) || (await files.stat(file)) === null) continue;
      if (!overwrite) throw fileErrors.create('MR-FILE-EXISTS', { path, file });
      await files.remove(file);
    }
  });
}
