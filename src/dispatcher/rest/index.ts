export { restErrors } from './errors.ts';
export { startRestServer } from './rest-server.ts';
export type { RestServer, RestServerOptions } from './rest-server.ts';
export type { RestTls } from './rest-app.ts';
export type { RestTokens } from './access.ts';
