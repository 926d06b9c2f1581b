import { json } from '../json-schema.ts';
import { restErrors } from '../errors.ts';
import type { RestWorld, Route } from '../route.ts';
import { statusPage, STATUS_PAGE_POLICY } from '../status-page.ts';
import {
  jobIds,
  jobIdsSchema,
  jobsOverview,
  jobsOverviewSchema,
  overview,
  overviewSchema,
} from '../views/overview-view.ts';

/** How often Flink's dashboard and our page ask again. */
const REFRESH_MS = 3000;

const leaderSchema = json.object({
  'is-leader': json.flag,
  leader: json.nullable(
    json.object({ 'dispatcher-id': json.text, 'rest-url': json.text, epoch: json.integer }),
  ),
});

const configSchema = json.object({
  'refresh-interval': json.integer,
  'timezone-name': json.text,
  'timezone-offset': json.integer,
  'flink-version': json.text,
  'flink-revision': json.text,
  features: json.object({
    'web-submit': json.flag,
    'web-cancel': json.flag,
    'web-rescale': json.flag,
    'web-history': json.flag,
  }),
});

export function clusterRoutes(world: RestWorld): readonly Route[] {
  return [...processRoutes(world), ...overviewRoutes(world)];
}

/** About the Dispatcher that is asked. */
function processRoutes(world: RestWorld): readonly Route[] {
  const { service, leader, version } = world;
  const state = json.object({ status: json.text });
  return [
    {
      method: 'GET',
      path: '/',
      summary: 'A page that shows the cluster in a browser',
      role: null,
      answeredBy: 'anyone',
      answer: { status: 200, mediaType: 'text/html', schema: json.text },
      headers: { 'content-security-policy': STATUS_PAGE_POLICY, 'x-frame-options': 'DENY' },
      handle: () => statusPage(REFRESH_MS),
    },
    {
      method: 'GET',
      path: '/healthz',
      summary: 'Whether this process lives',
      role: null,
      answeredBy: 'anyone',
      answer: { status: 200, schema: state },
      handle: () => ({ status: 'ok' }),
    },
    {
      method: 'GET',
      path: '/readyz',
      summary: 'Whether this Dispatcher leads, or knows who does; else 503',
      role: null,
      answeredBy: 'anyone',
      answer: { status: 200, schema: state },
      handle: () => {
        if (service() !== null) return { status: 'leader' };
        if (leader() !== null) return { status: 'standby' };
        throw restErrors.create('MR-REST-NO-LEADER', { reason: 'none is known' });
      },
    },
    {
      method: 'GET',
      path: '/leader',
      summary: 'Who leads; null while nobody does, as far as this Dispatcher knows',
      role: 'view',
      answeredBy: 'anyone',
      answer: { status: 200, schema: leaderSchema },
      handle: () => {
        const known = leader();
        const shown = known && { 'dispatcher-id': known.dispatcherId, 'rest-url': known.restUrl, epoch: known.epoch };
        return { 'is-leader': service() !== null, leader: shown };
      },
    },
    {
      method: 'GET',
      path: '/config',
      summary: 'What a dashboard needs to know of this server',
      role: 'view',
      answeredBy: 'anyone',
      answer: { status: 200, schema: configSchema },
      handle: () => ({
        'refresh-interval': REFRESH_MS,
        'timezone-name': 'UTC',
        'timezone-offset': 0,
        'flink-version': version,
        'flink-revision': 'millrace',
        features: { 'web-submit': false, 'web-cancel': true, 'web-rescale': false, 'web-history': false },
      }),
    },
  ];
}

function overviewRoutes({ ports, version }: RestWorld): readonly Route[] {
  const nowMs = (): number => ports.clock.nowMs();
  return [
    {
      method: 'GET',
      path: '/overview',
      summary: 'Counts of TaskManagers, slots and jobs',
      role: 'view',
      answeredBy: 'leader',
      answer: { status: 200, schema: overviewSchema },
      handle: (_call, service) => overview(service, version),
    },
    {
      method: 'GET',
      path: '/jobs',
      summary: 'The ids and states of all jobs',
      role: 'view',
      answeredBy: 'leader',
      answer: { status: 200, schema: jobIdsSchema },
      handle: (_call, service) => jobIds(service),
    },
    {
      method: 'GET',
      path: '/jobs/overview',
      summary: 'All jobs, newest first: running ones and those that have ended',
      role: 'view',
      answeredBy: 'leader',
      answer: { status: 200, schema: jobsOverviewSchema },
      handle: (_call, service) => jobsOverview(service, nowMs()),
    },
  ];
}
