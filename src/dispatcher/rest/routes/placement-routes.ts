import type { RestWorld, Route } from '../route.ts';
import { placementSchema, placementView } from '../views/placement-view.ts';
import { json } from '../json-schema.ts';
import { jobIdOf, jobParams } from './ask.ts';
import { jobBody, jobIn, variablesSchema } from './submit-route.ts';

/** Where jobs run, or would, and why. */
export function placementRoutes({ takesCode }: RestWorld): readonly Route[] {
  const answer = { status: 200, schema: placementSchema };
  return [
    {
      method: 'GET',
      path: '/jobs/:jobid/placement',
      summary: 'Where each slice of a job runs, who reads which split from how far, and why',
      role: 'view',
      params: jobParams,
      answer,
      answeredBy: 'leader',
      handle: (call, service) => placementView(service.placement(jobIdOf(call))),
    },
    {
      method: 'POST',
      path: '/placement',
      summary: 'How a job would be placed if it were submitted now, and started anew; starts nothing',
      role: 'deploy',
      query: json.object({}, { set: variablesSchema }),
      body: jobBody,
      answer,
      answeredBy: 'leader',
      handle: async (call, service) => placementView(await service.previewPlacement(jobIn(call, takesCode))),
    },
  ];
}
