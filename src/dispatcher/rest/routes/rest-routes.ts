import type { RestWorld, Route } from '../route.ts';
import { clusterRoutes } from './cluster-routes.ts';
import { jobRoutes } from './job-routes.ts';
import { operationRoutes } from './operation-routes.ts';
import { taskManagerRoutes } from './task-manager-routes.ts';

/** All that the API answers to. */
export function restRoutes(world: RestWorld): readonly Route[] {
  return [...clusterRoutes(world), ...jobRoutes(world), ...operationRoutes(world), ...taskManagerRoutes(world)];
}
