import { describe, expect, it } from '@jest/globals';

import { readSettings } from './read-settings.ts';

const read = (text: string, variables: Readonly<Record<string, string>> = {}) =>
  readSettings(text, { fileName: 'millrace.yaml', variables: (name) => variables[name] });

describe('a settings file', () => {
  it('may nest names or spell them with dots', () => {
    const { settings, problems } = read(
      'rest:\n  host: ${HOST}\n  port: 08081\nrpc.port: 0\ntaskmanager: {tags: [ssd, "007"]}\nha:\n  directory:\n',
      { HOST: '::1' },
    );
    expect(problems).toEqual([]);
    expect(settings).toEqual([
      { key: 'rest.host', value: '::1', line: 2, column: 3 },
      { key: 'rest.port', value: '08081', line: 3, column: 3 },
      { key: 'rpc.port', value: '0', line: 4, column: 1 },
      { key: 'taskmanager.tags', value: ['ssd', '007'], line: 5, column: 15 },
      { key: 'ha.directory', value: null, line: 7, column: 3 },
    ]);
  });

  it.each(['', '# nothing yet\n', '---\n'])('may hold nothing: %j', (text) => {
    expect(read(text)).toEqual({ settings: [], problems: [] });
  });

  it('has variables of the environment alone', () => {
    const { problems } = read('rest.host: ${GONE}\n');
    expect(problems[0]?.expected).toBe('an environment variable or a default: `${GONE:-default}`');
  });

  it.each([
    ['- rest\n', 'settings are a mapping of names'],
    ['rest: {port: 1}\nrest.port: 2\n', '`rest.port` stands here twice; the first is on line 1'],
    ['rest: {port: 1\n', 'this is not YAML'],
    ['rest.host: ${GONE}\n', 'the variable `GONE` is not set'],
  ])('with a mistake is refused: %j', (text, message) => {
    const { problems } = read(text);
    expect(problems.map((problem) => problem.message).join('\n')).toContain(message);
  });
});
