import type { OptionTable } from '../core/index.ts';
import { jobFileLimits, jobOptions } from '../graph/index.ts';

export interface TitledOptions {
  readonly title: string;
  readonly doc: string;
  readonly options: OptionTable;
}

/** The options that are not of a connector or format. */
export const optionTables: readonly TitledOptions[] = [
  { title: 'Job', doc: 'Beside `name` and `steps` in a job file.', options: jobOptions },
  {
    title: 'Limits of job files',
    doc: 'They keep a damaged or hostile file from exhausting memory. This version has no way to change them.',
    options: jobFileLimits,
  },
];
