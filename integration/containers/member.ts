import type { Docker, Labels } from './docker.ts';
import type { MemberPlan } from './topology.ts';

/** Where a member is, and as what. */
export interface MemberDescription {
  readonly plan: MemberPlan;
  readonly network: string;
  readonly containerId: string;
}

const LOG_LINES = 30;

/** One container of a cluster, and what can befall it. */
export class Member {
  readonly description: MemberDescription;
  readonly #docker: Docker;

  constructor(engine: Docker, description: MemberDescription) {
    this.#docker = engine;
    this.description = description;
  }

  get name(): string {
    return this.description.plan.name;
  }

  get rack(): string | null {
    return this.description.plan.rack;
  }

  get hostPort(): number {
    const { name, port } = this.description.plan;
    if (port === null) throw new Error(`${name} has no port on this machine`);
    return port.host;
  }

  /** As a power cut would. Resolves when it has ended. */
  async kill(): Promise<void> {
    await this.#container.kill({ signal: 'SIGKILL' });
    await this.#container.wait();
  }

  /** SIGTERM; SIGKILL where it has not ended after the grace. Resolves to its exit code. */
  async stop(graceSeconds: number): Promise<number> {
    await this.#container.stop({ t: graceSeconds });
    const { StatusCode: exitCode } = (await this.#container.wait()) as { readonly StatusCode: number };
    return exitCode;
  }

  async start(): Promise<void> {
    await this.#container.start();
  }

  /** Freezes all its processes: they miss everything, and notice nothing. */
  async pause(): Promise<void> {
    await this.#container.pause();
  }

  async unpause(): Promise<void> {
    await this.#container.unpause();
  }

  /** Packets go nowhere, from now on and for connections that are there. */
  async disconnect(): Promise<void> {
    await this.#docker.disconnect(this.description.network, this.description.containerId);
  }

  async connect(): Promise<void> {
    await this.#docker.connect(this.description.network, this.description.containerId, this.name);
  }

  /** Undoes whatever befell it. */
  async heal(): Promise<void> {
    const { State: state } = await this.#container.inspect();
    if (state.Paused) await this.unpause();
    if (!(await this.isConnected())) await this.connect();
    if (!state.Running) await this.start();
  }

  async isHealthy(): Promise<boolean> {
    const { State: state } = await this.#container.inspect();
    return state.Running && !state.Paused && state.Health?.Status === 'healthy';
  }

  async isConnected(): Promise<boolean> {
    const { NetworkSettings: settings } = await this.#container.inspect();
    return this.description.network in settings.Networks;
  }

  /** Of the container, those of its image among them. */
  async labels(): Promise<Labels> {
    const { Config: config } = await this.#container.inspect();
    return config.Labels;
  }

  /** The name of its image. */
  async image(): Promise<string> {
    const { Config: config } = await this.#container.inspect();
    return config.Image;
  }

  exec(...command: readonly string[]): Promise<string> {
    return this.#docker.exec(this.description.containerId, command);
  }

  /** The end of what it has written, and how it is. */
  async explain(): Promise<string> {
    const { State: state } = await this.#container.inspect();
    const written = await this.#container.logs({ stdout: true, stderr: true, tail: LOG_LINES });
    return `── ${this.name}: ${state.Status}, ${state.Health?.Status ?? ''}\n${textOf(written)}`;
  }

  async remove(): Promise<void> {
    await this.#container.remove({ force: true, v: true });
  }

  get #container(): ReturnType<Docker['container']> {
    return this.#docker.container(this.description.containerId);
  }
}

const FRAME_HEADER_BYTES = 8;

/** Docker's log format: frames of a header, whose last four bytes are the size, and text. */
function textOf(frames: Buffer): string {
  const texts: string[] = [];
  for (let at = 0; at + FRAME_HEADER_BYTES <= frames.length; ) {
    const start = at + FRAME_HEADER_BYTES;
    const end = start + frames.readUInt32BE(start - 4);
    texts.push(frames.toString('utf8', start, end));
    at = end;
  }
  return texts.join('');
}
