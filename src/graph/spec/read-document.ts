import { isAlias, isCollection, isMap, isPair, isScalar, isSeq } from 'yaml';
import type { Alias, Document, Node, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { alignScalar } from './align-scalar.ts';
import type { ScalarStyle } from './align-scalar.ts';
import type { DocumentNode, ListNode, MapEntry, MapNode, ScalarNode } from './document.ts';
import { interpolate } from './interpolate.ts';
import type { Interpolated, Variables } from './interpolate.ts';
import type { JobFileLimits } from '../options.ts';
import { PlacedText } from './placed-text.ts';
import type { ProblemList } from './problem.ts';
import type { TextRange } from './source-text.ts';
import { parseRepaired } from './yaml-repair.ts';
import type { RepairedYaml } from './yaml-repair.ts';

/** The document of a YAML text; null where there is none to speak of. Every problem of YAML goes to `problems`. */
export function readDocument(problems: ProblemList, variables: Variables, limits: JobFileLimits): DocumentNode | null {
  const source = problems.source;
  const size = Buffer.byteLength(source.text);
  const limit = limits['job-file.max-size'];
  const wholeFirstLine = { start: 0, end: source.lineEnd(0) };
  if (size > limit) {
    problems.add('MR-JOB-LIMIT', wholeFirstLine, { what: "the file's size in bytes", given: size, limit });
    return null;
  }
  let yaml: RepairedYaml;
  try {
    yaml = parseRepaired(source);
  } catch (error) {
    // The YAML library recurses over nested values; it fails on absurd ones in its own ways.
    const problem = error instanceof RangeError ? 'its values are nested too deeply' : String(error);
    problems.add('MR-JOB-YAML', wholeFirstLine, { problem });
    return null;
  }
  reportYaml(yaml, problems);
  if (yaml.document.contents === null) {
    if (problems.count === 0) problems.add('MR-JOB-EMPTY', wholeFirstLine, {});
    return null;
  }
  return new DocumentReader(yaml, problems, variables, limits).read();
}

function reportYaml(yaml: RepairedYaml, problems: ProblemList): void {
  for (const cut of yaml.cuts) {
    problems.add('MR-JOB-YAML-CUT', cut, { reason: cut.reason }, {
      expected: 'the whole value in quotes',
      suggestion: cut.suggestion,
    });
  }
  for (const { start, end, message, hint } of yaml.errors) {
    problems.add('MR-JOB-YAML', { start, end }, { problem: message }, { expected: hint });
  }
  for (const warning of yaml.document.warnings) {
    const [start, end] = warning.pos;
    if (warning.code !== 'TAG_RESOLVE_FAILED') {
      problems.add('MR-JOB-YAML', { start, end }, { problem: warning.message });
    }
  }
}

const CORE_TAG = /^tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq)$/;

class DocumentReader {
  readonly #yaml: RepairedYaml;
  readonly #problems: ProblemList;
  readonly #variables: Variables;
  readonly #limits: JobFileLimits;
  /** Aliases that are being followed: one that meets itself is a circle. */
  readonly #following = new Set<Node>();
  readonly #anchors = new Map<string, Node>();
  #values = 0;
  #stopped = false;

  constructor(yaml: RepairedYaml, problems: ProblemList, variables: Variables, limits: JobFileLimits) {
    this.#yaml = yaml;
    this.#problems = problems;
    this.#variables = variables;
    this.#limits = limits;
  }

  read(): DocumentNode | null {
    const document: Document = this.#yaml.document;
    const node = this.#node(document.contents, { start: 0, end: 0 }, this.#problems.source.text.length, 0);
    return this.#stopped ? null : node;
  }

  /** `until` is where the next sibling begins; `near` the place of a value that was not written. */
  #node(node: unknown, near: TextRange, until: number, depth: number): DocumentNode {
    this.#values++;
    if (this.#stopped || this.#isOverLimit(near, depth)) return emptyScalar(near);
    if (isAlias(node)) return this.#alias(node, near, until, depth);
    if (!isScalar(node) && !isCollection(node)) return emptyScalar(near);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    const range = rangeOf(node, near);
    if (node.tag !== undefined && !CORE_TAG.test(node.tag)) {
      this.#problems.add('MR-JOB-YAML-FEATURE', range, { feature: `the tag \`${node.tag}\`` }, {
        expected: 'a value without a tag, in quotes if it begins with `!`',
      });
    }
    if (isMap(node)) return this.#map(node, range, until, depth);
    if (isSeq(node)) return this.#list(node, range, until, depth);
    return isScalar(node) ? this.#scalar(node, range) : emptyScalar(near);
  }

  #isOverLimit(at: TextRange, depth: number): boolean {
    const maxDepth = this.#limits['job-file.max-depth'];
    const maxValues = this.#limits['job-file.max-values'];
    if (depth > maxDepth) {
      this.#problems.add('MR-JOB-LIMIT', at, { what: 'the nesting of values', given: depth, limit: maxDepth });
    } else if (this.#values > maxValues) {
      this.#problems.add('MR-JOB-LIMIT', at, { what: 'the number of values', given: this.#values, limit: maxValues });
    } else {
      return false;
    }
    this.#stopped = true;
    return true;
  }

  /** Anchors are those read before, as YAML wants; every use is read anew and counts, so that bombs meet the limit. */
  #alias(alias: Alias, near: TextRange, until: number, depth: number): DocumentNode {
    const range = rangeOf(alias, near);
    const target = this.#anchors.get(alias.source);
    if (target === undefined || this.#following.has(target)) {
      const name = alias.source;
      const problem =
        target === undefined ? `there is no anchor \`&${name}\`` : `the alias \`*${name}\` holds itself`;
      this.#problems.add('MR-JOB-YAML', range, { problem }, { expected: 'a value in quotes if it begins with `*`' });
      return emptyScalar(range);
    }
    this.#following.add(target);
    const node = this.#node(target, range, until, depth + 1);
    this.#following.delete(target);
    return node;
  }

  #list(list: YAMLSeq, range: TextRange, until: number, depth: number): ListNode {
    this.#following.add(list);
    const items = list.items.map((item, index) => {
      const end = startOf(list.items[index + 1]) ?? until;
      return this.#node(item, range, end, depth + 1);
    });
    this.#following.delete(list);
    return Object.freeze({ kind: 'list', range, items: Object.freeze(items), damaged: this.#isDamaged(range, until) });
  }

  #map(map: YAMLMap, range: TextRange, until: number, depth: number): MapNode {
    this.#following.add(map);
    const entries = new Map<string, MapEntry>();
    map.items.forEach((pair, index) => {
      const end = startOf(map.items[index + 1]?.key) ?? until;
      const entry = this.#entry(pair, range, end, depth);
      if (entry === null) return;
      const first = entries.get(entry.key);
      if (first === undefined) {
        entries.set(entry.key, entry);
        return;
      }
      const { line } = this.#problems.source.place(first.keyRange);
      this.#problems.add('MR-JOB-DUPLICATE-KEY', entry.keyRange, { key: shortened(entry.key), line });
    });
    this.#following.delete(map);
    const damaged = this.#isDamaged(range, until);
    return Object.freeze({ kind: 'map', range, entries: Object.freeze([...entries.values()]), damaged });
  }

  #entry(pair: Pair, mapRange: TextRange, until: number, depth: number): MapEntry | null {
    const { key } = pair;
    const keyRange = isPair(pair) && isNode(key) ? rangeOf(key, mapRange) : mapRange;
    const name = this.#keyName(key, keyRange);
    if (name === '<<') {
      this.#problems.add('MR-JOB-YAML-FEATURE', keyRange, { feature: 'the merge key `<<`' }, {
        expected: 'the settings themselves',
      });
      return null;
    }
    const value = this.#node(pair.value, keyRange, until, depth + 1);
    return name === null ? null : Object.freeze({ key: name, keyRange, value });
  }

  #keyName(key: unknown, range: TextRange): string | null {
    if (isScalar(key) && key.tag === undefined) {
      const original = this.#yaml.masked.get(range.start);
      if (original !== undefined) return original;
      if (typeof key.value === 'string') return key.value;
      const text = key.source ?? '';
      this.#problems.add('MR-JOB-YAML-KEY', range, { given: text === '' ? 'nothing' : `the value ${text}` }, {
        expected: 'a name',
        suggestion: text === '' ? null : `"${text}"`,
      });
      return text === '' ? null : text;
    }
    const given = isAlias(key) ? 'an alias' : isMap(key) ? 'a mapping' : isSeq(key) ? 'a list' : 'a tagged value';
    this.#problems.add('MR-JOB-YAML-KEY', range, { given: key === null ? 'nothing' : given }, { expected: 'a name' });
    return null;
  }

  #scalar(scalar: Scalar, range: TextRange): ScalarNode {
    const source = this.#problems.source.text;
    const original = this.#yaml.masked.get(range.start);
    const isText = typeof scalar.value === 'string' || original !== undefined;
    const raw = original ?? (typeof scalar.value === 'string' ? scalar.value : (scalar.source ?? ''));
    const end = original === undefined ? range.end : range.start + original.length;
    const placed = { start: range.start, end };
    const alignment = alignScalar(source, range.start, end, original === undefined ? styleOf(scalar) : 'plain', raw);
    if (!isText || !raw.includes('${')) {
      const text = new PlacedText(raw, placed, alignment?.starts ?? null, alignment?.ends ?? null);
      return Object.freeze({ kind: 'scalar', range: placed, value: isText ? raw : plainValue(scalar.value), text });
    }
    const rawText = new PlacedText(raw, placed, alignment?.starts ?? null, alignment?.ends ?? null);
    const text = this.#interpolated(rawText, interpolate(raw, this.#variables));
    return Object.freeze({ kind: 'scalar', range: placed, value: text.text, text });
  }

  #interpolated(raw: PlacedText, result: Interpolated): PlacedText {
    for (const { what, given, start, end } of result.problems) {
      const range = raw.rangeOf(start, end);
      if (what === 'missing') {
        this.#problems.add('MR-JOB-VARIABLE-MISSING', range, { name: given }, {
          expected: `\`--set ${given}=value\`, an environment variable, or a default: \`\${${given}:-default}\``,
        });
      } else {
        this.#problems.add('MR-JOB-VARIABLE-SYNTAX', range, { given: shortened(given) }, {
          expected: '`${NAME}`, `${NAME:-default}`, or `$${` for a literal `${`',
        });
      }
    }
    const starts = new Int32Array(result.text.length);
    const ends = new Int32Array(result.text.length);
    let at = 0;
    for (const piece of result.pieces) {
      for (let i = 0; i < piece.text.length; i++, at++) {
        const from = piece.verbatim ? piece.start + i : piece.start;
        const range = raw.rangeOf(from, piece.verbatim ? from + 1 : piece.end);
        starts[at] = range.start;
        ends[at] = range.end;
      }
    }
    return new PlacedText(result.text, raw.range, starts, ends, result.substitutions, result.problems.length > 0);
  }

  #isDamaged(range: TextRange, until: number): boolean {
    return this.#yaml.leftOut.some((offset) => offset >= range.start && offset < until);
  }
}

function isNode(value: unknown): value is Node {
  return isScalar(value) || isCollection(value) || isAlias(value);
}

/** As the YAML library's nodes have it: absent, null, or where the value begins and ends. */
interface Ranged {
  readonly range?: readonly [number, number, number] | null | undefined;
}

function rangeOf({ range }: Ranged, near: TextRange): TextRange {
  return range === null || range === undefined ? near : { start: range[0], end: range[1] };
}

function startOf(node: unknown): number | null {
  return isNode(node) ? (node.range?.[0] ?? null) : null;
}

function emptyScalar(near: TextRange): ScalarNode {
  return Object.freeze({ kind: 'scalar', range: near, value: null, text: new PlacedText('', near) });
}

function plainValue(value: unknown): number | boolean | null {
  return typeof value === 'number' || typeof value === 'boolean' ? value : null;
}

function styleOf(scalar: Scalar): ScalarStyle {
  switch (scalar.type) {
    case 'QUOTE_SINGLE':
      return 'single-quoted';
    case 'QUOTE_DOUBLE':
      return 'double-quoted';
    case 'BLOCK_LITERAL':
    case 'BLOCK_FOLDED':
      return 'block';
    default:
      return 'plain';
  }
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
