import type { TaskManagerDetails } from '../../cluster-service.ts';
import { hexId, json, type JsonSchema } from '../json-schema.ts';

const resourceSchema = json.object({
  cpuCores: json.number,
  taskHeapMemory: json.integer,
  taskOffHeapMemory: json.integer,
  managedMemory: json.integer,
  networkMemory: json.integer,
});

const taskManagerFields = {
  id: json.text,
  path: json.text,
  dataPort: json.integer,
  jmxPort: json.integer,
  timeSinceLastHeartbeat: json.time,
  slotsNumber: json.integer,
  freeSlots: json.integer,
  totalResource: resourceSchema,
  freeResource: resourceSchema,
  hardware: json.object({
    cpuCores: json.integer,
    physicalMemory: json.integer,
    freeMemory: json.integer,
    managedMemory: json.integer,
  }),
  memoryConfiguration: json.map(json.integer),
  blocked: json.flag,
  millrace: json.object({
    rack: json.nullable(json.text),
    host: json.nullable(json.text),
    tags: json.list(json.text),
    drain: json.nullable(json.object({ reason: json.text, 'expires-at': json.nullable(json.time) })),
    slots: json.list(
      json.object({ id: json.text, memory: json.integer, 'job-id': json.nullable(hexId) }),
    ),
  }),
};

/** GET /taskmanagers */
export const taskManagersSchema: JsonSchema = json.object({
  taskmanagers: json.list(json.object(taskManagerFields)),
});

export function taskManagersView(taskManagers: readonly TaskManagerDetails[]): unknown {
  return { taskmanagers: taskManagers.map(taskManagerView) };
}

/** GET /taskmanagers/:taskmanagerid */
export const taskManagerSchema: JsonSchema = json.object({
  ...taskManagerFields,
  allocatedSlots: json.list(json.object({ jobId: hexId, resource: resourceSchema })),
});

export function taskManagerDetailsView(taskManager: TaskManagerDetails): unknown {
  const allocatedSlots = taskManager.slots.flatMap(({ jobId, memoryBytes }) =>
    jobId === null ? [] : [{ jobId, resource: resource(1, memoryBytes) }],
  );
  return { ...taskManagerView(taskManager), allocatedSlots };
}

function taskManagerView(taskManager: TaskManagerDetails): Readonly<Record<string, unknown>> {
  const { taskManagerId, address, slots, lastHeartbeatAtMs, drain, rack, host, tags } = taskManager;
  const free = slots.filter(({ jobId }) => jobId === null);
  const memory = (some: TaskManagerDetails['slots']): number => some.reduce((sum, slot) => sum + slot.memoryBytes, 0);
  return {
    id: taskManagerId,
    path: address,
    dataPort: -1,
    jmxPort: -1,
    // The time of the last one, whatever the name says; as in Flink.
    timeSinceLastHeartbeat: lastHeartbeatAtMs,
    slotsNumber: slots.length,
    freeSlots: free.length,
    totalResource: resource(slots.length, memory(slots)),
    freeResource: resource(free.length, memory(free)),
    hardware: { cpuCores: slots.length, physicalMemory: 0, freeMemory: 0, managedMemory: memory(slots) },
    memoryConfiguration: {},
    blocked: drain !== null,
    millrace: {
      rack,
      host,
      tags,
      drain: drain === null ? null : { reason: drain.reason, 'expires-at': drain.expiresAtMs },
      slots: slots.map(({ slotId, memoryBytes, jobId }) => ({ id: slotId, memory: memoryBytes, 'job-id': jobId })),
    },
  };
}

const BYTES_PER_MEGABYTE = 2 ** 20;

/** Flink gives the memory of resources in megabytes. */
function resource(cpuCores: number, bytes: number): unknown {
  const managedMemory = Math.floor(bytes / BYTES_PER_MEGABYTE);
  return { cpuCores, taskHeapMemory: 0, taskOffHeapMemory: 0, managedMemory, networkMemory: 0 };
}
