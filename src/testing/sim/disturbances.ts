import type { CrashPoint } from '../../core/index.ts';
import type { SimulatedCluster } from './cluster.ts';
import { KAFKA_HOST } from './kafka-client.ts';
import type { World } from './world.ts';

const crashPoints: readonly CrashPoint[] = [
  'barrier-aligned',
  'transaction-flushed',
  'state-written',
  'all-acknowledged',
  'metadata-written',
  'pointer-moved',
  'transaction-committed',
  'generation-raised',
  'handles-committed',
  'older-aborted',
  'input-ended',
];

/** What goes wrong, by chance: everything that is broken here heals by itself, and all of it at the end. */
export class Disturbances {
  readonly #cluster: SimulatedCluster;
  readonly #world: World;

  /** What happens when somebody comes to a crash point, once each. */
  readonly #awaited = new Map<CrashPoint, (host: string) => void>();

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
    this.#world = cluster.world;
    cluster.onCrashPoint = (host, name) => {
      const act = this.#awaited.get(name);
      this.#awaited.delete(name);
      act?.(host);
    };
  }

  /** Until `durationMs` from now. */
  plan(durationMs: number): void {
    const world = this.#world;
    const count = 1 + world.below(9);
    for (let each = 0; each < count; each++) {
      world.schedule(world.between(500, durationMs), () => this.#disturb());
    }
    world.schedule(durationMs, () => this.#endAll());
  }

  #endAll(): void {
    const { network, kafka, storage, zooKeeper, hosts } = this.#cluster;
    this.#world.tell('all disturbances end');
    this.#awaited.clear();
    network.healAll();
    kafka.isAway = storage.isAway = false;
    kafka.lostShare = 0;
    if (zooKeeper.state === 'frozen') zooKeeper.thaw();
    if (zooKeeper.state === 'away') zooKeeper.start();
    for (const host of hosts) {
      this.#cluster.resume(host);
      this.#cluster.start(host);
    }
    this.#cluster.restoreLinks();
  }

  #disturb(): void {
    const world = this.#world;
    const host = world.pick(this.#cluster.hosts);
    const leader = this.#cluster.leaderHost ?? host;
    const whom = world.random() < 0.4 ? leader : host;
    const all = [
      () => this.#kill(whom),
      () => this.#dieAt(),
      () => this.#stopProcess(whom),
      () => this.#partition(whom),
      () => this.#breakConnections(whom),
      () => this.#disturbLink(whom),
      () => this.#disturbServices(),
      () => this.#end(whom),
      () => this.#writeLate(),
    ];
    world.pick(all)();
  }

  #kill(host: string): void {
    this.#cluster.kill(host);
    this.#later(100, 8000, () => this.#cluster.start(host));
  }

  #dieAt(): void {
    const point = this.#world.pick(crashPoints);
    this.#world.tell(`whoever comes to ${point} dies there`);
    this.#awaited.set(point, (host) => this.#kill(host));
  }

  #stopProcess(host: string): void {
    this.#cluster.stop(host);
    this.#later(100, 15_000, () => this.#cluster.resume(host));
  }

  #end(host: string): void {
    this.#cluster.end(host, () => this.#later(100, 8000, () => this.#cluster.start(host)));
  }

  #partition(host: string): void {
    const { network, hosts } = this.#cluster;
    const others = [...hosts, KAFKA_HOST].filter((each) => each !== host);
    const cutOff = this.#world.random() < 0.5 ? [this.#world.pick(others)] : others;
    const direction = this.#world.below(3);
    this.#world.tell(`${host} is cut off from ${cutOff.join(' ')}, direction ${direction}`);
    for (const other of cutOff) {
      if (direction !== 1) network.block(host, other);
      if (direction !== 2) network.block(other, host);
    }
    this.#later(200, 20_000, () => {
      for (const other of cutOff) {
        network.unblock(host, other);
        network.unblock(other, host);
      }
    });
  }

  #breakConnections(host: string): void {
    const { rpc, sockets, hosts } = this.#cluster;
    const other = this.#world.pick(hosts.filter((each) => each !== host));
    this.#world.tell(`connections between ${host} and ${other} break`);
    if (this.#world.random() < 0.7) rpc.breakBetween(host, other);
    else sockets.breakBetween(host, other);
  }

  #disturbLink(host: string): void {
    const running = this.#cluster.running(host);
    if (running === null || running.process.isStopped) return;
    const { link } = running;
    const world = this.#world;
    const what = world.pick(['drop', 'cut', 'silence', 'deafen', 'lose', 'expire']);
    world.tell(`the link of ${host} to zookeeper: ${what}`);
    if (what === 'drop') link.drop();
    if (what === 'cut') link.cut();
    if (what === 'silence') link.silence();
    if (what === 'deafen') link.deafen();
    if (what === 'expire') link.expire();
    if (what === 'lose') link.lostAnswer = world.pick(['carried-out', 'not-carried-out']);
    this.#later(200, 12_000, () => this.#cluster.restoreLinks());
  }

  #disturbServices(): void {
    const { kafka, storage, zooKeeper, network } = this.#cluster;
    const world = this.#world;
    const what = world.pick(['kafka', 'answers', 'storage', 'freeze', 'away', 'slow']);
    world.tell(`disturbed: ${what}`);
    switch (what) {
      case 'kafka':
        kafka.isAway = true;
        return this.#later(200, 8000, () => (kafka.isAway = false));
      case 'answers':
        kafka.lostShare = 0.3;
        return this.#later(200, 8000, () => (kafka.lostShare = 0));
      case 'storage':
        storage.isAway = true;
        return this.#later(200, 8000, () => (storage.isAway = false));
      case 'slow':
        network.slowness = 30;
        return this.#later(200, 8000, () => (network.slowness = 1));
      case 'freeze':
        if (zooKeeper.state === 'serving') zooKeeper.freeze();
        return this.#later(200, 12_000, () => {
          if (zooKeeper.state === 'frozen') zooKeeper.thaw();
        });
      default:
        if (zooKeeper.state === 'serving') zooKeeper.stop();
        this.#later(200, 12_000, () => {
          if (zooKeeper.state === 'away') zooKeeper.start();
        });
    }
  }

  /** The leader dies while what it has written is still on its way: it arrives when another one leads. */
  #writeLate(): void {
    this.#world.tell('a pointer is going to move late');
    this.#awaited.set('metadata-written', (host) => {
      const running = this.#cluster.running(host);
      running?.link.silence();
      this.#world.tell(`nothing of ${host} gets through to zookeeper`);
      this.#world.schedule(this.#world.between(5, 500), () => {
        if (this.#cluster.running(host) === running) this.#kill(host);
        // Soon after the next one leads: once that has written, too, the versions of what they write differ.
        this.#later(200, 900, () => this.#cluster.restoreLinks());
      });
    });
  }

  #later(leastMs: number, longestMs: number, act: () => unknown): void {
    this.#world.schedule(this.#world.between(leastMs, longestMs), act);
  }
}
