import { resolve } from 'node:path';

import type { HighAvailability } from '../../ha/index.ts';
import { PROCESS_LOG, type GrpcTls, type LeaderWatch } from '../../rpc/index.ts';
import { startTaskManager, type TaskManagerOptions } from '../../taskmanager/index.ts';
import type { CommandContext } from '../command-context.ts';
import { machineMemoryBytes } from '../machine-memory.ts';
import { isEverywhere } from './check-role.ts';
import { openHighAvailability, openRpc, readTls } from './open-cluster.ts';
import type { OutputRing } from './output-ring.ts';
import type { RoleLog } from './role-log.ts';
import type { TaskManagerSettings } from './role-options.ts';
import type { RunningRole } from './role-process.ts';

/** Of the machine's memory, for what all slots remember. */
const STATE_SHARE = 0.7;

/** Resolves once it looks for a leader; it is of use as soon as there is one. */
export async function startTaskManagerRole(
  { ports, slotThreads }: CommandContext,
  settings: TaskManagerSettings,
  log: RoleLog,
  written: OutputRing,
): Promise<RunningRole> {
  const tls = await readTls(settings, ports.files);
  const rpc = await openRpc(settings, ports.randomness.hex(8), tls, ports);
  const highAvailability = openHighAvailability(settings, ports, log);
  const slots = settings['taskmanager.slots'];
  const node = settings['taskmanager.node'] ?? settings['rpc.advertised-host'] ?? settings['rpc.host'];
  const place = { rack: settings['taskmanager.rack'], host: node };
  const taskManager = await startTaskManager({
    rpc,
    leaders: leadersOf(highAvailability, log),
    ports,
    workerHost: slotThreads,
    slotCount: slots,
    slotMemoryBytes: settings['taskmanager.slot-memory'],
    slotStateBytes:
      settings['taskmanager.slot-state-memory'] ?? Math.floor((machineMemoryBytes() * STATE_SHARE) / slots),
    workRoot: resolve(settings['taskmanager.work-directory']),
    localRecovery: {
      mode: settings['taskmanager.local-recovery'],
      maxBytes: settings['taskmanager.local-recovery-size'],
    },
    ...place,
    tags: settings['taskmanager.tags'],
    data: dataPlane(settings, tls),
    orphanTimeoutMs: settings['taskmanager.orphan-timeout'],
    drainTimeoutMs: settings['taskmanager.drain-timeout'],
    onProblem: ({ code, message }) => log('warn', 'leader-problem', { code, message }),
  });
  const { id, address } = taskManager;
  rpc.serve('process-log', PROCESS_LOG, { readLog: async ({ kind }) => written.read(kind) });
  const withdraw = highAvailability.announceTaskManager({ taskManagerId: id, address, slotCount: slots, ...place });
  void taskManager.registered.then(() => log('info', 'registered', { id }));
  return {
    ready: { id, rpcAddress: rpc.address, slots },
    async close() {
      await withdraw();
      await taskManager.close();
      await highAvailability.close();
      await rpc.close();
    },
  };
}

/** The name under which leaders serve their ResourceManager (docs/design/018). */
const RESOURCE_MANAGER = 'resource-manager';

function leadersOf(highAvailability: HighAvailability, log: RoleLog): LeaderWatch {
  return (onChange) =>
    highAvailability.watchLeader((leader) => {
      if (leader === null) {
        log('warn', 'no-leader');
        onChange(null);
        return;
      }
      const { epoch, rpcAddress, dispatcherId } = leader;
      log('info', 'leader', { epoch, dispatcherId, rpcAddress });
      onChange({ epoch, resourceManagerAddress: `${rpcAddress}/${RESOURCE_MANAGER}` });
    });
}

function dataPlane(settings: TaskManagerSettings, tls: GrpcTls | null): NonNullable<TaskManagerOptions['data']> {
  const rpcHost = settings['rpc.host'];
  const bindHost = settings['taskmanager.data-host'] ?? rpcHost;
  const advertised = settings['rpc.advertised-host'];
  const firstAdvertisedPort = settings['taskmanager.data-advertised-port'];
  return {
    bindHost,
    host: advertised ?? (isEverywhere(bindHost) ? rpcHost : bindHost),
    firstPort: settings['taskmanager.data-port'],
    ...(firstAdvertisedPort === null ? {} : { firstAdvertisedPort }),
    token: settings['rpc.token'],
    tls: tls === null ? null : { ...tls, passphrase: null, serverName: null, verify: true },
  };
}
