/** The name of a leader's JobCodeGateway. */
export const JOB_CODE = 'job-code';

const JOB_MASTER = 'jobmaster/';

/** The process that serves a JobMaster has the code of its jobs. */
export function jobCodeAddress(jobMasterAddress: string): string {
  return jobMasterAddress.slice(0, jobMasterAddress.lastIndexOf(JOB_MASTER)) + JOB_CODE;
}
