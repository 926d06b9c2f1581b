/*
 * One Kafka Metadata request (version 4) over a fresh socket, to learn what a broker knows. It needs no client library,
 * so a readiness check cannot be fooled by a client's retries and caches.
 */
import { connect } from 'node:net';

const METADATA_API_KEY = 3;
const METADATA_VERSION = 4;
const CLIENT_ID = 'millrace-services';
const NO_ERROR = 0;

export interface BrokerMetadata {
  /** Of the brokers that are alive. */
  readonly brokerIds: readonly number[];
  /** Of the topics asked for that exist: the leader of each partition, -1 for none. */
  readonly leaders: ReadonlyMap<string, readonly number[]>;
}

function encodeRequest(topics: readonly string[]): Buffer {
  const int16 = (value: number): Buffer => {
    const bytes = Buffer.alloc(2);
    bytes.writeInt16BE(value);
    return bytes;
  };
  const int32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return bytes;
  };
  const text = (value: string): Buffer => Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);
  const correlationId = int32(1);
  const noTopicCreation = Buffer.from([0]);
  const body = Buffer.concat([
    int16(METADATA_API_KEY), int16(METADATA_VERSION), correlationId, text(CLIENT_ID),
    int32(topics.length), ...topics.map(text), noTopicCreation,
  ]);
  return Buffer.concat([int32(body.length), body]);
}

function decodeResponse(response: Buffer): BrokerMetadata {
  // Size, correlation id and throttle time come first.
  let at = 12;
  const int16 = (): number => response.readInt16BE((at += 2) - 2);
  const int32 = (): number => response.readInt32BE((at += 4) - 4);
  const text = (): string => {
    const length = Math.max(0, int16());
    at += length;
    return response.toString('utf8', at - length, at);
  };
  const array = <T>(read: () => T): T[] => {
    const items: T[] = [];
    for (let left = int32(); left > 0; left--) items.push(read());
    return items;
  };
  const brokerIds = array(() => {
    const id = int32();
    text(); // host
    int32(); // port
    text(); // rack
    return id;
  });
  text(); // cluster id
  int32(); // controller
  const leaders = new Map<string, number[]>();
  array(() => {
    const error = int16();
    const name = text();
    at += 1; // whether internal
    const partitions = array(() => {
      int16(); // error
      const id = int32();
      const leader = int32();
      array(int32); // replicas
      array(int32); // in-sync replicas
      return { id, leader };
    });
    partitions.sort((left, right) => left.id - right.id);
    if (error === NO_ERROR) leaders.set(name, partitions.map((partition) => partition.leader));
  });
  return { brokerIds, leaders };
}

/** Asks the broker at this port of the loopback address; undefined while it does not answer. */
export function fetchMetadata(
  port: number,
  topics: readonly string[] = [],
  timeoutMs = 2000,
): Promise<BrokerMetadata | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    let received = Buffer.alloc(0);
    const finish = (metadata: BrokerMetadata | undefined): void => {
      socket.destroy();
      resolve(metadata);
    };
    socket.setTimeout(timeoutMs, () => {
      finish(undefined);
    });
    socket.once('error', () => {
      finish(undefined);
    });
    socket.once('close', () => {
      finish(undefined);
    });
    socket.once('connect', () => socket.write(encodeRequest(topics)));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) finish(decodeResponse(received));
    });
  });
}
