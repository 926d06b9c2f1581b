import { defineErrors } from '../core/index.ts';

export const taskErrors = defineErrors({
  'MR-TASK-THREAD-LOST': {
    domain: 'internal',
    scope: 'job',
    retry: 'backoff',
    message: 'the thread of slot {slot} ended while tasks ran on it: {reason}',
    help:
      'A slot is a thread of the TaskManager. It ends early when it runs out of memory, when code on it calls ' +
      'process.exit, or through an error that nothing caught. The reason says which; the log of the TaskManager has ' +
      'the stack. Other slots and the process go on.',
  },
  'MR-TASK-DRAIN-ABORTED': {
    domain: 'external',
    scope: 'job',
    retry: 'backoff',
    message: 'source {step} was drained for savepoint {checkpoint}, which could not be written',
    help:
      'Draining a job makes all windows fire, and that cannot be taken back. As the savepoint failed, the job goes ' +
      'on from its last checkpoint, as after any other failure, by its `restart` strategy.',
  },
  'MR-TASK-STUCK': {
    domain: 'user',
    scope: 'job',
    retry: 'backoff',
    message: 'the thread of slot {slot} has not answered for {seconds} s while it ran {tasks}; it was ended',
    help:
      'Code of one of these steps does not return: an endless loop, or work of many seconds on one record. Long work ' +
      'has to be cut into pieces or done asynchronously.',
  },
  'MR-TASK-NO-PROGRESS': {
    domain: 'internal',
    scope: 'job',
    retry: 'never',
    message: 'step {step} returned early from row {row} of {rows} although its output was free',
    help: 'An operator broke its contract (core/operator.ts). Please report it with the job file.',
  },
  'MR-TASK-NO-CONNECTOR': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'step {step} needs the connector {connector}, which this TaskManager does not have',
    help: 'The TaskManager runs an older build than the Dispatcher, or a connector was not installed on it.',
  },
  'MR-TASK-SLOT-OCCUPIED': {
    domain: 'internal',
    scope: 'job',
    retry: 'backoff',
    message: 'slot {slot} already runs job {job}',
    help: 'Two jobs were given one slot. Seen once after a change of leaders it needs no action.',
  },
  'MR-TASK-UNKNOWN-SLOT': {
    domain: 'internal',
    scope: 'job',
    retry: 'backoff',
    message: 'TaskManager {taskManager} has no slot {slot}{occupant}',
    help:
      'The TaskManager was restarted and registers its slots anew, or the slot was freed; the job is deployed again.',
  },
  'MR-TASK-NO-CODE': {
    domain: 'external',
    scope: 'job',
    retry: 'backoff',
    message: 'the code of job {job} cannot be had: {reason}',
    help:
      'The leading Dispatcher keeps the code that was submitted with a job, and TaskManagers fetch it before they ' +
      'start its tasks. Either the Dispatcher could not be reached, or the work directory cannot be written to.',
  },
  'MR-TASK-MANAGER-CLOSING': {
    domain: 'external',
    scope: 'job',
    retry: 'backoff',
    message: 'TaskManager {taskManager} is being shut down and takes no tasks',
    help: 'The job is deployed again, elsewhere. Seen once where a TaskManager is stopped it needs no action.',
  },
  'MR-TASK-DATA-PORT': {
    domain: 'user',
    scope: 'process',
    retry: 'never',
    message: 'slots cannot be reached at {host}:{port}: {reason}',
    help:
      'Each slot of a TaskManager listens at a port of its own for the slots of other processes. Something else ' +
      'listens there, or the machine has no such address. Choose other ports, or another address, in its settings.',
  },
  'MR-TASK-PEER-ELSEWHERE': {
    domain: 'internal',
    scope: 'job',
    retry: 'never',
    message: 'slot {slot} exchanges data with slot {peer} of another process, and one of the two has no address',
    help: 'TaskManagers of one cluster are all started in the same way. Please report it with how these were started.',
  },
  'MR-TASK-LINK-UNREACHABLE': {
    domain: 'external',
    scope: 'job',
    retry: 'backoff',
    message: 'slots {slot} and {peer} have not connected at {address} within {seconds} s: {reason}',
    help:
      'Slots of a job that are in different TaskManagers exchange rows over TCP, each at its own port. The other ' +
      'process has ended, or a firewall or a wrong host name stands between the two: every TaskManager must reach ' +
      'every other one at the host that it is registered with.',
  },
  'MR-TASK-LINK-LOST': {
    domain: 'external',
    scope: 'job',
    retry: 'backoff',
    message: 'the connection with slot {peer} broke: {reason}',
    help:
      'The TaskManager of the other slot has ended, its thread has not answered for a long time, or the network ' +
      'between the two broke. What was on its way is lost, so the job goes on from its last checkpoint.',
  },
  'MR-TASK-ROW-TOO-LARGE': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: 'a row of {bytes} bytes is too large for an exchange, which takes up to {limit}',
    help: 'Drop or shorten large fields before the step that spreads the rows: select only what later steps need.',
  },
  'MR-TASK-NOT-RUNNING': {
    domain: 'internal',
    scope: 'task',
    retry: 'backoff',
    message: 'checkpoint {checkpoint} came before the task was running',
    help: 'The checkpoint is aborted, and the next one is taken as usual. No action is needed.',
  },
  'MR-TASK-CHECKPOINT-OVERTAKEN': {
    domain: 'internal',
    scope: 'task',
    retry: 'backoff',
    message: 'checkpoint {checkpoint} was not complete when the barrier of a newer one came',
    help:
      'The checkpoint is aborted, and the newer one goes on. Seen often, it says that checkpoints take longer than ' +
      'their interval: raise `checkpoint: interval` or look for the slow step.',
  },
  'MR-TASK-STATE-UNCLAIMED': {
    domain: 'internal',
    scope: 'job',
    retry: 'never',
    message: 'the checkpoint holds state of kind {kind} for a step that remembers nothing',
    help: 'The plan that the job was restored by does not fit its steps. Please report it with the job file.',
  },
  'MR-TASK-ROWS-UNCLAIMED': {
    domain: 'internal',
    scope: 'job',
    retry: 'never',
    message: 'the checkpoint holds rows on their way to step {step}, where no chain of this task begins or goes on',
    help: 'The plan that the job was restored by does not fit its steps. Please report it with the job file.',
  },
  'MR-TASK-BAD-FRAME': {
    domain: 'internal',
    scope: 'job',
    retry: 'backoff',
    message: 'a frame of data is unreadable: {problem}',
    help: 'The two ends of an exchange run builds that do not fit each other, or data was damaged on its way.',
  },
});
