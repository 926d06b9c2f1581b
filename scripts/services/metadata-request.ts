/*
 * One Kafka Metadata request (version 4) over a fresh socket, to learn which brokers a broker knows to be alive. It
 * needs no client library, so a readiness check cannot be fooled by a client's retries and caches.
 */
import { connect } from 'node:net';

const METADATA_API_KEY = 3;
const METADATA_VERSION = 4;
const CLIENT_ID = 'millrace-services';

function encodeRequest(): Buffer {
  const clientId = Buffer.from(CLIENT_ID);
  // size, api key, version, correlation id, client id, no topics, no topic creation
  const request = Buffer.alloc(4 + 2 + 2 + 4 + 2 + clientId.length + 4 + 1);
  request.writeInt32BE(request.length - 4, 0);
  request.writeInt16BE(METADATA_API_KEY, 4);
  request.writeInt16BE(METADATA_VERSION, 6);
  request.writeInt32BE(1, 8);
  request.writeInt16BE(clientId.length, 12);
  clientId.copy(request, 14);
  request.writeInt32BE(0, 14 + clientId.length);
  request.writeInt8(0, 18 + clientId.length);
  return request;
}

/** The response begins with size, correlation id, throttle time, then the brokers. */
function decodeBrokerIds(response: Buffer): number[] {
  let at = 12;
  const count = response.readInt32BE(at);
  at += 4;
  const ids: number[] = [];
  for (let index = 0; index < count; index++) {
    ids.push(response.readInt32BE(at));
    at += 4;
    at += 2 + response.readInt16BE(at); // host
    at += 4; // port
    at += 2 + Math.max(0, response.readInt16BE(at)); // rack, which may be null
  }
  return ids;
}

/** The ids of the live brokers as the broker at this port sees them; undefined while it does not answer. */
export function fetchLiveBrokerIds(port: number, timeoutMs = 2000): Promise<number[] | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    let received = Buffer.alloc(0);
    const finish = (ids: number[] | undefined): void => {
      socket.destroy();
      resolve(ids);
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
    socket.once('connect', () => socket.write(encodeRequest()));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) finish(decodeBrokerIds(received));
    });
  });
}
