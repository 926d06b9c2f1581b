import { startTaskManager } from '../taskmanager/index.ts';
import type { TaskManager, TaskManagerOptions } from '../taskmanager/index.ts';

const HOST = '127.0.0.1';

/**
 * As many TaskManagers with one slot each as there are to be slots: they are linked over loopback TCP, as if each were
 * a process of its own. `racks` are theirs, in order.
 */
export async function startSpreadTaskManagers(
  options: Omit<TaskManagerOptions, 'data' | 'rack'>,
  racks: readonly string[] = [],
): Promise<readonly TaskManager[]> {
  const data = { bindHost: HOST, host: HOST, firstPort: 0, token: 'secret', tls: null };
  const all: TaskManager[] = [];
  for (let slot = 0; slot < options.slotCount; slot++) {
    const started = await startTaskManager({ ...options, data, slotCount: 1, rack: racks[slot] ?? null });
    await started.registered;
    all.push(started);
  }
  return all;
}
