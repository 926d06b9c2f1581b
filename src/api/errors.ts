import { defineErrors } from '../core/index.ts';
import type { ErrorRow } from '../core/index.ts';

const mistake = (message: string, help: string): ErrorRow => ({
  domain: 'user',
  scope: 'job',
  retry: 'never',
  message,
  help,
});

/** What is wrong with a job in TypeScript, before it is looked at as a job. */
export const apiErrors = defineErrors({
  'MR-API-OTHER-JOB': mistake(
    'step {step} of job {job} reads `{other}`, which belongs to another job',
    'Every stream belongs to the job() that its source was made with. Make all sources of a job with the same one.',
  ),
  'MR-API-NOT-PLAIN': mistake(
    '{where} cannot hold {what}: settings are text, numbers, true, false, null, lists and plain objects',
    'A job is plain data, and the same on every machine. Code goes to `map`, `filter`, `flatMap` and `process` alone.',
  ),
  'MR-API-STATED-TYPE': mistake(
    '`{field}` is of type {actual}, not {stated} as typed() says',
    'typed(SQL, TYPE) tells TypeScript what the engine knows anyway. CAST(… AS type) changes the type of a value.',
  ),
  'MR-API-NO-VARIABLE': mistake(
    'the variable `{name}` is not set: pass `--set {name}=value`, set it in the environment, or give get() a default',
    'A job that is a function of its environment asks for it with `env.get(NAME)`.',
  ),
  'MR-API-LATE-VARIABLE': mistake(
    'the variable `{name}` is asked for by code that runs: ask while the job is made, and use the value in the code',
    'Slots get the variables that the job function has asked for before it returned: ' +
      "`const limit = Number(env.get('LIMIT'))` there, and `limit` in the code of steps.",
  ),
  'MR-API-NOT-A-JOB': mistake(
    '{module}: its export `{name}` is {what}, not a job',
    'A job module says `export default` with a job, as job() begins and sink() ends it, or with a function of the ' +
      'environment that returns one: `export default (env) => job(…)…`. It may be async.',
  ),
  'MR-API-NO-CODE': mistake(
    'the job of {module} has no step {step} with code',
    'The module is not the one that the job was submitted with. Run the job anew.',
  ),
  'MR-API-DIFFERENT-JOB': mistake(
    '{module} makes another job each time that it is imported, or is not the file that was submitted',
    'Every slot imports the module by itself and must find the job that was submitted. A module must not depend on ' +
      'chance, on the clock or on `process.env`; what differs from run to run comes from `env.get(NAME)`.',
  ),
});
