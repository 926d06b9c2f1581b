/** control-plane.proto, loaded, with its messages as types. */
import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';
import type { ServiceDefinition } from '@grpc/proto-loader';
import { MAX_MESSAGE_BYTES } from '../errors.ts';

export interface CallFrame {
  readonly id: number;
  readonly gateway: string;
  readonly name: string;
  readonly method: string;
  readonly epoch: number;
  readonly body: Uint8Array;
}

export interface WelcomeFrame {
  readonly version: number;
  readonly processId: string;
}

export interface AnswerFrame {
  readonly callId: number;
  /** One of the two. */
  readonly result?: Uint8Array;
  readonly failure?: Uint8Array;
}

/** Holds one of the two; of a later version perhaps neither. */
export interface ReplyFrame {
  readonly welcome?: WelcomeFrame;
  readonly answer?: AnswerFrame;
}

/** A frame is a body and some names. */
const MAX_FRAME_BYTES = MAX_MESSAGE_BYTES + 64 * 1024;

const loaded = loadSync(fileURLToPath(new URL('control-plane.proto', import.meta.url)), {
  longs: Number,
  defaults: true,
});

export const controlPlane = loaded['millrace.rpc.ControlPlane'] as ServiceDefinition;

/** What both sides ask of gRPC. */
export const channelOptions = {
  'grpc.max_send_message_length': MAX_FRAME_BYTES,
  'grpc.max_receive_message_length': MAX_FRAME_BYTES,
  // An end that has vanished without a word is noticed before TCP does; one that is stopped looks the same.
  'grpc.keepalive_time_ms': 5000,
  'grpc.keepalive_timeout_ms': 10_000,
  // Node's 64 KiB would stop a deployment four times on its way.
  'grpc-node.flow_control_window': 1024 * 1024,
} as const;
