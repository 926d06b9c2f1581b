import { jobOfModule } from '../../api/index.ts';
import type { JobExport } from '../../api/index.ts';
import type { CodeLoader } from '../../core/index.ts';
import { compileJobOrThrow, renderJobFile } from '../../graph/index.ts';
import { createOperator } from '../../operators/index.ts';
import { testingCatalog } from './given-ends.ts';
import type { Lookups } from './given-ends.ts';
import { JobHarness } from './job-harness.ts';
import type { HarnessSettings, JobSnapshot } from './job-harness.ts';

export interface TestSettings extends HarnessSettings {
  /** What `env.get(NAME)` gives, in a job that is a function of its environment. */
  readonly variables?: Readonly<Record<string, string>>;
  /** What the steps remember at first: of this job, or of an earlier form of it. */
  readonly restore?: JobSnapshot;
  /** What the job's `lookup` steps find. */
  readonly lookups?: Lookups;
}

const NAME = 'default';

/** A harness around a whole job, which is given the rows of its sources and keeps what its sinks get. */
export async function testJob(exported: JobExport, settings: TestSettings = {}): Promise<JobHarness> {
  const { variables = {}, restore = null, lookups = {} } = settings;
  const catalog = testingCatalog(lookups);
  const module = { module: 'the job', name: NAME, namespace: { [NAME]: exported } };
  const { job, definition, origin } = await jobOfModule(module, (name) => variables[name]);
  const { text } = renderJobFile(definition.document);
  const loadCode: CodeLoader = ({ step }) => Promise.resolve(job.codeOf(step ?? ''));
  return JobHarness.open(
    {
      compile: (parallelism) =>
        compileJobOrThrow(text, {
          fileName: job.name,
          variables: () => undefined,
          catalog,
          parallelism,
          code: { module: 'file:///', name: NAME, origin, roles: definition.roles },
        }),
      create: (node) => createOperator(node, loadCode, catalog.lookups),
      settings,
    },
    restore,
  );
}
