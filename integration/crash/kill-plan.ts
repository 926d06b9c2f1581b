/** When the process is killed: decided by the seed before anything runs. */
import { seededHash, seededShare } from './seeded-hash.ts';

export type Kill =
  /** By itself, when it reaches a step of the commit protocol for the `count`-th time. */
  | { readonly kind: 'point'; readonly point: string; readonly count: number }
  /** From outside, after this share of the time that one start and a few checkpoints take. */
  | { readonly kind: 'random'; readonly share: number };

export interface KillPlan {
  /** While input goes on coming. */
  readonly running: readonly Kill[];
  /** Once all input is there. */
  readonly ending: readonly Kill[];
}

/** Kills per step of the protocol in a long test. */
const ROUNDS = 5;
/** Of a short one: so much of it goes to named steps. */
const NAMED_SHARE = 0.7;
const MAX_COUNT = 3;
const MAX_COMMITS = 8;

/** Steps that only a restart takes. */
const RESTART_POINTS = ['generation-raised', 'handles-committed', 'older-aborted'];
/** The step that restarts take as well as tasks. */
const COMMIT_POINT = 'transaction-committed';
/** The step that only the end of all input reaches. */
const END_POINT = 'input-ended';
/**
 * A round. Steps of a restart follow kills that leave it something to do: transactions that no checkpoint has, and
 * transactions of a checkpoint that are not committed.
 */
const ROUND: readonly string[] = [
  'barrier-aligned',
  'transaction-flushed',
  'generation-raised',
  'state-written',
  'older-aborted',
  'all-acknowledged',
  'metadata-written',
  'pointer-moved',
  'handles-committed',
  COMMIT_POINT,
  END_POINT,
];
/** What a test with several rounds does to the last checkpoint, after which there is no barrier any more. */
const LAST_CHECKPOINT: readonly string[] = ['all-acknowledged', 'metadata-written', 'pointer-moved', ...RESTART_POINTS];

export function planKills(kills: number, seed: number): KillPlan {
  const named = Math.min(kills, Math.max(1, Math.round(kills * NAMED_SHARE)), ROUNDS * ROUND.length);
  const offset = seededHash(seed, 1) % ROUND.length;
  const points = Array.from({ length: named }, (_, i) => ROUND[(offset + i) % ROUND.length] ?? END_POINT);
  const ends = points.filter((point) => point === END_POINT);
  const last = named === ROUNDS * ROUND.length ? LAST_CHECKPOINT : [];
  const before = withoutOnce(points.filter((point) => point !== END_POINT), last);
  const running: Kill[] = before.map((point, i) => ({ kind: 'point', point, count: countOf(point, seed, i) }));
  for (let i = 0; i < kills - named; i++) {
    const place = seededHash(seed, 3, i) % (running.length + 1);
    running.splice(place, 0, { kind: 'random', share: seededShare(seed, 4, i) });
  }
  return { running, ending: [...ends, ...last].map((point) => ({ kind: 'point', point, count: 1 })) };
}

/** The points without the last occurrence of each of `taken`. */
function withoutOnce(points: readonly string[], taken: readonly string[]): readonly string[] {
  const indexes = new Set(taken.map((point) => points.lastIndexOf(point)));
  return points.filter((_, index) => !indexes.has(index));
}

/**
 * A restart takes each of its steps once, and commits all handles of its checkpoint once more: beyond those are the
 * commits of tasks.
 */
function countOf(point: string, seed: number, index: number): number {
  if (RESTART_POINTS.includes(point)) return 1;
  return 1 + (seededHash(seed, 2, index) % (point === COMMIT_POINT ? MAX_COMMITS : MAX_COUNT));
}

/** For people. */
export function describeKill(kill: Kill): string {
  if (kill.kind === 'random') return `at a random instant (${Math.round(kill.share * 100)} %)`;
  return `at ${kill.point}${kill.count === 1 ? '' : `, time ${kill.count}`}`;
}
