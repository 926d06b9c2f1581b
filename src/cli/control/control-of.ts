import type { Ports } from '../../core/index.ts';
import type { JobControl } from './job-control.ts';
import { remoteControl } from './local-control.ts';
import { controlFile } from './running-job.ts';

/** A job that another process runs. */
export function controlOf(ports: Ports, dataFolder: string, jobName: string): JobControl {
  return remoteControl(ports, controlFile(dataFolder, jobName), jobName);
}
