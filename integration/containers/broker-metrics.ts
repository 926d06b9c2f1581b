import type { Member } from './member.ts';
import { JMX_PORT } from './topology.ts';

const BEANS = 'kafka.server:type=BrokerTopicMetrics,name=BytesOutPerSec';

/** Bytes of the topic that a broker has sent to consumers, by its own count; what other brokers copy is not in it. */
export async function readBytesOut(broker: Member, topic: string): Promise<number> {
  const url = `service:jmx:rmi:///jndi/rmi://127.0.0.1:${JMX_PORT}/jmxrmi`;
  // All topics, because a broker that has sent nothing of one does not know it.
  const query = ['--jmx-url', url, '--object-name', `${BEANS},*`, '--attributes', 'Count'];
  const told = await broker.exec('kafka', 'jmx', ...query, '--one-time', '--report-format', 'properties');
  if (!told.includes('Count=')) throw new Error(`${broker.name} tells no counts: ${told}`);
  const line = told.split('\n').find((each) => each.includes(`topic=${topic}:`));
  return line === undefined ? 0 : Number(line.slice(line.lastIndexOf('=') + 1));
}
