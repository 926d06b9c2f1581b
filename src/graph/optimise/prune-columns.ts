/**
 * Leaves out every field that nobody needs: a source does not decode it, a select does not compute it, an exchange does
 * not carry it. A field that is left out cannot fail either; that is the same rule as for a record's fields that the
 * job does not declare.
 */
import { columnsOf, mapColumns } from '../../expr/index.ts';
import type { Field, RowSchema } from '../../core/index.ts';
import { columnsOfAll, columnsOfCall, mapCallColumns, moveColumns } from '../logical/expression-columns.ts';
import type {
  LogicalGraph,
  LogicalJoin,
  LogicalLookup,
  LogicalNode,
  LogicalProcess,
  LogicalSelect,
  RowStream,
} from '../logical/logical-graph.ts';
import { GraphEdit } from './graph-edit.ts';
import { planExchanges } from './plan-exchanges.ts';

export function pruneColumns(graph: LogicalGraph): LogicalGraph {
  const needed = neededColumns(graph);
  const exchanges = planExchanges(graph);
  const edit = new GraphEdit(graph);
  const layouts = new Map<string, Layout>();
  /** Per node, what a side of it carries. */
  const asideOf = new Map<string, (side: string) => Layout>();
  for (const node of graph.nodes) {
    const late = lateColumns(node, graph, needed);
    const arriving = edit.inputsOf(node.id).map((from, position) => {
      if (node.kind === 'side') return asideOf.get(from)?.(node.side) ?? [];
      const edge = graph.edges.find((each) => each.to === node.id && each.input === position);
      const crosses = edge !== undefined && exchanges.get(edge)?.kind !== 'forward';
      const wanted = wantedLayout(node, position, layouts.get(from) ?? [], needed, crosses, late);
      if (wanted === null) return layouts.get(from) ?? [];
      const narrow = narrowing(node.id, position, edit.node(from), layouts.get(from) ?? [], wanted);
      layouts.set(narrow.id, wanted);
      edit.insertBefore(node.id, position, narrow);
      return wanted;
    });
    const { pruned, layout } = pruneNode(node, arriving, needed.get(node.id) ?? []);
    if (node.kind === 'window') asideOf.set(node.id, () => arriving[0] ?? []);
    if (node.kind === 'process') asideOf.set(node.id, (side) => everyField(sideSchema(node, side)));
    layouts.set(node.id, layout);
    edit.replace(pruned);
  }
  return edit.finish();
}

/** Which of a node's original output fields it still emits, in order. */
type Layout = readonly number[];

/** Per node, the fields of its output that its consumers need, in order. */
function neededColumns(graph: LogicalGraph): ReadonlyMap<string, Layout> {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const needed = new Map<string, Layout>();
  for (const node of [...graph.nodes].reverse()) {
    if (node.output === null) continue;
    const columns = new Set<number>();
    for (const edge of graph.edges) {
      const consumer = nodes.get(edge.to);
      if (edge.from !== node.id || consumer === undefined) continue;
      for (const column of requiredBy(consumer, needed.get(consumer.id) ?? [], edge.input)) columns.add(column);
      for (const column of lateColumns(consumer, graph, needed)) columns.add(column);
    }
    if (node.kind === 'source' && node.watermark !== null) columns.add(node.watermark.column);
    if (node.output.changelog !== 'append') for (const key of node.output.uniqueKeys[0] ?? []) columns.add(key);
    if (columns.size === 0) columns.add(cheapestField(node.output.schema));
    needed.set(node.id, [...columns].sort((a, b) => a - b));
  }
  return needed;
}

/** The code of a process node writes all fields of its rows. */
function sideSchema({ sides }: LogicalProcess, side: string): RowSchema {
  return sides.find(({ name }) => name === side)?.schema ?? { fields: [] };
}

function everyField({ fields }: RowSchema): Layout {
  return fields.map((_, index) => index);
}

/** What is needed of rows that come too late for a window has to reach the window. */
function lateColumns(window: LogicalNode, graph: LogicalGraph, needed: ReadonlyMap<string, Layout>): Layout {
  if (window.kind !== 'window') return [];
  const readers = graph.edges.filter(({ from }) => from === window.id).map(({ to }) => to);
  const late = graph.nodes.filter(({ id, kind }) => kind === 'side' && readers.includes(id));
  return late.flatMap(({ id }) => needed.get(id) ?? []);
}

/** The fields of one of its inputs that a node needs for the wanted fields of its output. */
function requiredBy(node: LogicalNode, wanted: Layout, input: number): ReadonlySet<number> {
  switch (node.kind) {
    case 'source':
    // Reads what the node in front of it puts aside.
    case 'side':
      return new Set();
    case 'sink':
      return new Set(node.spec.input.fields.map((_, index) => index));
    case 'filter':
      return new Set([...wanted, ...columnsOf(node.predicate)]);
    case 'select':
      return columnsOfAll(wanted.flatMap((index) => node.fields[index]?.expression ?? []));
    case 'flat-map': {
      const kept = wanted.filter((index) => index < node.kept.length).map((index) => node.kept[index] as number);
      return new Set([...kept, ...columnsOfAll(node.fields.map(({ expression }) => expression))]);
    }
    case 'dedupe':
    case 'normalise':
      return new Set([...wanted, ...node.keys]);
    case 'top-n': {
      const fields = node.hasRank ? node.output.schema.fields.length - 1 : Infinity;
      const read = wanted.filter((index) => index < fields);
      return new Set([...read, ...node.keys, ...node.by.map(({ column }) => column)]);
    }
    case 'join': {
      const used = [...wanted, ...(node.condition === null ? [] : columnsOf(node.condition))];
      const isLeft = (column: number) => column < node.leftFields;
      if (input === 0) return new Set([...used.filter(isLeft), ...node.leftKeys]);
      const right = used.filter((column) => !isLeft(column)).map((column) => column - node.leftFields);
      return new Set([...right, ...node.rightKeys]);
    }
    case 'aggregate':
    case 'window':
      return new Set([...node.keys, ...node.calls.flatMap((call) => [...columnsOfCall(call)])]);
    case 'process':
      return new Set(Array.from({ length: node.inputFields }, (_, index) => index));
    case 'lookup': {
      const kept = wanted.filter((index) => index < node.kept.length).map((index) => node.kept[index] as number);
      return new Set([...kept, ...node.keys]);
    }
    case 'union':
      return new Set(wanted);
  }
}

/** Rows without any field are legal, but one of fixed width costs next to nothing and surprises nobody. */
function cheapestField(schema: RowSchema): number {
  const cheap = schema.fields.findIndex(({ type }) => type.kind === 'int' || type.kind === 'boolean');
  const fixed = schema.fields.findIndex(({ type }) => type.kind === 'long' || type.kind === 'double');
  return Math.max(0, cheap >= 0 ? cheap : fixed);
}

/** What the edge into a node should carry where that is not what arrives; null where it may stay. */
function wantedLayout(
  node: LogicalNode,
  input: number,
  arriving: Layout,
  needed: ReadonlyMap<string, Layout>,
  crosses: boolean,
  late: Layout,
): Layout | null {
  const wanted = needed.get(node.id) ?? [];
  if (node.kind === 'union') return sameLayout(arriving, wanted) ? null : wanted;
  // What a join, a dedupe or a top-n keeps of a row takes memory, wherever it comes from.
  const isKept = ['join', 'dedupe', 'top-n', 'normalise'].includes(node.kind);
  if (!(crosses || isKept) || node.kind === 'sink') return null;
  const required = new Set([...requiredBy(node, wanted, input), ...late]);
  const narrow = arriving.filter((column) => required.has(column));
  return narrow.length === arriving.length || narrow.length === 0 ? null : narrow;
}

function sameLayout(a: Layout, b: Layout): boolean {
  return a.length === b.length && a.every((column, index) => column === b[index]);
}

/** A select of plain columns in front of an exchange or a union; it runs where the rows come from. */
function narrowing(
  consumer: string,
  position: number,
  from: LogicalNode,
  arriving: Layout,
  wanted: Layout,
): LogicalSelect {
  const stream = from.output as RowStream;
  const fields = wanted.map((column) => {
    const index = arriving.indexOf(column);
    const { name, type } = stream.schema.fields[index] as Field;
    return { name, expression: { kind: 'column', index, name, type } as const };
  });
  return {
    kind: 'select',
    id: position === 0 ? `${consumer}.project` : `${consumer}.project${position}`,
    parallelism: from.parallelism,
    narrows: from.id,
    fields,
    output: layoutStream(stream, wanted.map((column) => arriving.indexOf(column))),
  };
}

/** A stream with only the fields at these positions. */
function layoutStream(stream: RowStream, positions: Layout): RowStream {
  return {
    ...stream,
    schema: { fields: positions.map((index) => stream.schema.fields[index] as Field) },
    uniqueKeys: stream.uniqueKeys
      .map((key) => key.map((index) => positions.indexOf(index)))
      .filter((key) => key.every((index) => index >= 0)),
  };
}

interface Pruned {
  readonly pruned: LogicalNode;
  readonly layout: Layout;
}

/** `arriving` has the layout of each input. */
function pruneNode(node: LogicalNode, arriving: readonly Layout[], needed: Layout): Pruned {
  const input = arriving[0] ?? [];
  const move = moveColumns((index) => input.indexOf(index));
  switch (node.kind) {
    case 'source': {
      const projection = needed.map((index) => node.spec.projection[index] as number);
      const output = layoutStream(node.output, needed);
      const watermark = node.watermark && { ...node.watermark, column: needed.indexOf(node.watermark.column) };
      return { pruned: { ...node, spec: { ...node.spec, projection }, watermark, output }, layout: needed };
    }
    case 'filter': {
      const predicate = mapColumns(node.predicate, move);
      return { pruned: { ...node, predicate, output: layoutStream(node.output, input) }, layout: input };
    }
    case 'select': {
      const fields = needed.flatMap((index) => {
        const field = node.fields[index];
        return field === undefined ? [] : [{ name: field.name, expression: mapColumns(field.expression, move) }];
      });
      return { pruned: { ...node, fields, output: layoutStream(node.output, needed) }, layout: needed };
    }
    case 'flat-map': {
      const keptPositions = needed.filter((index) => index < node.kept.length);
      const kept = keptPositions.map((index) => input.indexOf(node.kept[index] as number));
      const fields = node.fields.map(({ name, expression }) => ({ name, expression: mapColumns(expression, move) }));
      const layout = [...keptPositions, ...node.fields.map((_, index) => node.kept.length + index)];
      return { pruned: { ...node, kept, fields, output: layoutStream(node.output, layout) }, layout };
    }
    case 'dedupe':
    case 'normalise': {
      const keys = node.keys.map((index) => input.indexOf(index));
      return { pruned: { ...node, keys, output: layoutStream(node.output, input) }, layout: input };
    }
    case 'top-n': {
      const keys = node.keys.map((index) => input.indexOf(index));
      const by = node.by.map(({ column, descending }) => ({ column: input.indexOf(column), descending }));
      const rank = node.hasRank ? [node.output.schema.fields.length - 1] : [];
      const layout = [...input, ...rank];
      return { pruned: { ...node, keys, by, output: layoutStream(node.output, layout) }, layout };
    }
    case 'join':
      return pruneJoin(node, input, arriving[1] ?? []);
    case 'aggregate':
    case 'window': {
      const keys = node.keys.map((index) => input.indexOf(index));
      const calls = node.calls.map((call) => mapCallColumns(call, move));
      return { pruned: { ...node, keys, calls }, layout: node.output.schema.fields.map((_, index) => index) };
    }
    case 'process':
      return { pruned: node, layout: everyField(node.output.schema) };
    case 'lookup':
      return pruneLookup(node, input, needed);
    case 'side':
      return { pruned: { ...node, output: layoutStream(node.output, input) }, layout: input };
    case 'union':
      return { pruned: { ...node, output: layoutStream(node.output, needed) }, layout: needed };
    case 'sink':
      return { pruned: node, layout: [] };
  }
}

function pruneLookup(node: LogicalLookup, input: Layout, needed: Layout): Pruned {
  const before = node.kept.length;
  const kept = needed.filter((index) => index < before);
  const found = needed.filter((index) => index >= before);
  const pruned = {
    ...node,
    keys: node.keys.map((index) => input.indexOf(index)),
    kept: kept.map((index) => input.indexOf(node.kept[index] as number)),
    found: found.map((index) => node.found[index - before] as number),
    output: layoutStream(node.output, needed),
  };
  return { pruned, layout: needed };
}

function pruneJoin(node: LogicalJoin, left: Layout, right: Layout): Pruned {
  const both = [...left, ...right.map((column) => node.leftFields + column)];
  const move = moveColumns((index) => both.indexOf(index));
  // A semi or anti join lets only fields of the left through.
  const layout = node.type === 'semi' || node.type === 'anti' ? left : both;
  const pruned = {
    ...node,
    leftKeys: node.leftKeys.map((index) => left.indexOf(index)),
    rightKeys: node.rightKeys.map((index) => right.indexOf(index)),
    condition: node.condition === null ? null : mapColumns(node.condition, move),
    leftFields: left.length,
    output: layoutStream(node.output, layout),
  };
  return { pruned, layout };
}
