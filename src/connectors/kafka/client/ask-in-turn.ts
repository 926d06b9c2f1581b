import { isMillraceError, type Clock, type MillraceError } from '../../../core/index.ts';

/** One that has vanished answers nothing, and refuses nothing: the next is asked as well. */
const PATIENCE_MS = 2000;

/**
 * Asks one after the other, the next when one fails or has been silent for two seconds, and resolves to the first
 * answer. So the question must bear being answered twice. Rejects with an error that no retry helps as soon as there
 * is one; else, when all have failed, with what `allFailed` makes of their errors, in the order in which they failed.
 */
export function askInTurn<T, B>(
  clock: Clock,
  those: readonly B[],
  ask: (one: B) => Promise<T>,
  allFailed: (failures: readonly MillraceError[]) => unknown,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const failures: MillraceError[] = [];
  let isDecided = false;
  let asked = 0;
  const askNext = (): void => {
    const one = those[asked];
    if (one === undefined) return;
    asked++;
    let isSilent = true;
    const proceed = (): void => {
      if (isSilent && !isDecided) askNext();
      isSilent = false;
    };
    const timer = clock.schedule(PATIENCE_MS, proceed);
    const failed = (error: unknown): void => {
      timer.cancel();
      if (!isMillraceError(error) || error.retry === 'never') {
        isDecided = true;
        reject(error);
        return;
      }
      failures.push(error);
      if (failures.length === those.length) reject(allFailed(failures));
      else proceed();
    };
    ask(one).then((answer) => {
      timer.cancel();
      isDecided = true;
      resolve(answer);
    }, failed);
  };
  if (those.length === 0) reject(allFailed([]));
  askNext();
  return promise;
}
