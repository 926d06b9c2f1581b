import { defineErrors } from '../core/index.ts';

export const cliErrors = defineErrors({
  'MR-CLI-USAGE': {
    domain: 'user',
    scope: 'process',
    retry: 'never',
    message: '{problem}',
    help:
      'The command line could not be understood. `millrace help` lists the commands, `millrace help COMMAND` the ' +
      'options of one.',
  },
  'MR-CLI-UNREADABLE-FILE': {
    domain: 'user',
    scope: 'process',
    retry: 'never',
    message: 'cannot read {path}: {reason}',
    help: 'The file does not exist, is a directory, or may not be read by the user who runs the command.',
  },
  'MR-CLI-UNWRITABLE-FILE': {
    domain: 'user',
    scope: 'process',
    retry: 'never',
    message: 'cannot write {path}: {reason}',
    help: 'The folder does not exist, or may not be written to by the user who runs the command.',
  },
  'MR-CLI-FILE-EXISTS': {
    domain: 'user',
    scope: 'process',
    retry: 'never',
    message: '{path} exists already: choose another name, or pass --force to replace it',
    help: '`millrace create FILE` never replaces a file unless it is told to with --force.',
  },
  'MR-CLI-UNKNOWN-CODE': {
    domain: 'user',
    scope: 'process',
    retry: 'never',
    message: 'there is no error {code}{hint}',
    help: '`millrace help errors` lists every code that this version knows.',
  },
  'MR-CLI-JOB-MODULE': {
    domain: 'user',
    scope: 'process',
    retry: 'never',
    message: '{path} makes no job: {reason}',
    help:
      'A job file that ends in .ts or .js is a module, which is imported and must export a job as its default. It ' +
      'may have a syntax error, fail while it runs, or export something else. Node runs TypeScript by leaving types ' +
      'out: enums, namespaces with code and parameter properties are syntax errors.',
  },
  'MR-CLI-CODE': {
    domain: 'user',
    scope: 'process',
    retry: 'never',
    message: 'the code {path} cannot be submitted: {reason}',
    help:
      'The modules that a job names go along when it is submitted, with what they import by relative paths. They are ' +
      'imported once on the machine that submits them. What comes from packages has to be bundled into a file; ' +
      '`millrace` itself and the modules of Node are there. `--cluster-code` takes the files that the cluster has.',
  },
  'MR-CLI-NO-CHECKPOINT': {
    domain: 'user',
    scope: 'process',
    retry: 'never',
    message: 'job {job} has no checkpoint to start from: {reason}',
    help:
      'A job keeps its checkpoints in a folder of its name, in `.millrace` or where `--data-dir` says. `--from PATH` ' +
      'names a checkpoint or savepoint anywhere else.',
  },
  'MR-CLI-PLACES-DAMAGED': {
    domain: 'external',
    scope: 'process',
    retry: 'never',
    message: '{path} does not say where the checkpoints of the job are: {reason}',
    help:
      'The file lists the places in which a job with `checkpoint: {storage: …}` has kept its checkpoints. Restore it ' +
      'from a copy; or remove it, and start with `--from` and the place of a checkpoint: what the record of the job ' +
      'names cannot be found without the file.',
  },
  'MR-CLI-NOT-RUNNING': {
    domain: 'external',
    scope: 'process',
    retry: 'never',
    message: 'job {job} does not run, as far as {path} tells: {reason}',
    help:
      'A job with checkpoints that `millrace run` runs can be reached on the same machine by the same user, through ' +
      'the folder that it keeps its checkpoints in: name that with `--data-dir` where it is not `.millrace`. ' +
      '`savepoint` and `stop` ask a cluster where one is named: `--dispatcher http://127.0.0.1:8081`, or ' +
      'MILLRACE_DISPATCHER.',
  },
  'MR-CLI-CONTROL-FAILED': {
    domain: 'external',
    scope: 'process',
    retry: 'never',
    message: 'the running job gave no answer: {reason}',
    help: 'Its process has ended meanwhile, or is of another version. What it tells about itself says which.',
  },
  'MR-CLI-SETTINGS': {
    domain: 'user',
    scope: 'process',
    retry: 'never',
    message: 'the process cannot start with its settings: {problems}',
    help:
      'Settings of a Dispatcher or TaskManager come from flags, variables `MILLRACE_*`, and `millrace.yaml` or the ' +
      'file that `--config` names; an earlier one of these wins. Each line says where the setting stands and what is ' +
      'wrong with it.',
  },
  'MR-CLI-CLUSTER-START': {
    domain: 'external',
    scope: 'process',
    retry: 'never',
    message: '{process} did not start: it ended, {end}',
    help:
      'What the process said stands above, behind its name. A port that is in use is the usual reason: `--rest-port ' +
      '0` takes any that is free.',
  },
  'MR-CLI-NO-DISPATCHER': {
    domain: 'external',
    scope: 'process',
    retry: 'backoff',
    message: 'no Dispatcher that leads has answered within {seconds} s at {place}: {reason}',
    help:
      'Name a Dispatcher of the cluster with `--dispatcher URL` or MILLRACE_DISPATCHER, or its ZooKeeper with ' +
      '`--zookeeper HOSTS/FOLDER`. A new leader is elected within seconds; `--timeout` says how long it is waited for.',
  },
  'MR-CLI-REFUSED': {
    domain: 'external',
    scope: 'process',
    retry: 'never',
    message: 'refused with status {status}: {reason}',
    help: 'What answered is no Dispatcher of Millrace, or of another version; or something in front of it refuses.',
  },
  'MR-CLI-ANSWER': {
    domain: 'external',
    scope: 'process',
    retry: 'never',
    message: 'the answer to {request} makes no sense: {reason}',
    help: 'What answered is no Dispatcher of Millrace, or one of another version. `--dispatcher` says which was asked.',
  },
  'MR-CLI-OUTCOME-UNKNOWN': {
    domain: 'external',
    scope: 'process',
    retry: 'never',
    message: 'the leader that was to do it is gone: `millrace status` says what has become of the job; try again',
    help:
      'A savepoint, a stop or a change of parallelism ends with the Dispatcher that was asked for it. The job goes ' +
      'on under the new leader, unless it had been stopped already.',
  },
  'MR-CLI-NOTHING-TO-GENERATE': {
    domain: 'user',
    scope: 'process',
    retry: 'never',
    message: '{reason}',
    help:
      '`millrace datagen` prints the rows of a step whose source is datagen or nexmark: of the job file that is ' +
      'named, or of the flags --field or --nexmark.',
  },
});
