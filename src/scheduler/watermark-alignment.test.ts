import { describe, expect, it } from '@jest/globals';
import { attemptId, subtaskId, vertexId } from '../core/index.ts';
import { WatermarkAlignment } from './watermark-alignment.ts';

const task = (name: string) => attemptId(subtaskId(vertexId(name), 0), 0);
const at = (name: string, watermarkMs: number, isIdle = false) => ({ attemptId: task(name), watermarkMs, isIdle });

function alignment(made = new WatermarkAlignment(new Map([[task('a'), 10], [task('b'), 20]]))) {
  return (...sources: ReturnType<typeof at>[]) => Object.fromEntries(made.report(sources));
}

describe('the alignment of sources', () => {
  it('lets each go as far ahead of the slowest as it may, and says so where that has changed', () => {
    const report = alignment();
    expect(report(at('a', 100))).toEqual({ a_0_0: 110, b_0_0: 120 });
    expect(report(at('b', 50))).toEqual({ a_0_0: 60, b_0_0: 70 });
    expect(report(at('b', 50), at('a', 105))).toEqual({});
    expect(report(at('b', 80))).toEqual({ a_0_0: 90, b_0_0: 100 });
  });

  it('does not wait for sources that are idle or have no event time yet, and lets all go where all are', () => {
    const report = alignment();
    expect(report(at('b', -Infinity))).toEqual({});
    expect(report(at('a', 100))).toEqual({ a_0_0: 110, b_0_0: 120 });
    expect(report(at('b', 5, true))).toEqual({});
    expect(report(at('a', 100, true))).toEqual({ a_0_0: Infinity, b_0_0: Infinity });
  });

  it('tells again what has not been heard, that it may go on without limit as well', () => {
    const made = new WatermarkAlignment(new Map([[task('a'), 10], [task('b'), 20]]));
    const report = alignment(made);
    report(at('a', 100));
    made.unheard(task('b'));
    expect(report(at('a', 100))).toEqual({ b_0_0: 120 });
    report(at('a', 100, true));
    made.unheard(task('a'));
    expect(report(at('a', 100, true))).toEqual({ a_0_0: Infinity });
    expect(report(at('a', 100, true))).toEqual({});
  });

  it('does not mind tasks that it does not know', () => {
    expect(alignment()(at('c', 1))).toEqual({});
  });
});
