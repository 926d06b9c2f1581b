import { defineErrors } from '../core/index.ts';

export const schedulerErrors = defineErrors({
  'MR-JOB-ILLEGAL-MOVE': {
    domain: 'internal',
    scope: 'job',
    retry: 'never',
    message: '{what} cannot go from {from} to {to}',
    help: 'A bug in the scheduler. Please report it with the log of the Dispatcher.',
  },
  'MR-JOB-NO-SLOTS': {
    domain: 'external',
    scope: 'job',
    // Restart strategies are for what may pass by itself, and this had its time: `slot-timeout`.
    retry: 'never',
    message: 'the job has waited {seconds} s in vain for {wanted}',
    help:
      'A job takes as many slots as its largest parallelism. Start more TaskManagers, give them more slots, end ' +
      'other jobs, or lower the parallelism; then submit the job again: it goes on from its last checkpoint. ' +
      '`slot-timeout` of the Dispatcher says how long jobs wait.',
  },
  'MR-JOB-PART-LATE': {
    domain: 'external',
    scope: 'job',
    retry: 'backoff',
    message: 'a part of the job was restarted, and {what} within {seconds} s',
    help:
      'Where tasks fail that others have nothing to do with, those go on, and no checkpoint completes until all run ' +
      'again. So that their output does not wait for longer than its transactions may, the whole job restarts from ' +
      'its last checkpoint. Where it comes again and again: are there enough free slots, and do checkpoints complete?',
  },
  'MR-JOB-SLOTS-GONE': {
    domain: 'external',
    scope: 'job',
    retry: 'backoff',
    message: 'the slots of attempt {attempt} cannot be taken over: {reason}',
    help:
      'A new leader goes on with the tasks that it finds running. Here it did not find all of them, so the job ' +
      'restarts from its last checkpoint. It needs no action.',
  },
  'MR-TASK-MANAGER-LOST': {
    domain: 'external',
    scope: 'task',
    retry: 'backoff',
    message: 'TaskManager {taskManager} ({address}) is lost: {reason}',
    help:
      'Its process has ended, or did not answer for longer than the heartbeat timeout. Jobs that had tasks there are ' +
      'restarted elsewhere from their last checkpoint. See the log of the TaskManager, and of its machine for a ' +
      'process that was killed for lack of memory.',
  },
  'MR-TASK-MANAGER-DRAINED': {
    domain: 'external',
    scope: 'task',
    retry: 'backoff',
    message: 'TaskManager {taskManager} ({address}) gives up its tasks: {reason}',
    help:
      'Somebody has drained it, or it is being shut down. Jobs that had tasks there go on elsewhere from their last ' +
      'checkpoint; it needs no action where other TaskManagers have free slots.',
  },
  'MR-JOB-NO-CONNECTOR': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'there is no {kind} connector {connector}',
    help: 'Run `millrace list connectors` for the connectors of this build.',
  },
  'MR-JOB-BAD-GRAPH': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'the job graph cannot be run: {problem}',
    help: 'The graph was not made by this version of Millrace, or was changed. Make it anew from the job file.',
  },
  'MR-JOB-STATE-DROPPED': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'the checkpoint has state of steps that the job does not have: {steps}; it would be lost',
    help:
      'State belongs to a step by its id. If a step was renamed, give it its old id back. If its state is not ' +
      'needed any more, say so with `--allow-dropped-state`; output that the step had prepared and that is not ' +
      'committed yet is lost with it.',
  },
  'MR-JOB-STATE-INCOMPATIBLE': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'the job cannot take over the state of the checkpoint: {problems}',
    help:
      'A step can be changed between two runs as long as its state still makes sense: aggregates may be added, ' +
      'dropped and widened, but its kind, its key and its window must stay. Give the changed step a new id (and ' +
      'allow the state of the old one to be dropped), or start anew with `--fresh`.',
  },
  'MR-JOB-MAX-PARALLELISM': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'the job has {present} key groups, and the checkpoint was written with {written}',
    help:
      'Keyed state is divided into `maxParallelism` key groups, and a key stays in its group for ever. Set ' +
      '`maxParallelism` to what it was, or start anew with `--fresh`. `parallelism` may change freely below it.',
  },
  'MR-JOB-CHECKPOINTS-FAIL': {
    domain: 'external',
    scope: 'job',
    retry: 'backoff',
    message: '{failures} checkpoints in a row were aborted, the last one because: {reason}',
    help:
      'The job could not be checkpointed, so a failure would repeat more and more work; it is restarted from the ' +
      'last completed checkpoint. Where checkpoints are too slow, look for a sink that blocks, a full disk, or one ' +
      'subtask that does most of the work; `checkpoint: {timeout, tolerableFailures}` decides how long this is put ' +
      'up with.',
  },
  'MR-JOB-SAVEPOINT-FAILED': {
    domain: 'external',
    scope: 'job',
    retry: 'backoff',
    message: 'no savepoint was made: {reason}',
    help:
      'Nothing has changed: the job goes on as before, also where it was to be stopped with the savepoint. A ' +
      'savepoint needs a job that takes checkpoints and still has input to read; it waits for the checkpoint that is ' +
      'under way, and is bound to `checkpoint: {timeout}` like any other.',
  },
  'MR-JOB-NEEDS-CHECKPOINTS': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'step {step} writes exactly-once, for which the job must take checkpoints',
    help:
      'What such a sink writes becomes visible when a checkpoint is completed. Add `checkpoint: {interval: 10s}` to ' +
      'the job, or give the sink `delivery: at-least-once`.',
  },
  'MR-JOB-NO-CHECKPOINT-STORE': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'the job takes checkpoints, and there is no place to keep them',
    help: 'Whoever started this cluster gave it neither a store for jobs nor a storage for checkpoints.',
  },
  'MR-JOB-TAKES-NO-CHECKPOINTS': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'the job takes no checkpoints, so it cannot start from {location}',
    help: 'Add `checkpoint: {interval: 10s}` to the job.',
  },
  'MR-JOB-NAME-TAKEN': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'a job called {name} is running already ({jobId})',
    help:
      'Jobs that take checkpoints are known by their names over restarts, so two of one name cannot run at a time. ' +
      'Cancel the other one first, or give this one another name.',
  },
  'MR-JOB-STORAGE-TAKEN': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'the checkpoint storage is that of job {name}; start this job with a storage of its own',
    help: 'A job removes files that it does not know from its storage, so no two jobs can share one.',
  },
});
