/** What the suites ask Docker beside starting containers, through the connection that testcontainers has found. */
import { getContainerRuntimeClient, type ContainerRuntimeClient } from 'testcontainers';

export type Labels = Readonly<Record<string, string>>;

type Dockerode = ContainerRuntimeClient['container']['dockerode'];
export type ContainerHandle = ReturnType<Dockerode['getContainer']>;

export interface Labelled {
  readonly kind: 'container' | 'network' | 'volume';
  readonly name: string;
  readonly labels: Labels;
  readonly createdAtMs: number;
}

export interface VolumeRequest {
  readonly name: string;
  readonly labels: Labels;
  /** In memory, and full then. */
  readonly sizeBytes: number;
  /** Who may write there. */
  readonly userId: number;
}

const NOT_FOUND = 404;
const CONFLICT = 409;

export class Docker {
  readonly #client: ContainerRuntimeClient;

  constructor(client: ContainerRuntimeClient) {
    this.#client = client;
  }

  get #engine(): Dockerode {
    return this.#client.container.dockerode;
  }

  container(id: string): ContainerHandle {
    return this.#engine.getContainer(id);
  }

  async createNetwork(name: string, labels: Labels): Promise<void> {
    await this.#engine.createNetwork({ Name: name, CheckDuplicate: true, Driver: 'bridge', Labels: { ...labels } });
  }

  async disconnect(network: string, containerId: string): Promise<void> {
    await this.#engine.getNetwork(network).disconnect({ Container: containerId, Force: true });
  }

  async connect(network: string, containerId: string, alias: string): Promise<void> {
    const request = { Container: containerId, EndpointConfig: { Aliases: [alias] } };
    await this.#engine.getNetwork(network).connect(request);
  }

  async createVolume({ name, labels, sizeBytes, userId }: VolumeRequest): Promise<void> {
    const o = `size=${sizeBytes},uid=${userId},gid=${userId},mode=0770`;
    const options = { type: 'tmpfs', device: 'tmpfs', o };
    await this.#engine.createVolume({ Name: name, Driver: 'local', DriverOpts: options, Labels: { ...labels } });
  }

  /** Gives an image another name. */
  async tagImage(image: string, repo: string, tag: string): Promise<void> {
    await this.#engine.getImage(image).tag({ repo, tag });
  }

  /** Takes a name from an image that has others. */
  async untagImage(image: string): Promise<void> {
    await this.#engine.getImage(image).remove();
  }

  /** What `command` wrote to its standard output; rejects where it fails. */
  async exec(containerId: string, command: readonly string[]): Promise<string> {
    const { output, stdout, exitCode } = await this.#client.container.exec(this.container(containerId), [...command]);
    if (exitCode !== 0) throw new Error(`${command.join(' ')} ended with ${exitCode}: ${output}`);
    return stdout;
  }

  /** Everything that carries the label, whatever state it is in. */
  async labelled(label: string): Promise<readonly Labelled[]> {
    const filters = { label: [label] };
    const [containers, networks, { Volumes: volumes }] = await Promise.all([
      this.#engine.listContainers({ all: true, filters }),
      this.#engine.listNetworks({ filters }),
      this.#engine.listVolumes({ filters }),
    ]);
    const found: Labelled[] = [];
    for (const { Id, Labels, Created } of containers) {
      found.push({ kind: 'container', name: Id, labels: Labels, createdAtMs: Created * 1000 });
    }
    for (const { Id, Labels, Created } of networks) {
      found.push({ kind: 'network', name: Id, labels: Labels ?? {}, createdAtMs: Date.parse(Created) });
    }
    for (const volume of volumes) {
      const { Name, Labels } = volume;
      const createdAt = 'CreatedAt' in volume ? Date.parse(String(volume.CreatedAt)) : Date.now();
      found.push({ kind: 'volume', name: Name, labels: Labels, createdAtMs: createdAt });
    }
    return found;
  }

  /** Containers first, as the others cannot be removed while one uses them. */
  async removeLabelled(label: string): Promise<void> {
    const found = await this.labelled(label);
    const namesOf = (kind: Labelled['kind']): readonly string[] =>
      found.filter((each) => each.kind === kind).map(({ name }) => name);
    await all(namesOf('container'), (id) => this.container(id).remove({ force: true, v: true }));
    await all(namesOf('network'), (id) => this.#engine.getNetwork(id).remove());
    await all(namesOf('volume'), (name) => this.#engine.getVolume(name).remove({ force: true }));
  }
}

let connected: Promise<Docker> | null = null;

/** Rejects where no engine answers. */
export function docker(): Promise<Docker> {
  connected ??= getContainerRuntimeClient().then((client) => new Docker(client));
  return connected;
}

/** What is gone already, or being removed by somebody else, is removed. */
async function all(names: readonly string[], remove: (name: string) => Promise<unknown>): Promise<void> {
  const one = async (name: string): Promise<void> => {
    try {
      await remove(name);
    } catch (error) {
      const status = statusOf(error);
      if (status !== NOT_FOUND && status !== CONFLICT) throw error;
    }
  };
  await Promise.all(names.map(one));
}

function statusOf(error: unknown): number | null {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : null;
}
