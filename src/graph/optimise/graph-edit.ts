import type { LogicalEdge, LogicalGraph, LogicalNode, RowStream } from '../logical/logical-graph.ts';

/** A logical graph while it is rewritten: nodes in topological order, and what each reads. */
export class GraphEdit {
  readonly #graph: LogicalGraph;
  readonly #nodes = new Map<string, LogicalNode>();
  readonly #inputs = new Map<string, readonly string[]>();

  constructor(graph: LogicalGraph) {
    this.#graph = graph;
    for (const node of graph.nodes) {
      this.#nodes.set(node.id, node);
      const edges = graph.edges.filter((edge) => edge.to === node.id).sort((a, b) => a.input - b.input);
      this.#inputs.set(node.id, edges.map((edge) => edge.from));
    }
  }

  get nodes(): readonly LogicalNode[] {
    return [...this.#nodes.values()];
  }

  node(id: string): LogicalNode {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Error(`the graph has no node ${id}`);
    return node;
  }

  inputsOf(id: string): readonly string[] {
    return this.#inputs.get(id) ?? [];
  }

  consumersOf(id: string): readonly string[] {
    const readers = [...this.#inputs];
    return readers.flatMap(([consumer, inputs]) => inputs.filter((input) => input === id).map(() => consumer));
  }

  /** The only consumer, or null where there are none or several. */
  onlyConsumer(id: string): LogicalNode | null {
    const consumers = this.consumersOf(id);
    return consumers.length === 1 && consumers[0] !== undefined ? this.node(consumers[0]) : null;
  }

  replace(node: LogicalNode): void {
    this.#nodes.set(node.id, node);
  }

  /** Takes out a node that has one input; its consumers read that input. */
  remove(id: string): void {
    const input = this.inputsOf(id)[0];
    this.#nodes.delete(id);
    this.#inputs.delete(id);
    for (const [consumer, inputs] of this.#inputs) {
      if (inputs.includes(id)) this.#inputs.set(consumer, inputs.map((each) => (each === id ? (input ?? each) : each)));
    }
  }

  /** Puts a node on the edge into `consumer` at a position of its inputs. */
  insertBefore(consumer: string, position: number, node: LogicalNode): void {
    const inputs = this.inputsOf(consumer);
    this.#inputs.set(node.id, inputs.slice(position, position + 1));
    this.#inputs.set(consumer, inputs.map((input, index) => (index === position ? node.id : input)));
    const ordered = [...this.#nodes.values()];
    this.#nodes.clear();
    for (const each of ordered) {
      if (each.id === consumer) this.#nodes.set(node.id, node);
      this.#nodes.set(each.id, each);
    }
  }

  finish(): LogicalGraph {
    const edges: LogicalEdge[] = [];
    for (const [to, inputs] of this.#inputs) {
      inputs.forEach((from, input) => edges.push({ from, to, input, stream: this.node(from).output as RowStream }));
    }
    return { ...this.#graph, nodes: this.nodes, edges };
  }
}
