/** The settings of jobs and steps, as a job file has them; what they may be comes from the tables that check them. */
import type { OptionRow, OptionTable } from '../core/index.ts';
import type {
  checkpointOptions,
  dedupeOptions,
  joinOptions,
  lookupCacheOptions,
  lookupOptions,
  lookupRetryOptions,
  rescaleOptions,
  restartOptions,
  topNOptions,
  watermarkOptions,
  windowKinds,
  windowOptions,
  withinOptions,
} from '../graph/index.ts';
import type { Expressions } from './expressions.ts';
import type { Longs, Schema } from './field-types.ts';

/** What a job file can say. */
export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain | undefined };

type Given<Row extends OptionRow> = Row['kind'] extends 'integer' | 'number'
  ? number
  : Row['kind'] extends 'boolean'
    ? boolean
    : Row['kind'] extends 'enum'
      ? Row extends { readonly values: readonly (infer Word)[] }
        ? Word
        : string
      : Row['kind'] extends 'list'
        ? readonly string[]
        : Row['kind'] extends 'any'
          ? Plain
          : string;

type RequiredKey<Table extends OptionTable> = {
  readonly [Key in keyof Table]: Table[Key] extends { readonly required: true } ? Key : never;
}[keyof Table];

/** What is required must be given; durations and sizes are spelled as in a job file: `10s`, `64MiB`. */
export type SettingsOf<Table extends OptionTable> = {
  readonly [Key in RequiredKey<Table>]: Given<Table[Key]>;
} & { readonly [Key in Exclude<keyof Table, RequiredKey<Table>>]?: Given<Table[Key]> };

type Restart = {
  readonly [Name in keyof typeof restartOptions]:
    | Name
    | ({ readonly strategy: Name } & Omit<SettingsOf<(typeof restartOptions)[Name]>, 'strategy'>);
}[keyof typeof restartOptions];

export interface JobSettings {
  readonly parallelism?: number;
  readonly maxParallelism?: number;
  /** `10s`, or a block; without it the job takes no checkpoints. */
  readonly checkpoint?: string | SettingsOf<typeof checkpointOptions>;
  readonly restart?: Restart;
  /** In a cluster the job takes as many slots as there are. */
  readonly rescale?: 'reactive' | SettingsOf<typeof rescaleOptions>;
}

export interface StepSettings {
  readonly parallelism?: number | undefined;
}

export interface SourceSettings<S extends Schema, M extends Expressions> extends StepSettings {
  readonly connector: string;
  readonly with?: { readonly [option: string]: Plain | undefined };
  /** Left out for connectors whose fields are fixed. */
  readonly schema?: S;
  /** FIELD → what of a record's surroundings it is: `{ at: typed('timestamp', timestamp) }`. */
  readonly metadata?: M;
  readonly watermark?: Extract<keyof NoInfer<S> | keyof NoInfer<M>, string> | SettingsOf<typeof watermarkOptions>;
  readonly errors?: 'fail' | 'skip' | { readonly to: string };
}

export interface SinkSettings extends StepSettings {
  readonly connector: string;
  readonly with?: { readonly [option: string]: Plain | undefined };
}

type Kinds = typeof windowKinds;

/** Exactly one kind. A duration alone is the size of a `tumble` and the gap of a `session`. */
export type WindowKind =
  | { readonly tumble: string | SettingsOf<Kinds['tumble']['options']> }
  | { readonly hop: SettingsOf<Kinds['hop']['options']> }
  | { readonly cumulate: SettingsOf<Kinds['cumulate']['options']> }
  | { readonly session: string | SettingsOf<Kinds['session']['options']> }
  | { readonly count: number | SettingsOf<Kinds['count']['options']> };

export type WindowSettings<Late extends string> = WindowKind &
  SettingsOf<typeof windowOptions> & {
    /** The name of the stream of rows that come too late: `.side(NAME)` of the step. Without it they are dropped. */
    readonly late?: Late;
  };

export type JoinType = NonNullable<SettingsOf<typeof joinOptions>['type']>;

export type JoinSettings<Type extends JoinType, E extends Expressions> = StepSettings &
  Omit<SettingsOf<typeof joinOptions>, 'type' | 'within' | 'window' | 'select'> & {
    readonly type?: Type;
    /** How far the times of two rows may be apart: both ways, or `{ before, after }`. */
    readonly within?: string | SettingsOf<typeof withinOptions>;
    readonly window?: { readonly tumble: string | SettingsOf<Kinds['tumble']['options']> };
    readonly select?: E;
  };

/** Of a row: what it is looked up by, and the fields of what is found. */
export type LookupSettings<Found extends Schema> = CodeLookupSettings<Found> & {
  readonly connector: string;
  readonly with?: { readonly [option: string]: Plain | undefined };
};

/** The same, where a function is asked. */
export type CodeLookupSettings<Found extends Schema> = StepSettings &
  SettingsOf<typeof lookupOptions> & {
    /** NAME → an SQL expression over the row. */
    readonly on: Readonly<Record<string, string>>;
    readonly schema: Found;
    /** How often it asks, or a block. */
    readonly retry?: number | SettingsOf<typeof lookupRetryOptions>;
    /** How many answers are kept, or a block; without it none. */
    readonly cache?: number | SettingsOf<typeof lookupCacheOptions>;
  };

export type DedupeSettings = StepSettings & Omit<SettingsOf<typeof dedupeOptions>, 'key'>;

export type TopNSettings<Rank extends string> = StepSettings &
  Omit<SettingsOf<typeof topNOptions>, 'key' | 'by' | 'rank'> & {
    /** `EXPR`, `EXPR asc` or `EXPR desc`. */
    readonly by: string | readonly string[];
    readonly rank?: Rank;
  };

export interface CodeSettings<L extends Longs = Longs> extends StepSettings {
  /** As what code sees values of type long. Default `number`. */
  readonly longs?: L;
}

export interface ProcessSettings<Out extends Schema, Sides extends Sideways, L extends Longs> extends CodeSettings<L> {
  /** The fields of what is emitted. */
  readonly schema: Out;
  /** Streams beside the step's own, by name: emitTo(NAME, row) writes, `.side(NAME)` reads them. */
  readonly sides?: Sides;
}

export type Sideways = Readonly<Record<string, Schema>>;
/** Is never there: a type without members would take anything. */
declare const nothing: unique symbol;
export type NoFields = { readonly [nothing]?: never };
export type NoSides = NoFields;
export type Conditions = Readonly<Record<string, string>>;
