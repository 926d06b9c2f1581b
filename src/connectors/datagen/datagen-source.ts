import { defineOptions, nearestName } from '../../core/index.ts';
import type {
  Clock,
  Column,
  OptionProblem,
  Options,
  OptionValue,
  OptionValues,
  SourceConnector,
  SourceReader,
  SourceSpec,
} from '../../core/index.ts';
import { checkGenerator, createGenerator, type FieldGenerator } from './field-generator.ts';
import { RowReader, RowSplits, type RowPlan } from './row-source.ts';

const options = defineOptions({
  rate: {
    kind: 'number',
    min: 0.001,
    unit: 'rows per second',
    doc: 'How fast to emit, all subtasks together; without it as fast as they are taken.',
    aliases: ['rows-per-second'],
    scope: 'connector',
  },
  count: {
    kind: 'integer',
    min: 0,
    doc: 'How many rows to make before the source ends; without it there is no end.',
    aliases: ['number-of-rows'],
    scope: 'connector',
  },
  seed: { kind: 'integer', default: 0, doc: 'The same seed makes the same rows.', scope: 'connector' },
  fields: {
    kind: 'any',
    doc:
      'Per field how its values are made, such as `id: {kind: sequence, start: 1}`. Kinds: sequence (start, step), ' +
      'uniform (min, max), normal (mean, deviation), zipf (values, exponent), choice (values, weights), pattern ' +
      '(pattern), string (length), constant (value), now; all take nullRatio. Fields left out are random.',
    validate: (value) => (isMapping(value) ? null : 'must be a mapping of field names to how their values are made'),
    scope: 'connector',
  },
});

type Fields = Readonly<Record<string, OptionValue>>;

function isMapping(value: OptionValue): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fieldsOf(given: Options): Fields {
  const { fields } = given as OptionValues<typeof options>;
  return isMapping(fields) ? fields : {};
}

function planOf(given: Options): RowPlan {
  const { count, rate } = given as OptionValues<typeof options>;
  return { rate, count };
}

/** Rows of the declared schema, made up: the same rows for the same seed, however many subtasks make them. */
export const datagenSource: SourceConnector = Object.freeze({
  kind: 'source',
  name: 'datagen',
  doc: 'Makes rows of the declared schema from seeded distributions.',
  options,
  formatUse: 'none',
  example: 'rate: 1000\nfields:\n  id: {kind: sequence, start: 1}\n  region: {values: [north, south, east, west]}',
  metadata: {},
  deadLetters: false,
  fixedSchema: () => null,
  isBounded: (given) => planOf(given).count !== null,
  check: checkDatagen,
  createEnumerator: (spec) => new RowSplits(planOf(spec.options)),
  createReader,
} satisfies SourceConnector);

function checkDatagen(spec: SourceSpec): readonly OptionProblem[] {
  const fields = fieldsOf(spec.options);
  const known = spec.schema.fields.map(({ name }) => name);
  const unknown = Object.keys(fields).flatMap((name): OptionProblem[] => {
    if (known.includes(name)) return [];
    const suggestion = nearestName(name, known);
    const hint = suggestion === null ? '' : `; did you mean \`${suggestion}\`?`;
    const message = `the schema has no field \`${name}\`${hint}`;
    return [{ path: ['fields', name], what: 'unknown', message, suggestion }];
  });
  return [...unknown, ...spec.schema.fields.flatMap(({ name, type }) => checkGenerator(name, type, fields[name]))];
}

function createReader(spec: SourceSpec): SourceReader {
  const { seed } = spec.options as OptionValues<typeof options>;
  const given = fieldsOf(spec.options);
  return new RowReader(spec, planOf(spec.options), (wanted) => {
    let clock: Clock | null = null;
    const generators = wanted.targets.map(({ field }) =>
      createGenerator(field.name, field.type, given[field.name], { seed, nowMs: () => clock?.nowMs() ?? 0 }),
    );
    return {
      open: (context) => {
        clock = context.ports.clock;
      },
      make: (index, columns, row) => {
        for (let i = 0; i < generators.length; i++) {
          (generators[i] as FieldGenerator)(index, columns[i] as Column, row);
        }
      },
    };
  });
}
