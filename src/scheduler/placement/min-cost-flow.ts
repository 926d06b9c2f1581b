interface Edge {
  readonly to: number;
  /** What can still go along it. */
  capacity: number;
  readonly cost: number;
}

/**
 * The cheapest way to send an amount through a network, by successive shortest paths (Ford and Fulkerson; distances by
 * Bellman and Ford's method with a queue). Whole numbers in, whole numbers out; of equal ways always the same one.
 */
export class MinCostFlow {
  /** Each edge is followed by its reverse. */
  readonly #edges: Edge[] = [];
  readonly #leaving: number[][];

  constructor(nodeCount: number) {
    this.#leaving = Array.from({ length: nodeCount }, () => []);
  }

  /** Returns the number of the edge. No cycle may have a negative cost. */
  addEdge(from: number, to: number, capacity: number, cost: number): number {
    const edge = this.#edges.length;
    this.#edges.push({ to, capacity, cost }, { to: from, capacity: 0, cost: -cost });
    this.#leaving[from]?.push(edge);
    this.#leaving[to]?.push(edge + 1);
    return edge;
  }

  /** Sends at most `amount`; returns how much was sent. */
  send(source: number, sink: number, amount: number): number {
    let sent = 0;
    while (sent < amount) {
      const path = this.#shortestPath(source, sink);
      if (path === null) break;
      const edges = path.map((edge) => this.#edges[edge] as Edge);
      const step = edges.reduce((least, { capacity }) => Math.min(least, capacity), amount - sent);
      for (const edge of path) {
        (this.#edges[edge] as Edge).capacity -= step;
        (this.#edges[edge ^ 1] as Edge).capacity += step;
      }
      sent += step;
    }
    return sent;
  }

  /** What goes along an edge. */
  flowOf(edge: number): number {
    return this.#edges[edge + 1]?.capacity ?? 0;
  }

  /** Edges from source to sink that all have room; null where there is no such path. */
  #shortestPath(source: number, sink: number): readonly number[] | null {
    const distances = this.#leaving.map(() => Infinity);
    const arrivals = this.#leaving.map(() => -1);
    const isQueued = this.#leaving.map(() => false);
    distances[source] = 0;
    const queue = [source];
    for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
      isQueued[node] = false;
      for (const edge of this.#leaving[node] ?? []) {
        const { to, capacity, cost } = this.#edges[edge] as Edge;
        const distance = (distances[node] as number) + cost;
        if (capacity === 0 || distance >= (distances[to] as number)) continue;
        distances[to] = distance;
        arrivals[to] = edge;
        if (isQueued[to] === true) continue;
        isQueued[to] = true;
        queue.push(to);
      }
    }
    if (distances[sink] === Infinity) return null;
    const path: number[] = [];
    for (let node = sink; node !== source; ) {
      const edge = arrivals[node] as number;
      path.push(edge);
      node = this.#edges[edge ^ 1]?.to ?? source;
    }
    return path;
  }
}
