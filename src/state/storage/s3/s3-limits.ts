export interface S3Limits {
  /** A file that is larger goes up in parts; the service wants them to be of 5 MiB at least. */
  readonly partBytes: number;
  /** Parts grow so that no file needs more of them than a service takes: twice as large every so many parts. */
  readonly partsPerSize: number;
  /** Read at a time by whoever reads parts of a file: chunks that are close together cost one request. */
  readonly readAheadBytes: number;
  /** How often a request is sent at most. */
  readonly attempts: number;
  readonly firstBackoffMs: number;
  readonly maxBackoffMs: number;
  /** A request, or the next bytes of an answer, that takes longer is given up. */
  readonly timeoutMs: number;
}

export const s3Limits: S3Limits = {
  partBytes: 8 * 1024 * 1024,
  partsPerSize: 1000,
  readAheadBytes: 4 * 1024 * 1024,
  attempts: 6,
  firstBackoffMs: 200,
  maxBackoffMs: 5000,
  timeoutMs: 30_000,
};
