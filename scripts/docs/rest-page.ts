import { describeRoutes, type RouteDescription } from '../../src/dispatcher/rest/describe-routes.ts';
import { code, page, sentence, table } from './markdown.ts';

export function restPage(): string {
  const introduction =
    `Every path works with ${code('/v1')} in front and without. ${code('GET /v1/openapi.json')} has the parameters, ` +
    'bodies and answers of all of them. How to use it stands in [REST API](../rest.md).';
  const paths = table(['request', 'token for', 'what it does'], describeRoutes().map(row));
  return page('REST API: paths', introduction, [paths]);
}

function row({ method, path, role, summary }: RouteDescription): readonly string[] {
  return [code(`${method} ${path}`), role ?? '–', sentence(summary)];
}
