import type { Role } from './access.ts';
import type { RestWorld } from './route.ts';
import { restRoutes } from './routes/rest-routes.ts';

export interface RouteDescription {
  readonly method: string;
  /** With `{name}` for parameters. */
  readonly path: string;
  readonly summary: string;
  readonly role: Role | null;
}

/** The routes as plain data, for docs/generated/rest.md. */
export function describeRoutes(): readonly RouteDescription[] {
  // Nothing is asked of it: the handlers are not called.
  const world = {} as Partial<RestWorld> as RestWorld;
  return restRoutes(world).map(({ method, path, summary, role }) => ({
    method,
    path: path.replace(/:(\w+)/g, '{$1}'),
    summary,
    role,
  }));
}
