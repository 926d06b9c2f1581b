import { json } from '../json-schema.ts';
import type { RestWorld, Route } from '../route.ts';
import {
  taskManagerDetailsView,
  taskManagerSchema,
  taskManagersSchema,
  taskManagersView,
} from '../views/task-manager-view.ts';
import { nothing, numberOf, taskManagerIdOf, taskManagerOf, taskManagerParams, textOf } from './ask.ts';

const DEFAULT_REASON = 'drained by request';
const MAX_REASON_LENGTH = 1000;

export function taskManagerRoutes({ ports }: RestWorld): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/taskmanagers',
      summary: 'All TaskManagers and their slots',
      role: 'view',
      answer: { status: 200, schema: taskManagersSchema },
      answeredBy: 'leader',
      handle: (_call, service) => taskManagersView(service.taskManagers()),
    },
    {
      method: 'GET',
      path: '/taskmanagers/:taskmanagerid',
      summary: 'A TaskManager and what runs in its slots',
      role: 'view',
      params: taskManagerParams,
      answer: { status: 200, schema: taskManagerSchema },
      answeredBy: 'leader',
      handle: (call, service) => taskManagerDetailsView(taskManagerOf(call, service)),
    },
    {
      method: 'POST',
      path: '/taskmanagers/:taskmanagerid/drain',
      summary: 'Moves the tasks of a TaskManager elsewhere and gives it no more, for `expires-in` ms or until DELETE',
      role: 'operate',
      params: taskManagerParams,
      body: {
        mediaType: 'application/json',
        schema: json.object(
          {},
          { reason: { type: 'string', maxLength: MAX_REASON_LENGTH }, 'expires-in': json.integerFrom(1) },
        ),
      },
      answer: { status: 200, schema: nothing },
      answeredBy: 'leader',
      handle: async (call, service) => {
        const lastsMs = numberOf(call.body, 'expires-in');
        const expiresAtMs = lastsMs === null ? null : ports.clock.nowMs() + lastsMs;
        await service.drain(taskManagerIdOf(call), textOf(call.body, 'reason') ?? DEFAULT_REASON, expiresAtMs);
        return {};
      },
    },
    {
      method: 'DELETE',
      path: '/taskmanagers/:taskmanagerid/drain',
      summary: 'Lets a TaskManager have tasks again',
      role: 'operate',
      params: taskManagerParams,
      answer: { status: 200, schema: nothing },
      answeredBy: 'leader',
      handle: async (call, service) => {
        await service.undrain(taskManagerIdOf(call));
        return {};
      },
    },
  ];
}
