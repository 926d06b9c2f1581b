/** Functions that give another result when a record is processed again; expressions have none. */
export const CLOCKS: readonly string[] = [
  'CURRENT_TIMESTAMP', 'CURRENT_DATE', 'CURRENT_TIME', 'LOCALTIME', 'LOCALTIMESTAMP', 'NOW', 'PROCTIME',
  'CURRENT_ROW_TIMESTAMP', 'RAND', 'RANDOM', 'RAND_INTEGER', 'UUID',
];

export function clockMessage(name: string): string {
  return (
    `${name} is not supported: an expression gives the same result when a record is processed again; ` +
    "use the record's own time (`metadata: {NAME: timestamp}`) or a field"
  );
}
