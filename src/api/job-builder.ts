import type { CodeOfStep, StepRole } from '../core/index.ts';
import type { CallSite } from './call-site.ts';
import { apiErrors } from './errors.ts';
import type { Expressions } from './expressions.ts';
import { JOB_MARK } from './job-definition.ts';
import type { BuiltJob, JobDefinition, StatedType, StepCode } from './job-definition.ts';
import { plainMap } from './plain-map.ts';
import type { PlainMap } from './plain-map.ts';
import type { JobSettings, StepSettings } from './settings.ts';

/** Stands in the document where a job file would name a file with code. */
export const CODE = 'code of the job';

/** A step as its verb makes it. */
export interface NewStep {
  readonly id: string;
  /** The names of the streams that it reads; a list where the verb takes several. */
  readonly from?: string | readonly string[];
  /** The verb and its settings, as in a job file; what is undefined is left out. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly common: StepSettings | undefined;
  readonly site: CallSite | null;
}

/** The steps of one job as they are made. */
export class JobBuilder implements BuiltJob {
  readonly [JOB_MARK] = 1;
  readonly name: string;
  readonly #settings: PlainMap;
  readonly #site: CallSite | null;
  readonly #steps: (PlainMap & { readonly id: string })[] = [];
  readonly #sites: (CallSite | null)[] = [];
  readonly #stated: StatedType[] = [];
  readonly #roles = new Map<string, StepRole>();
  readonly #code = new Map<string, StepCode>();

  constructor(name: string, settings: JobSettings, site: CallSite | null) {
    this.name = name;
    this.#settings = plainMap({ ...settings }, 'the job');
    this.#site = site;
  }

  add({ id, from, settings, common, site }: NewStep): void {
    const { parallelism } = common ?? {};
    const step = plainMap({ id, from, ...settings, parallelism }, `step ${id}`);
    this.#steps.push({ ...step, id });
    this.#sites.push(site);
  }

  addCode<Role extends StepRole>(stepId: string, role: Role, code: CodeOfStep[Role]): void {
    this.#roles.set(stepId, role);
    this.#code.set(stepId, code);
  }

  /** The expressions of a step as text; their stated types are kept. */
  texts(stepId: string, expressions: Expressions): Readonly<Record<string, string>> {
    return Object.fromEntries(
      Object.entries(expressions).map(([field, expression]) => {
        if (typeof expression === 'string') return [field, expression];
        this.#stated.push({ stepId, field, type: expression.type });
        return [field, expression.sql];
      }),
    );
  }

  /** Refuses a stream of another job. */
  own(stepId: string, builder: JobBuilder, name: string): string {
    if (builder === this) return name;
    throw apiErrors.create('MR-API-OTHER-JOB', { step: stepId, job: this.name, other: name });
  }

  definition(): JobDefinition {
    return {
      document: { name: this.name, ...this.#settings, steps: [...this.#steps] },
      roles: new Map(this.#roles),
      site: this.#site,
      stepSites: [...this.#sites],
      stated: [...this.#stated],
    };
  }

  codeOf(stepId: string): StepCode | undefined {
    return this.#code.get(stepId);
  }
}
