/** Options of the commands that deal with what jobs keep. */

/** Relative to the working folder. */
export const DATA_FOLDER = '.millrace';

export const DATA_FOLDER_OPTION = [
  '--data-dir <folder>',
  `where jobs keep their checkpoints, each in a folder of its name (${DATA_FOLDER})`,
] as const;

export const ALLOW_DROPPED_STATE = [
  '--allow-dropped-state',
  'lets state go that belongs to steps which the job does not have any more',
] as const;
