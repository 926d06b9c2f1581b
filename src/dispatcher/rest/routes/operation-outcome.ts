/** How operations that take longer than a request are answered, as by Flink. */
import type { OperationState } from '../async-operations.ts';
import { hexId, json, type JsonSchema } from '../json-schema.ts';
import { publicError, publicErrorSchema } from '../public-error.ts';

export const triggered = { status: 202, schema: json.object({ 'request-id': hexId }) };
const failureCause: JsonSchema = json.object({
  class: json.text,
  'stack-trace': json.text,
  error: publicErrorSchema,
});
const moved = json.object({ subtask: json.integer, from: json.text, to: json.text });
export const outcomeSchema = json.object(
  { status: json.object({ id: json.oneOf('IN_PROGRESS', 'COMPLETED') }) },
  { operation: json.object({}, { location: json.text, moved: json.list(moved), 'failure-cause': failureCause }) },
);

/** What is answered where somebody asks what has become of it. */
export function outcome(state: OperationState): unknown {
  switch (state.kind) {
    case 'in-progress':
      return { status: { id: 'IN_PROGRESS' } };
    case 'completed':
      return { status: { id: 'COMPLETED' }, operation: state.result };
    case 'failed': {
      const error = publicError(state.error);
      const cause = { class: error.code, 'stack-trace': `${error.code}: ${error.message}`, error };
      return { status: { id: 'COMPLETED' }, operation: { 'failure-cause': cause } };
    }
  }
}
