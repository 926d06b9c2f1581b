import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { parseJobFile } from './parse-job-file.ts';
import { renderJobFile } from './render-job-file.ts';

const options = { fileName: 'job', variables: () => undefined };

const PIECES = ['${', '$${HOME}', '$', '{', '}', '"', "'", '\\', '\n', '\t', ': ', ' #', 'é', '\u2028'];

/** Texts that YAML, variables or editors might take for something else. */
const TEXT = fc
  .oneof(
    fc.string({ maxLength: 80 }),
    fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => text.isWellFormed()),
    fc.constantFrom('null', '~', '007', '1e3', 'a: b', 'a #b', '*a', '&a', '!b', '- x', '\n x', '"', '\\'),
    fc.array(fc.constantFrom(...PIECES), { minLength: 1 }).map((parts) => parts.join('')),
  )
  .filter((text) => text.trim() !== '');

describe('a job file that is written', () => {
  it('is read as what it was written from', () => {
    fc.assert(
      fc.property(fc.array(TEXT, { minLength: 1, maxLength: 5 }), (texts) => {
        const filters = texts.map((filter, index) => ({ id: `f${index}`, filter }));
        const source = { id: 'rows', source: 'datagen', with: { count: 3, deep: [{ list: [1, null] }] } };
        const steps = [source, ...filters, { id: 'out', sink: 'print' }];
        const { text, stepLines } = renderJobFile({ name: 'test', parallelism: 2, steps });
        const { spec, problems } = parseJobFile(text, options);
        expect(problems).toEqual([]);
        const read = spec?.steps.map((step) => (step.kind === 'filter' ? step.predicate.text : step.id));
        expect(read).toEqual(['rows', ...texts, 'out']);
        const lines = text.split('\n');
        expect(stepLines.map((line) => lines[line - 1])).toEqual(steps.map(({ id }) => `- id: "${id}"`));
      }),
    );
  });
});
