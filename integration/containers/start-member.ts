import { GenericContainer, Wait } from 'testcontainers';

import { docker, type Labels } from './docker.ts';
import { Member, type MemberDescription } from './member.ts';
import { CHECKPOINTS_FOLDER, type MemberPlan } from './topology.ts';

export interface MemberRequest {
  readonly plan: MemberPlan;
  readonly image: string;
  readonly network: string;
  /** The volume for checkpoints. */
  readonly volume: string;
  readonly labels: Labels;
}

/** What a container itself says of the member that it is. */
const MEMBER_LABEL = 'millrace.test-member';
const HEALTHY_WITHIN_MS = 120_000;
const TMPFS_OF_ROOT = 'rw,mode=1777';
const NANOSECONDS = 1_000_000;
/** A check starts a process, which costs; while a container starts it is waited for. */
const CHECK_EVERY_MS = 2000;

/** A container of the cluster's, with the health check of its image. */
class MemberContainer extends GenericContainer {
  constructor({ plan, image, network, volume, labels }: MemberRequest) {
    super(image);
    const { role, name, rack, port } = plan;
    const told = { role, name, rack, network, hostPort: port?.host ?? null };
    this.withName(name)
      .withNetworkMode(network)
      .withLabels({ ...labels, [MEMBER_LABEL]: JSON.stringify(told) })
      .withEnvironment({ ...plan.environment })
      .withCommand([...plan.command])
      .withAutoCleanup(false)
      .withTmpFs({ '/tmp': TMPFS_OF_ROOT })
      .withWaitStrategy(Wait.forHealthCheck())
      .withStartupTimeout(HEALTHY_WITHIN_MS);
    if (port !== null) this.withExposedPorts({ container: port.container, host: port.host });
    if (plan.usesCheckpoints) this.withBindMounts([{ source: volume, target: CHECKPOINTS_FOLDER, mode: 'rw' }]);
    this.createOpts.Hostname = name;
    // What is not told here stays as the image has it.
    this.createOpts.Healthcheck = { Interval: CHECK_EVERY_MS * NANOSECONDS };
  }
}

/** Resolves once it is healthy. */
export async function startMember(request: MemberRequest): Promise<Member> {
  const { plan, network } = request;
  const started = await new MemberContainer(request).start();
  const { role, name, rack, port } = plan;
  const containerId = started.getId();
  return new Member(await docker(), { role, name, rack, network, hostPort: port?.host ?? null, containerId });
}

/** The members among containers that another file of this run has started. */
export async function membersLabelled(label: string): Promise<readonly Member[]> {
  const engine = await docker();
  const members: Member[] = [];
  for (const { kind, name: containerId, labels } of await engine.labelled(label)) {
    const told = labels[MEMBER_LABEL];
    if (kind !== 'container' || told === undefined) continue;
    members.push(new Member(engine, { ...(JSON.parse(told) as Omit<MemberDescription, 'containerId'>), containerId }));
  }
  return members.sort((left, right) => left.name.localeCompare(right.name, 'en', { numeric: true }));
}
