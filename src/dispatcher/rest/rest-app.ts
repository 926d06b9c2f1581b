/** The HTTP server with all routes, not listening yet. The only home of the framework. */
import type { ServerOptions } from 'node:https';

import {
  fastify,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from 'fastify';

import { messageOf, toMillraceError } from '../../core/index.ts';
import { Access, type RestTokens, type Role } from './access.ts';
import { errorAnswer, headersOf } from './error-answer.ts';
import { restErrors } from './errors.ts';
import type { JsonSchema } from './json-schema.ts';
import { JSON_TYPE, YAML } from './media-types.ts';
import { openApi } from './open-api.ts';
import { passOn } from './pass-on.ts';
import type { Call, RestWorld, Route } from './route.ts';
import { restRoutes } from './routes/rest-routes.ts';

export interface RestAppOptions extends RestWorld {
  readonly tokens: RestTokens | null;
  readonly tls: RestTls | null;
}

/** PEM. */
export interface RestTls {
  readonly cert: string;
  readonly key: string;
  /** Of the authority that other Dispatchers' certificates are of; null for those that Node trusts. */
  readonly ca: string | null;
}

/** Larger than any job file that the limits of job files let through. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;
const MAX_PARAMETER_LENGTH = 256;
const MAX_CONNECTIONS = 1024;
/** Who takes longer to send a request is cut off. */
const REQUEST_TIMEOUT_MS = 60_000;
const YAML_TYPES = [YAML, 'application/x-yaml', 'text/yaml'];

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly route?: Route;
  }
}

export function restApp(options: RestAppOptions): FastifyInstance {
  const app = createServer(options.tls);
  readBodies(app);
  answerErrors(app, options);
  guard(app, options);
  const routes = restRoutes(options);
  for (const route of routes) addRoute(app, route, options);
  const document = openApi(routes, options.version);
  app.get('/openapi.json', () => document);
  return app;
}

function createServer(tls: RestTls | null): FastifyInstance {
  const options: FastifyServerOptions = {
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    exposeHeadRoutes: false,
    rewriteUrl: ({ url = '/' }) => withoutPrefix(url),
    frameworkErrors: (error, _request, reply) => {
      void (reply as never as FastifyReply).code(error.statusCode ?? 400).send({ errors: [error.message] });
    },
    // What a schema does not know is refused, not dropped; queries are text and become what their schema says.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: 'array', allErrors: false } },
  };
  // Types tell the kinds of servers apart; nothing here does.
  const app = fastify(tls === null ? options : ({ ...options, https: secured(tls) } as never));
  app.server.maxConnections = MAX_CONNECTIONS;
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  return app;
}

function secured({ cert, key }: RestTls): ServerOptions {
  return { cert, key, minVersion: 'TLSv1.2' };
}

/** `/v1/jobs` is `/jobs`, `/v1` is `/`. */
function withoutPrefix(url: string): string {
  const rest = /^\/v1(?=[/?]|$)(.*)$/.exec(url)?.[1];
  if (rest === undefined) return url;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** JSON and YAML, nothing else: a form or a plain text is what a page of another site could make a browser send. */
function readBodies(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>(JSON_TYPE, { parseAs: 'string' }, (request, text, done) => {
    // Clients say that it is JSON where there is nothing at all.
    if (text === '') done(null, {});
    else void parseJson(request, text, done);
  });
  app.addContentTypeParser<string>(YAML_TYPES, { parseAs: 'string' }, (_request, text, done) => done(null, text));
}

function answerErrors(app: FastifyInstance, { ports }: RestAppOptions): void {
  app.setNotFoundHandler((request, reply) => {
    void reply.code(404).send({ errors: [`Not found: ${request.method} ${request.originalUrl}`] });
  });
  app.setErrorHandler((error, request, reply) => {
    const { status, body } = errorAnswer(error);
    if (status === 500 && toMillraceError(error).domain === 'internal') {
      const stack = error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
      ports.streams.writeError(`${request.method} ${request.originalUrl.split('?')[0] ?? ''} failed: ${stack}\n`);
    }
    void reply.code(status).headers(headersOf(status)).send(body);
  });
}

/** Before a body is read: who asks, and whether the answer is another Dispatcher's to give. */
function guard(app: FastifyInstance, { tokens, tls, service, leader }: RestAppOptions): void {
  const access = new Access(tokens);
  app.addHook('onRequest', async (request: FastifyRequest, reply: FastifyReply) => {
    void reply.headers({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
    const { route } = request.routeOptions.config;
    access.check(request.headers, roleOf(route));
    if (route?.answeredBy !== 'leader' || service() !== null) return;
    reply.hijack();
    const url = request.originalUrl;
    await passOn(leader(), { url, request: request.raw, response: reply.raw, ca: tls?.ca ?? null });
  });
}

/** What is no route tells nothing: it needs no token. */
function roleOf(route: Route | undefined): Role | null {
  return route?.role ?? null;
}

function addRoute(app: FastifyInstance, route: Route, { service }: RestAppOptions): void {
  const { method, path, params, query, body, answer, headers = {} } = route;
  app.route({
    method,
    url: path,
    config: { route },
    schema: {
      ...(params === undefined ? {} : { params }),
      ...(query === undefined ? {} : { querystring: query }),
      ...(body === undefined ? {} : { body: bodySchema(body) }),
    },
    ...(body?.mediaType === JSON_TYPE ? { preValidation: fillBody } : {}),
    handler: async (request, reply) => {
      const result = await handled(route, service, request as never as Call);
      void reply.code(answer.status).headers(headers);
      if (answer.mediaType !== undefined) void reply.type(`${answer.mediaType}; charset=utf-8`);
      return result;
    },
  });
}

function bodySchema({ schema, otherwise }: NonNullable<Route['body']>): JsonSchema {
  return otherwise === undefined ? schema : { anyOf: [schema, otherwise.schema] };
}

/** No body is one that says nothing. */
async function fillBody(request: FastifyRequest): Promise<void> {
  request.body ??= {};
}

async function handled(route: Route, service: RestAppOptions['service'], call: Call): Promise<unknown> {
  if (route.answeredBy === 'anyone') return route.handle(call);
  const leading = service();
  // It led when the request began.
  if (leading === null) throw restErrors.create('MR-REST-NO-LEADER', { reason: 'this one has just lost it' });
  return route.handle(call, leading);
}
