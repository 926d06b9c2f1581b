import { errorSchema } from './error-answer.ts';
import type { JsonSchema } from './json-schema.ts';
import type { Route } from './route.ts';

/** The routes as an OpenAPI 3.1 document. */
export function openApi(routes: readonly Route[], version: string): Readonly<Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = `/v1${route.path === '/' ? '/' : route.path.replace(/:(\w+)/g, '{$1}')}`;
    (paths[path] ??= {})[route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Millrace REST API',
      version,
      description: 'Flink\'s monitoring API, as far as it goes, and what is our own. All paths work without `/v1` too.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { Error: errorSchema },
    },
  };
}

function operation({ summary, role, params, query, body, answer }: Route): Readonly<Record<string, unknown>> {
  const { status, mediaType = 'application/json', schema } = answer;
  return {
    summary,
    ...(role === null ? {} : { security: [{ token: [] }], 'x-role': role }),
    parameters: [...parametersOf('path', params), ...parametersOf('query', query)],
    ...(body === undefined ? {} : { requestBody: { content: contentOf(body) } }),
    responses: {
      [status]: { description: 'done, or begun', content: { [mediaType]: { schema } } },
      default: {
        description: 'why not',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  };
}

function contentOf({ mediaType, schema, otherwise }: NonNullable<Route['body']>): Readonly<Record<string, unknown>> {
  const other = otherwise === undefined ? {} : { [otherwise.mediaType]: { schema: otherwise.schema } };
  return { [mediaType]: { schema }, ...other };
}

function parametersOf(place: 'path' | 'query', schema: JsonSchema | undefined): readonly unknown[] {
  const { properties = {}, required = [] } = (schema ?? {}) as ObjectSchema;
  return Object.entries(properties).map(([name, value]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema: value,
  }));
}

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}
