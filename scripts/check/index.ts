export { runCheck, type CheckResult } from './check.ts';
