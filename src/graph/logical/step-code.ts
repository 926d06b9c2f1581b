import type { CodeReference, CodeRole } from '../../core/index.ts';

/** The code of a step of the TypeScript API. */
export interface StepCode {
  readonly reference: CodeReference;
  readonly role: CodeRole;
}

/** A file that a step of a job file names. */
export interface CodeFile {
  /** Its `file:` URL. */
  readonly url: string;
  /** Null where there is no such file. */
  readonly text: string | null;
}

/** Where the code of steps is. */
export interface CodeSource {
  /** Of a `process` step of a job that a module makes; null where a job file has to name a file. */
  readonly ofStep: (stepId: string) => StepCode | null;
  /** The same of a `lookup` step. */
  readonly ofLookup: (stepId: string) => CodeReference | null;
  /** By the path as the job file has it. */
  readonly files: ReadonlyMap<string, CodeFile>;
}

/** `./file.ts#name` in its parts. */
export interface FileReference {
  readonly path: string;
  readonly name: string;
}

const REFERENCE = /^(?<path>(?:\.{1,2}\/|\/)[^#]+)#(?<name>[^#]+)$/;
const DECLARED =
  /\bexport\s+(?:declare\s+|abstract\s+|async\s+)*(?:class|function\*?|const|let|var)\s+([\p{ID_Continue}$]+)/gu;
const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

/** Null where the text is none. */
export function fileReference(text: string): FileReference | null {
  const { path, name } = REFERENCE.exec(text.trim())?.groups ?? {};
  return path === undefined || name === undefined || !IDENTIFIER.test(name) ? null : { path, name };
}

/** Names that a module exports, as far as its text shows. */
export function exportedNames(text: string): readonly string[] {
  return [...text.matchAll(DECLARED)].map(([, name]) => name ?? '');
}

/** Whether a module cannot have an export of that name: whatever form an export has, its name stands in the text. */
export function lacksExport(text: string, name: string): boolean {
  if (/\bexport\s*\*/.test(text)) return false;
  const words = text.split(/[^\p{ID_Continue}$]+/u);
  return !words.includes(name);
}
