import { counterNames, defineOptions, parseOptions } from '../../core/index.ts';
import type {
  ListState,
  MapState,
  OperatorContext,
  ProcessFunction,
  ProcessSetup,
  StateOptions,
  ValueState,
} from '../../core/index.ts';
import { codeErrors } from './code-errors.ts';
import type { ProcessSpec } from './process-spec.ts';
import { thrownBy } from './thrown-by.ts';
import type { UserKeys } from './user-keys.ts';
import { UserList, UserMap, UserValue } from './user-state.ts';
import type { StateKind, StateSlots } from './user-state.ts';

export interface SetupParts {
  readonly spec: ProcessSpec;
  readonly context: Pick<OperatorContext, 'subtaskIndex' | 'parallelism' | 'counter'>;
  /** Null where the step remembers nothing. */
  readonly keys: UserKeys | null;
}

const MAX_NAME_LENGTH = 200;
const OWN_COUNTERS: ReadonlySet<string> = new Set(Object.values(counterNames).map(({ name }) => name));

/** Calls open(); states can be declared until it has ended. */
export async function setUp(code: ProcessFunction, parts: SetupParts): Promise<void> {
  const setup = new Setup(parts);
  try {
    await code.open?.(setup);
  } catch (error) {
    throw thrownBy(error, 'open()', parts.spec);
  }
  setup.isOver = true;
}

class Setup implements ProcessSetup {
  readonly stepId: string;
  readonly subtaskIndex: number;
  readonly parallelism: number;
  isOver = false;
  readonly #parts: SetupParts;

  constructor(parts: SetupParts) {
    this.stepId = parts.spec.stepId;
    this.subtaskIndex = parts.context.subtaskIndex;
    this.parallelism = parts.context.parallelism;
    this.#parts = parts;
  }

  valueState<T>(name: string, options?: StateOptions): ValueState<T> {
    return new UserValue<T>(this.#declare(name, 'value', options));
  }

  listState<T>(name: string, options?: StateOptions): ListState<T> {
    return new UserList<T>(this.#declare(name, 'list', options));
  }

  mapState<K extends string | number, V>(name: string, options?: StateOptions): MapState<K, V> {
    return new UserMap<K, V>(this.#declare(name, 'map', options));
  }

  counter(name: string): { value: number } {
    if (OWN_COUNTERS.has(name)) throw new RangeError(`the counter ${name} is the step's own`);
    return this.#parts.context.counter(name);
  }

  #declare(name: string, kind: StateKind, options: StateOptions = {}): StateSlots {
    const { keys } = this.#parts;
    if (keys === null) {
      const what = `the state ${name}`;
      const problem = 'needs `key: [FIELD]` of the step';
      throw codeErrors.create('MR-CODE-NO-KEY', { step: this.stepId, what, problem });
    }
    if (this.isOver) throw new Error(`the state ${name} is declared after open() has ended`);
    if (typeof name !== 'string' || name === '' || name.length > MAX_NAME_LENGTH) {
      throw new RangeError('the name of a state is a text of 1 to 200 characters');
    }
    if (keys.isDeclared(name)) throw new RangeError(`the state ${name} is declared twice`);
    return keys.declare(name, kind, ttlOf(name, options));
  }
}

const stateOptions = defineOptions({
  ttl: {
    kind: 'duration',
    doc: 'what was kept is forgotten so long after it was last written',
    validate: (value) => (value === 0 ? 'must be more than nothing' : null),
  },
});

function ttlOf(name: string, options: StateOptions): number {
  const { values, problems } = parseOptions(stateOptions, options as Readonly<Record<string, unknown>>);
  const [problem] = problems;
  if (problem !== undefined) throw new RangeError(`state ${name}: ${problem.message}`);
  return values.ttl ?? Infinity;
}
