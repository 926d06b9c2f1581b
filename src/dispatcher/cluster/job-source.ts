/** What a job was compiled from, as it is stored: the next leader may have to compile it anew. */
import { readBundle, readShape, shape, type CodeBundle, type StepRole } from '../../core/index.ts';
import type { JobCode } from '../../ha/index.ts';
import type { SubmittedCode } from '../cluster-service.ts';
import { clusterErrors } from '../errors.ts';

export interface JobSource {
  /** A job file. */
  readonly text: string;
  /** What `${NAME}` stands for in it. */
  readonly variables: Readonly<Record<string, string>>;
  /** Absent for a job without code, or with code that the cluster has. */
  readonly code?: SubmittedCode;
}

const { fields, map, nullable, oneOf, text } = shape;

const roleShape = oneOf<StepRole>('process', 'map', 'filter', 'flat-map', 'lookup');
const moduleShape = nullable(
  fields({
    file: text,
    name: text,
    origin: fields({ fingerprint: text, variables: map(text) }),
    roles: map(roleShape),
  }),
);
const sourceShape = fields(
  { text, variables: map(text) },
  { code: fields({ hash: text, named: map(text), module: moduleShape }) },
);

/** The code itself is stored beside it. */
export function storedSource({ code, ...source }: JobSource): string {
  if (code === undefined) return JSON.stringify(source);
  const { bundle, named, module } = code;
  return JSON.stringify({ ...source, code: { hash: bundle.hash, named, module } });
}

/** `readCode` is asked where the job came with code. */
export async function readSource(stored: string, readCode: () => Promise<JobCode | null>): Promise<JobSource> {
  const reading = readShape(sourceShape, JSON.parse(stored));
  if (reading.kind === 'refused') throw new Error(`the stored job file is damaged: ${reading.reason}`);
  const { code, ...source } = reading.value;
  if (code === undefined) return source;
  const { hash, ...rest } = code;
  return { ...source, code: { ...rest, bundle: checkedCode(await readCode(), hash) } };
}

/** Code as it is stored; throws MR-CLUSTER-NO-CODE where it is not there, or is another. */
export function checkedCode(stored: JobCode | null, hash: string): CodeBundle {
  const reading = stored === null ? null : readBundle(stored.text, hash);
  if (reading?.kind === 'read') return reading.bundle;
  throw clusterErrors.create('MR-CLUSTER-NO-CODE', { hash, reason: reading?.reason ?? 'the job has ended' });
}
