/**
 * Every path in ZooKeeper, below the path of the cluster:
 *
 *  /epoch                           JSON `Epoch`: who was granted the leadership last. Its version fences all writes.
 *  /election/<id>-<guid>-<number>   a candidate each, ephemeral, in the order in which they came
 *  /leader                          what the leader publishes, ephemeral
 *  /taskmanagers/<id>-<guid>        a TaskManager that is announced each, ephemeral
 *  /store/<key>                     a value of the fenced store each; the parts of the key separated by `:`
 */
import { escaped, unescaped } from '../keys.ts';

const PLAIN = /[A-Za-z0-9_]/;
const CANDIDATE = /^(.*)-([0-9a-f]+)-(\d{10,})$/;

export interface ElectionNode {
  readonly name: string;
  readonly dispatcherId: string;
  readonly guid: string;
  readonly sequence: number;
}

export class ZooKeeperPaths {
  readonly #root: string;

  /** An absolute path without a `/` at its end. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Nodes that must be there, those above first. */
  get persistent(): readonly string[] {
    const above = this.#root.split('/').slice(1);
    const roots = above.map((_, index) => `/${above.slice(0, index + 1).join('/')}`);
    return [...roots, this.election, this.taskManagers, this.store, this.epoch];
  }

  get epoch(): string {
    return `${this.#root}/epoch`;
  }

  get leader(): string {
    return `${this.#root}/leader`;
  }

  get election(): string {
    return `${this.#root}/election`;
  }

  /** The server appends the number. */
  candidate(dispatcherId: string, guid: string): string {
    return `${this.election}/${escaped(dispatcherId, PLAIN)}-${guid}-`;
  }

  electionNode(name: string): string {
    return `${this.election}/${name}`;
  }

  get taskManagers(): string {
    return `${this.#root}/taskmanagers`;
  }

  taskManager(taskManagerId: string, guid: string): string {
    return `${this.taskManagers}/${escaped(taskManagerId, PLAIN)}-${guid}`;
  }

  announced(name: string): string {
    return `${this.taskManagers}/${name}`;
  }

  get store(): string {
    return `${this.#root}/store`;
  }

  value(key: string): string {
    return `${this.store}/${key.split('/').map((part) => escaped(part, PLAIN)).join(':')}`;
  }
}

/** The key of a value by the name of its node. */
export function keyOfNode(name: string): string {
  return name.split(':').map(unescaped).join('/');
}

/** In the order of the election; what are no candidates is left out. */
export function electionNodes(names: readonly string[]): readonly ElectionNode[] {
  return names
    .map((name) => {
      const [, id, guid, digits] = CANDIDATE.exec(name) ?? [];
      if (id === undefined || guid === undefined || digits === undefined) return null;
      return { name, dispatcherId: unescaped(id), guid, sequence: Number(digits) };
    })
    .filter((each) => each !== null)
    .sort((a, b) => a.sequence - b.sequence);
}
