import { GenericContainer, Wait } from 'testcontainers';

import { docker, type Labels } from './docker.ts';
import { Member } from './member.ts';
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
const HEALTHY_WITHIN_MS = 180_000;
const TMPFS_OF_ROOT = 'rw,mode=1777';
const NANOSECONDS = 1_000_000;
/** Each check starts a process, in eleven containers on two cores. */
const CHECK_EVERY_MS = 5000;

interface Told {
  readonly plan: MemberPlan;
  readonly network: string;
  readonly volume: string;
}

/** A container of the cluster's, with the health check of its image. */
class MemberContainer extends GenericContainer {
  constructor({ plan, image, network, volume, labels }: MemberRequest) {
    super(image);
    const { name, port } = plan;
    const told: Told = { plan, network, volume };
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
  return new Member(await docker(), { plan, network, containerId: started.getId() });
}

/** Another container in the place of a member that has ended, of another image. Resolves once it is healthy. */
export async function replaceMember(member: Member, image: string): Promise<Member> {
  const labels = await member.labels();
  await member.remove();
  const { plan, network, volume } = JSON.parse(labels[MEMBER_LABEL] ?? '') as Told;
  return startMember({ plan, image, network, volume, labels });
}

/** The members among containers that another file of this run has started. */
export async function membersLabelled(label: string): Promise<readonly Member[]> {
  const engine = await docker();
  const members: Member[] = [];
  for (const { kind, name: containerId, labels } of await engine.labelled(label)) {
    const told = labels[MEMBER_LABEL];
    if (kind !== 'container' || told === undefined) continue;
    const { plan, network } = JSON.parse(told) as Told;
    members.push(new Member(engine, { plan, network, containerId }));
  }
  return members.sort((left, right) => left.name.localeCompare(right.name, 'en', { numeric: true }));
}
