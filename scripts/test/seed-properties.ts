/**
 * Runs in every test file first: random tests draw from one seed, so that a change is judged by the change and what has
 * failed fails again. MILLRACE_TEST_SEED=n, or `npm test -- --seed n`, tries another one; `random` a new one per file.
 */
import fc from 'fast-check';

const given = process.env['MILLRACE_TEST_SEED'] ?? '1';
const seed = given === 'random' ? Math.floor(Math.random() * 2 ** 31) : Number(given);
if (!Number.isSafeInteger(seed)) throw new Error(`MILLRACE_TEST_SEED=${given}: an integer or "random"`);
process.env['MILLRACE_TEST_SEED'] = String(seed);
fc.configureGlobal({ seed });
