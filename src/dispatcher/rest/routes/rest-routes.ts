import type { RestWorld, Route } from '../route.ts';
import { clusterRoutes } from './cluster-routes.ts';
import { jobRoutes } from './job-routes.ts';
import { logRoutes } from './log-routes.ts';
import { operationRoutes } from './operation-routes.ts';
import { placementRoutes } from './placement-routes.ts';
import { taskManagerRoutes } from './task-manager-routes.ts';

/** All that the API answers to. */
export function restRoutes(world: RestWorld): readonly Route[] {
  const ofJobs = [...jobRoutes(world), ...placementRoutes(world), ...operationRoutes(world)];
  return [...clusterRoutes(world), ...ofJobs, ...logRoutes(world), ...taskManagerRoutes(world)];
}
