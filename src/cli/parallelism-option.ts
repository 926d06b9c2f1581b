import { InvalidArgumentError, type Command } from 'commander';

export function addParallelismOption(command: Command): Command {
  const doc = 'runs steps in N subtasks where they do not say otherwise; wins over the job file';
  return command.option('-p, --parallelism <N>', doc, parseParallelism);
}

export function parseParallelism(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError('Expected a whole number of at least 1.');
  }
  return value;
}
