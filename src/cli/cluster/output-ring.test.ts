import { expect, it } from '@jest/globals';

import { OutputRing } from './output-ring.ts';

it('the end of what a process writes is kept, in whole lines, and bounded', () => {
  let nowMs = 0;
  const ring = new OutputRing(() => nowMs);
  expect(ring.read('log')).toEqual({ text: '', writtenBytes: 0, lastWrittenAtMs: null });
  ring.add('stdout', Buffer.from('é\n'));
  for (nowMs = 1; nowMs <= 20_000; nowMs++) ring.add('log', Buffer.from(`line ${nowMs} ${'x'.repeat(100)}\n`));
  expect(ring.read('stdout')).toEqual({ text: 'é\n', writtenBytes: 3, lastWrittenAtMs: 0 });
  const { text, writtenBytes, lastWrittenAtMs } = ring.read('log');
  expect([text.length <= 512 * 1024, text.length > 500 * 1024, lastWrittenAtMs]).toEqual([true, true, 20_000]);
  expect(writtenBytes).toBeGreaterThan(2_000_000);
  expect(text).toMatch(/^line \d+ x+\n/);
  expect(text).toMatch(/line 20000 x+\n$/);
  ring.add('log', Buffer.from(`${'y'.repeat(2_000_000)}\nend\n`));
  expect(ring.read('log').text).toBe('end\n');
});
