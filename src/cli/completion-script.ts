import type { Command } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

interface Candidate {
  readonly word: string;
  readonly doc: string;
}

interface CommandWords {
  readonly name: string;
  readonly doc: string;
  readonly options: readonly Candidate[];
  /** Words that an argument may be; file names are completed where it may be none. */
  readonly words: readonly string[];
}

/** A script that completes commands, options and file names. It holds all it needs: pressing Tab starts nothing. */
export function completionScript(shell: Shell, program: Command): string {
  const commands = program.commands.map(wordsOf);
  switch (shell) {
    case 'bash':
      return bash(commands);
    case 'zsh':
      return zsh(commands);
    case 'fish':
      return fish(commands);
  }
}

function wordsOf(command: Command): CommandWords {
  const options = [...command.options.filter(({ hidden }) => !hidden)].flatMap(({ short, long, description }) =>
    [long, short].flatMap((word) => (word === undefined ? [] : [{ word, doc: description }])),
  );
  return {
    name: command.name(),
    doc: command.description(),
    options: [...options, { word: '--help', doc: 'prints the help of the command' }],
    words: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
  };
}

function bash(commands: readonly CommandWords[]): string {
  const cases = commands.map(({ name, options, words }) => {
    const all = [...words, ...options.map(({ word }) => word)].join(' ');
    return `    ${name}) words="${all}" ;;`;
  });
  return `# bash completion of millrace
_millrace() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${commands.map(({ name }) => name).join(' ')} --help --version"
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    *) words="" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current") $(compgen -f -- "$current"))
}
complete -o filenames -F _millrace millrace
`;
}

function zsh(commands: readonly CommandWords[]): string {
  const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const described = (word: string, doc: string): string => quote(`${word.replaceAll(':', '\\:')}:${doc}`);
  const cases = commands.map(({ name, options, words }) => {
    const all = [...words.map((word) => ({ word, doc: '' })), ...options];
    const candidates = all.map(({ word, doc }) => described(word, doc));
    return `    ${name}) candidates=(${candidates.join(' ')}) ;;`;
  });
  return `#compdef millrace
_millrace() {
  local -a candidates
  if (( CURRENT == 2 )); then
    candidates=(${commands.map(({ name, doc }) => described(name, doc)).join(' ')})
    _describe 'command' candidates
    return
  fi
  case "$words[2]" in
${cases.join('\n')}
  esac
  _describe 'option' candidates
  _files
}
compdef _millrace millrace
`;
}

function fish(commands: readonly CommandWords[]): string {
  const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = commands.flatMap(({ name, doc, options, words }) => {
    const inside = `complete -c millrace -n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c millrace -n __fish_use_subcommand -f -a ${name} -d ${quote(doc)}`,
      ...words.map((word) => `${inside} -f -a ${word}`),
      ...options.map(({ word, doc: text }) => {
        const option = word.startsWith('--') ? `-l ${word.slice(2)}` : `-s ${word.slice(1)}`;
        return `${inside} ${option} -d ${quote(text)}`;
      }),
    ];
  });
  return `# fish completion of millrace\n${lines.join('\n')}\n`;
}
