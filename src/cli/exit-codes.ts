/** What the process tells whoever started it. */
export const exitCodes = Object.freeze({
  /** The job finished; the file is valid; the command did what it was asked. */
  ok: 0,
  /** The job failed, or the command could not do its work. */
  failed: 1,
  /** The command line or the job file is wrong. */
  usage: 2,
  /** A signal, or a reader of standard output that went away. */
  interrupted: 130,
});
