import { defineErrors } from '../core/index.ts';

/** What can go wrong with the leadership and what it keeps. */
export const haErrors = defineErrors({
  'MR-HA-LOCKED': {
    domain: 'user',
    scope: 'process',
    retry: 'never',
    message:
      'job {job} is being run by {owner} ({directory}); end that one first, or give this one another `--data-dir`',
    help:
      'Only one process at a time runs a job from a data directory, as two would write the same output twice. The ' +
      'lock ends with the process that holds it, however that one ends: there is never anything to remove by hand. ' +
      'Where no number is named, another container or machine may hold it.',
  },
  'MR-HA-NAME-TAKEN': {
    domain: 'user',
    scope: 'process',
    retry: 'never',
    message:
      'job {job} cannot be kept in {directory}: that is the directory of job {other}, and this file system takes the ' +
      'two names for one; rename the job, or give it another `--data-dir`',
    help:
      'The data directory of a job bears its name. On file systems that do not tell upper case from lower case, two ' +
      'jobs whose names differ in nothing else would share one.',
  },
  'MR-HA-CONFLICT': {
    domain: 'internal',
    scope: 'job',
    retry: 'never',
    message: '{record} was changed by somebody else: it has version {found}, not {expected}',
    help:
      'A write to the store of jobs names the version that it replaces, and the store holds another one. It is read ' +
      'anew, and decided on again; where that does not help, two leaders are at work on one store.',
  },
  'MR-HA-FENCED': {
    domain: 'external',
    scope: 'process',
    retry: 'never',
    message: 'this process no longer {role}: {reason}',
    help:
      'Another process has taken over, the store could not be reached for so long that another may have, or the data ' +
      'directory was removed or replaced. Nothing that this process writes counts any more, so it stops.',
  },
  'MR-HA-DAMAGED': {
    domain: 'external',
    scope: 'job',
    retry: 'never',
    message:
      '{file}, {record}, is damaged: {reason}; restore it from a copy, or start from a checkpoint ' +
      '(`--from PATH`) under another name',
    help:
      'The record says which checkpoint a job goes on from and which transactions it may have left open. Without it ' +
      'nothing can go on by itself without losing or repeating output, so a damaged one is never taken for a missing ' +
      'one. The disk may be failing, or the file was edited.',
  },
  'MR-HA-NEWER-VERSION': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: '{file} was written by a newer Millrace (format {version}; this one reads up to {known}); upgrade',
    help: 'Run the version that wrote it, or a newer one.',
  },
  'MR-HA-UNAVAILABLE': {
    domain: 'external',
    scope: 'job',
    retry: 'backoff',
    message: 'cannot {operation} {record} in {directory}: {reason}',
    help:
      'The directory or ZooKeeper cannot be reached, does not allow what is done there, or the disk is full. The ' +
      'last record that was written is still valid; whether the new one was, is read before the next write.',
  },
  'MR-HA-TOO-LARGE': {
    domain: 'user',
    scope: 'job',
    retry: 'never',
    message: '{record} has {sizeBytes} bytes, of which {maxBytes} can be kept',
    help:
      'ZooKeeper takes small values only. Of a submission the job graph is by far the largest part: make fewer ' +
      'steps, or move long literals and lists into a topic that is joined.',
  },
  'MR-HA-CONNECT-STRING': {
    domain: 'user',
    scope: 'process',
    retry: 'never',
    message: '`{connect}` does not say where ZooKeeper is: {reason}; write `host:port,host:port/path`',
    help:
      'Hosts are separated by commas, each with its port (2181 where none is given), and may be followed by one path ' +
      'below which this cluster keeps everything that it writes. Addresses of IPv6 stand in brackets.',
  },
  'MR-HA-REFUSED': {
    domain: 'user',
    scope: 'process',
    retry: 'backoff',
    message: 'ZooKeeper at {connect} refuses to {operation} {what}: {reason}',
    help:
      'The nodes below the path of this cluster belong to somebody else, or the user and password are wrong. All ' +
      'processes of a cluster take the same `auth` and `acl`; nodes that were made with others have to be handed ' +
      'over or removed with the tools of ZooKeeper.',
  },
});
