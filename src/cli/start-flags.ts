import type { StartMode } from '../scheduler/index.ts';

/** What a command line says about where a job starts. */
export interface StartFlags {
  readonly fresh?: true;
  readonly from?: string;
}

export function startMode({ fresh, from }: StartFlags): StartMode {
  if (fresh === true) return { kind: 'fresh' };
  return from === undefined ? { kind: 'resume' } : { kind: 'from', location: from };
}
