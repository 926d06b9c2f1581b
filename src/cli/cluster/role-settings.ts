/** What a process of a cluster is told, from all places where it can be told: flag, variable, file, default. */
import {
  nearestName,
  parseOptions,
  type FileSystem,
  type OptionTable,
  type OptionValues,
} from '../../core/index.ts';
import type { Setting } from '../../graph/index.ts';
import { cliErrors } from '../errors.ts';
import { reasonOf } from '../job-file.ts';
import { flagOf, type RoleFlags } from './role-flags.ts';
import { clusterOptions, dispatcherRoleOptions, taskManagerRoleOptions } from './role-options.ts';

/** Read where `--config` names no other, if it is there. */
const CONFIG_FILE = 'millrace.yaml';
const CONFIG_VARIABLE = 'MILLRACE_CONFIG';

/** One file serves all roles, so that a role knows the settings of the others. */
const ALL_KEYS = Object.keys({ ...clusterOptions, ...dispatcherRoleOptions, ...taskManagerRoleOptions });

export interface RoleWorld {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly files: Pick<FileSystem, 'readText' | 'stat'>;
}

/** `rest.port` → `MILLRACE_REST_PORT`. */
function variableOf(key: string): string {
  return `MILLRACE_${key.toUpperCase().replace(/[.-]/g, '_')}`;
}

interface Given {
  readonly value: unknown;
  /** For messages. */
  readonly where: string;
}

/**
 * Rejects with MR-CLI-SETTINGS, which names all that is wrong, or MR-CLI-UNREADABLE-FILE. Variables of other names are
 * none of ours: container platforms make some that begin alike.
 */
export async function resolveSettings<Table extends OptionTable>(
  table: Table,
  flags: RoleFlags,
  world: RoleWorld,
): Promise<OptionValues<Table>> {
  const { variables } = world;
  const problems: string[] = [];
  const given = new Map<string, Given>();
  const file = await readFileSettings(flags.config, world, problems);
  for (const { key, value, where } of file) {
    if (!ALL_KEYS.includes(key)) problems.push(`${where}: ${unknownKey(key)}`);
    // `${NAME:-}` of a variable that is not set.
    else if (value !== '') given.set(key, { value, where });
  }
  for (const key of Object.keys(table)) {
    const name = variableOf(key);
    const value = variables[name];
    // An empty variable is one that somebody has taken back.
    if (value !== undefined && value !== '') given.set(key, { value, where: name });
    const flag = flags.values.get(key);
    if (flag !== undefined) given.set(key, { value: flag, where: flagOf(key) });
  }
  const raw = Object.fromEntries(Object.keys(table).flatMap((key) => {
    const each = given.get(key);
    return each === undefined ? [] : [[key, each.value] as const];
  }));
  const parsed = parseOptions(table, raw);
  for (const { path, message } of parsed.problems) {
    const key = String(path[0]);
    const { where, value } = given.get(key) ?? { where: key, value: null };
    problems.push(`${where}: ${hideSecret(table, key, value, message)}`);
  }
  if (problems.length > 0) throw settingsError(problems);
  return parsed.values;
}

/** For problems that show only where several settings are seen together. */
export function settingsError(problems: readonly string[]): Error {
  return cliErrors.create('MR-CLI-SETTINGS', { problems: problems.map((problem) => `\n  ${problem}`).join('') });
}

interface FileSetting extends Given {
  readonly key: string;
}

async function readFileSettings(
  config: string | false | undefined,
  { files, variables }: RoleWorld,
  problems: string[],
): Promise<readonly FileSetting[]> {
  if (config === false) return [];
  const named = config ?? (variables[CONFIG_VARIABLE] === '' ? undefined : variables[CONFIG_VARIABLE]);
  const path = named ?? CONFIG_FILE;
  if (named === undefined && (await files.stat(path)) === null) return [];
  const text = await files.readText(path).catch((error: unknown) => {
    throw cliErrors.create('MR-CLI-UNREADABLE-FILE', { path, reason: reasonOf(error) }, error);
  });
  // Rooms that only some processes need are loaded late: a process that idles is to be small.
  const { formatProblem, readSettings } = await import('../../graph/index.ts');
  const read = readSettings(text, { fileName: path, variables: (name) => variables[name] });
  problems.push(...read.problems.map(formatProblem));
  return read.settings.map((setting) => placed(path, setting));
}

function placed(path: string, { key, value, line, column }: Setting): FileSetting {
  return { key, value, where: `${path}:${line}:${column}` };
}

function unknownKey(key: string): string {
  const suggestion = aliasOf(key) ?? nearestName(key, ALL_KEYS);
  const hint = suggestion === null ? '; `millrace help dispatcher` and `millrace help taskmanager` list them all' : '';
  return `unknown setting \`${key}\`${suggestion === null ? hint : `; did you mean \`${suggestion}\`?`}`;
}

function aliasOf(key: string): string | null {
  const tables: readonly OptionTable[] = [clusterOptions, dispatcherRoleOptions, taskManagerRoleOptions];
  for (const table of tables) {
    for (const [name, row] of Object.entries(table)) if (row.aliases?.includes(key) === true) return name;
  }
  return null;
}

function hideSecret(table: OptionTable, key: string, value: unknown, message: string): string {
  const isSecret = Object.hasOwn(table, key) && table[key]?.secret === true;
  return isSecret && typeof value === 'string' && value !== '' ? message.replaceAll(value, '***') : message;
}
