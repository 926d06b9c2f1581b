import { callSite } from './call-site.ts';
import type { Expressions, Selected } from './expressions.ts';
import type { Schema } from './field-types.ts';
import { typesOf } from './grouped-stream.ts';
import { JobBuilder } from './job-builder.ts';
import { JOB_MARK } from './job-definition.ts';
import type { BuiltJob, JobDefinition, StepCode } from './job-definition.ts';
import type { JobSettings, NoFields, SourceSettings } from './settings.ts';
import { Stream } from './stream.ts';

/** A job that begins: its sources are streams, whose verbs add steps. */
class Job implements BuiltJob {
  readonly [JOB_MARK] = 1;
  readonly name: string;
  readonly #builder: JobBuilder;

  constructor(builder: JobBuilder) {
    this.name = builder.name;
    this.#builder = builder;
  }

  /** Reads rows through a connector. */
  source<const S extends Schema, const M extends Expressions = NoFields>(
    id: string,
    { connector, schema, metadata, parallelism, ...rest }: SourceSettings<S, M>,
  ): Stream<S & Selected<Schema, M>> {
    const builder = this.#builder;
    const fields = schema === undefined ? undefined : typesOf(schema);
    const made = metadata === undefined ? undefined : builder.texts(id, metadata);
    const settings = { source: connector, schema: fields, metadata: made, ...rest };
    builder.add({ id, settings, common: { parallelism }, site: callSite() });
    return new Stream(builder, id);
  }

  definition(): JobDefinition {
    return this.#builder.definition();
  }

  codeOf(stepId: string): StepCode | undefined {
    return this.#builder.codeOf(stepId);
  }
}

export type { Job };

/** Begins a job: `job('spend', { parallelism: 2 }).source(…)`. */
export function job(name: string, settings: JobSettings = {}): Job {
  return new Job(new JobBuilder(name, settings, callSite()));
}
