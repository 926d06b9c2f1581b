import { execFileSync } from 'node:child_process';

import { describe, expect, it } from '@jest/globals';

import { projectRoot, runMillrace } from './run-millrace.ts';

describe('bash completion', () => {
  it.each([
    [['li'], ['lint', 'list']],
    [['run', '--pa'], ['--parallelism']],
    [['list', 'f'], ['functions', 'formats']],
    [['lint', 'READ'], ['README.md']],
  ])('of %j', async (words, expected) => {
    const { output } = await runMillrace(['completion', 'bash']);
    const line = ['millrace', ...words].map((word) => `'${word}'`).join(' ');
    const press = `COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _millrace; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const answer = execFileSync('bash', ['-c', `${output}\n${press}`], { cwd: projectRoot, encoding: 'utf8' });
    expect(answer.trimEnd().split('\n')).toEqual(expected);
  });
});
